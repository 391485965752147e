"""p3109: value tables of every format with 3 <= K <= 8, and encode vectors of a few (gfloat)."""

from gfloat import Domain, RoundMode, Signedness, decode_float, encode_float, round_float
from gfloat.formats import format_info_p3109

from common import *

SOURCE = "IEEE P3109 interim report v4.0"


def name_of(k, p, s, d):
    return f"binary{k}p{p}{'s' if s == Signedness.Signed else 'u'}{'e' if d == Domain.Extended else 'f'}"


def combinations(k):
    for s in (Signedness.Signed, Signedness.Unsigned):
        for p in range(1, k if s == Signedness.Signed else k + 1):
            for d in (Domain.Extended, Domain.Finite):
                yield p, s, d


def entry(k, p, s, d):
    fi = format_info_p3109(k, p, s, d)
    values = [exact_bits(decode_float(fi, c).fval) for c in range(1 << k)]
    return {
        "name": name_of(k, p, s, d),
        "bits": k,
        "precision": p,
        "signed": s == Signedness.Signed,
        "extended": d == Domain.Extended,
        "bias": fi.bias,
        "values": words(values),
    }


def tables():
    for k in range(3, 9):
        formats = [entry(k, p, s, d) for p, s, d in combinations(k)]
        comment = "values[code]; every value is exact in float32; NaN is written as 7fc00000"
        write(
            f"p3109/values_k{k}.json",
            {"header": header("gfloat", "0.5.2", SOURCE, comment), "formats": formats},
        )


def inputs_for(fi, values, signed, rng):
    finite = sorted(v for v in values if v == v and abs(v) != float("inf"))
    mids = [(a + b) / 2 for a, b in zip(finite, finite[1:])]
    mids = [m for m in mids if float(np.float32(m)) == m]
    mids = mids if len(mids) < 30 else rng.sample(mids, 30)
    out = [0, INF, NAN, 1, 0x3F800000, FLT_MAX]
    top = finite[-1]
    for v in [top, top + (top - finite[-2]) / 2, top + (top - finite[-2]), 2 * top]:
        if is_finite(bits(v)):
            out += [bits(v), bits(v) - 1, bits(v) + 1]
    for m in mids:
        b = bits(m)
        out += [b, b + 1] + ([b - 1] if b & 0x7FFFFFFF else [])
    low, high = np.log2(min(v for v in finite if v > 0)), np.log2(top)
    out += [bits(2.0 ** rng.uniform(low - 1, min(high + 1, 127))) for _ in range(30)]
    if signed:
        out += [SIGN | p for p in out if not is_nan(p)]
    # gfloat does not define a negative input to an unsigned format, so those stay non-negative.
    keep = [p for p in out if signed or not p & SIGN]
    return list(dict.fromkeys(p for p in keep if is_finite(p) or p in (INF, NAN, SIGN | INF)))


def encodes():
    signed, unsigned = Signedness.Signed, Signedness.Unsigned
    ext, fin = Domain.Extended, Domain.Finite
    chosen = [
        (8, 4, signed, ext),
        (8, 3, signed, fin),
        (8, 1, signed, ext),
        (8, 1, unsigned, fin),
        (8, 4, unsigned, ext),
        (8, 7, signed, fin),
        (6, 3, signed, fin),
        (5, 2, unsigned, ext),
        (4, 2, signed, fin),
        (3, 1, signed, ext),
    ]
    for k, p, s, d in chosen:
        fi = format_info_p3109(k, p, s, d)
        rng = seeded(f"p3109 {fi.name}")
        inputs = inputs_for(fi, [decode_float(fi, c).fval for c in range(1 << k)], s == signed, rng)
        cases = []
        # gfloat's sat=False turns overflow of a finite format into NaN, which is not a P3109
        # saturation mode, so only extended formats record it.
        for sat in [True] + ([False] if d == ext else []):
            for mode in [
                "TowardZero",
                "TowardPositive",
                "TowardNegative",
                "TiesToEven",
                "TiesToAway",
            ]:
                out = []
                for pattern in inputs:
                    v = round_float(fi, float(from_bits(pattern)), RoundMode[mode], sat)
                    out.append((exact_bits(v), int(encode_float(fi, v))))
                cases.append(
                    {
                        "mode": mode,
                        "saturating": sat,
                        "values": words(v for v, _ in out),
                        "codes": [c for _, c in out],
                    }
                )
        name = name_of(k, p, s, d)
        comment = (
            "saturating=true is SatFinite, false is SatNone; unsigned: non-negative inputs only"
        )
        write(
            f"p3109/encode_{name}.json",
            {
                "header": header("gfloat", "0.5.2", SOURCE, comment),
                "format": name,
                "inputs": words(inputs),
                "cases": cases,
            },
        )


tables()
encodes()

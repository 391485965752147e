"""bdr: shared-microexponent and MSFP blocks, an exact rational transcription of their rule."""

from common import *

SOURCE = (
    "Rouhani et al., With Shared Microexponents (ISCA 2023), arXiv 2302.08007; AMD Quark MX9/MX6"
)

# name, m, k1, k2, d1, d2; d2 = 0 has no sub-scale, then k2 = k1.
FORMATS = [
    ("mx9", 7, 16, 2, 8, 1),
    ("mx6", 4, 16, 2, 8, 1),
    ("mx4", 2, 16, 2, 8, 1),
    ("msfp16", 7, 16, 16, 8, 0),
    ("msfp15", 6, 16, 16, 8, 0),
    ("msfp14", 5, 16, 16, 8, 0),
    ("msfp13", 4, 16, 16, 8, 0),
    ("msfp12", 3, 16, 16, 8, 0),
    ("m5k32k4d2", 5, 32, 4, 8, 2),
    ("m3k8k1d3", 3, 8, 1, 8, 3),
    ("m7k64k8d1", 7, 64, 8, 8, 1),
]
GOLDEN = [1.0, -0.7, 0.4, 0.33, -1.99, 0.05, 0.99, -0.999, 0.25, 0.125, 1.5, -1.75, 0, 0, 3.9, -2.1]
GOLDEN_CODES = {
    ("mx9", "nearestEven"): "64,-45,26,21,-127,3,63,-64,16,8,96,-112,0,0,125,-67",
    ("mx9", "truncate"): "64,-44,25,21,-127,3,63,-63,16,8,96,-112,0,0,124,-67",
    ("mx6", "nearestEven"): "8,-6,3,3,-15,0,8,-8,2,1,12,-14,0,0,15,-8",
    ("mx4", "nearestEven"): "2,-1,1,1,-3,0,2,-2,0,0,3,-3,0,0,3,-2",
}


def magnitude(q, rounding):
    i = q.numerator // q.denominator
    r = q - i
    if rounding == "nearestEven" and (r > Fraction(1, 2) or (r == Fraction(1, 2) and i % 2)):
        i += 1
    return i


def encode(patterns, fmt, rounding):
    _, m, k1, k2, _, d2 = fmt
    assert len(patterns) == k1
    x = [exact(p) for p in patterns]
    beta = 2**d2 - 1
    nonzero = [floor_log2(abs(v)) for v in x if v]
    exponent = min(max(max(nonzero), -127), 127) if nonzero else -127
    taus, magnitudes, decoded = [], [], []
    for start in range(0, k1, k2):
        sub = x[start : start + k2]
        exponents = [floor_log2(abs(v)) for v in sub if v]
        tau = min(exponent - max(exponents), beta) if exponents else beta
        tau = max(tau, 0)
        step = Fraction(2) ** (exponent - tau - (m - 1))
        taus.append(tau)
        for v, p in zip(sub, patterns[start : start + k2]):
            code = min(magnitude(abs(v) / step, rounding), 2**m - 1)
            magnitudes.append(code)
            value = code * step
            assert Fraction(float(np.float32(float(value)))) == value
            decoded.append(exact_bits(float(value)) | (p & SIGN))
    return {
        "exponentByte": exponent + 127,
        "subScales": taus,
        "signs": [p >> 31 for p in patterns],
        "magnitudes": magnitudes,
        "decoded": words(decoded),
    }


def inputs(fmt):
    name, m, k1, k2, _, d2 = fmt
    rng = seeded(f"bdr {name}")
    if k1 == 16:
        yield "golden block", [bits(v) for v in GOLDEN]
    for i in range(12):
        yield f"normal data {i}", [bits(rng.gauss(0, 1)) for _ in range(k1)]
    for i in range(6):
        spread = [rng.gauss(0, 1) * 2.0 ** rng.randint(-12, 0) for _ in range(k1)]
        yield f"wide spread {i}", [bits(v) for v in spread]
    zeros = [0.0 if (j // max(k2, 2)) % 2 else rng.gauss(0, 1) for j in range(k1)]
    yield "zero sub-blocks", [bits(v) for v in zeros]
    yield "zero block", [0] * k1
    yield "negative zeros", [SIGN if j % 2 else bits(rng.gauss(0, 1)) for j in range(k1)]
    near_two = [0x3FFFFFFF | (SIGN if j % 3 == 0 else 0) for j in range(k1)]
    yield "saturating just below 2", near_two
    yield "saturating in every binade", [0x3FFFFFFF - ((j % 4) << 23) for j in range(k1)]
    step = 2.0 ** (1 - m)
    ties = [1.5] + [(rng.randrange(2**m) + 0.5) * step for _ in range(k1 - 1)]
    yield "ties of the unshifted sub-block", [bits(v) for v in ties]
    half = [1.5] + [(rng.randrange(2 ** (m - 1)) + 0.5) * step / 2 for _ in range(k1 - 1)]
    yield "ties of a shifted sub-block", [bits(v) for v in half]
    yield "subnormal data", [rng.randrange(1 << 23) | (SIGN if j % 2 else 0) for j in range(k1)]
    yield "subnormals beside a normal", [0x01000000] + [
        rng.randrange(1 << 23) for _ in range(k1 - 1)
    ]
    yield "smallest subnormals", [1, SIGN | 1] * (k1 // 2)
    yield "largest finite", [FLT_MAX if j % 2 else SIGN | FLT_MAX for j in range(k1)]
    yield "powers of two", [bits(2.0**-j) for j in range(k1)]


def table(fmt):
    name, m, k1, k2, d1, d2 = fmt
    cases = []
    for label, patterns in inputs(fmt):
        for rounding in ("nearestEven", "truncate"):
            got = encode(patterns, fmt, rounding)
            signed = [-v if s else v for v, s in zip(got["magnitudes"], got["signs"])]
            if label == "golden block" and (name, rounding) in GOLDEN_CODES:
                assert signed == [int(v) for v in GOLDEN_CODES[name, rounding].split(",")]
                assert got["exponentByte"] == 128 and got["subScales"] == [1] * 7 + [0]
            cases.append({"name": label, "rounding": rounding, "input": words(patterns)} | got)
    comment = (
        "exponentByte = E + 127 with E = floor(log2 amax) of the exact value clamped to [-127, 127], -127 "
        "for a zero block; subScales one per sub-block of subBlockSize (2^d2 - 1 for a zero sub-block, "
        "all 0 when subScaleBits is 0); magnitude saturates at 2^m - 1; the sign of the input is kept "
        "even when the magnitude is 0, so such a value decodes to -0; no flushing of subnormals"
    )
    write(
        f"bdr/{name}.json",
        {
            "header": header(
                "exact rational transcription of the published rule", "1", SOURCE, comment
            ),
            "format": name,
            "mantissaBits": m,
            "blockSize": k1,
            "subBlockSize": k2,
            "scaleBits": d1,
            "subScaleBits": d2,
            "cases": cases,
        },
    )


for fmt in FORMATS:
    table(fmt)

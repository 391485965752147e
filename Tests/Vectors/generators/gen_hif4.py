"""hif4: HiFloat4, three levels of scale: the published steps, which are exact in float64."""

from fields import *

BLOCK = 64
FIELDS = [
    Field("scale", 8, "e6m2", 0),
    Field("exponents8", 1, "uint", 8),
    Field("exponents4", 1, "uint", 4),
    Field("codes", 4, "sign-magnitude quarters", 1),
]
NAN_SCALE = 0xFF
SEVENTH = float(from_bits(0x3E120000))  # 1/7 in BF16
RECIPROCALS = [0x3F80, 0x3F4D, 0x3F2B, 0x3F12]  # 1, 4/5, 2/3 and 4/7 in BF16


def scale_value(code):
    return np.nan if code == NAN_SCALE else float(np.ldexp(1 + (code & 3) / 4, (code >> 2) - 48))


def rounded_to(x, fraction_bits):
    """A positive number with as many fraction bits, nearest even, no limit of exponent."""
    m, e = np.frexp(x)
    return float(np.ldexp(np.rint(np.ldexp(m, fraction_bits + 1)), e - fraction_bits - 1))


def scale_code(amax):
    if np.isnan(amax):
        return NAN_SCALE
    s = amax * SEVENTH  # 32 significant bits at most
    if 0 < s < np.inf:
        s = rounded_to(s, 7)
    s = rounded_to(min(max(s, 2.0**-48), 49152.0), 2)
    m, e = np.frexp(s)
    code = ((int(e) - 1 + 48) << 2) | (int(m * 8) - 4)
    assert scale_value(code) == s
    return code


def reciprocal(code):
    if code == NAN_SCALE:
        return np.nan
    value = float(from_bits(RECIPROCALS[code & 3] << 16)) * 2.0 ** (48 - (code >> 2))
    assert value == rounded_to(1 / scale_value(code), 7)
    return value


def encoded(x):
    a = np.abs(x.astype(np.float64))
    greatest4 = a.reshape(16, 4).max(1)
    greatest8 = greatest4.reshape(8, 2).max(1)
    code = scale_code(greatest8.max())
    r = reciprocal(code)
    exponents8 = (greatest8 * r >= 4).astype(int)
    halved = np.repeat(exponents8, 2)
    exponents4 = (greatest4 * r / 2.0**halved >= 2).astype(int)
    exponents = np.repeat(halved + exponents4, 4)
    magnitudes = np.floor(a * r / 2.0**exponents * 4 + 0.5)
    magnitudes = np.where(np.isnan(magnitudes), 0, np.minimum(magnitudes, 7)).astype(int)
    return code, exponents8, exponents4, magnitudes | (np.signbit(x) << 3)


def decoded(code, exponents8, exponents4, codes):
    exponents = np.repeat(exponents8, 8) + np.repeat(exponents4, 4)
    magnitudes = (codes & 7) / 4 * 2.0**exponents * scale_value(code)
    y = np.where(codes & 8, -magnitudes, magnitudes)
    assert np.array_equal(y.astype(F).astype(np.float64), y, equal_nan=True)
    return y.astype(F)


def hif4_case(label, x=None, blocks=None):
    if x is not None:
        x = np.ascontiguousarray(x, F).ravel()
        blocks = [encoded(b) for b in x.reshape(-1, BLOCK)]
    columns = [np.concatenate([np.ravel(n) for n in numbers]) for numbers in zip(*blocks)]
    values = {f.name: column for f, column in zip(FIELDS, columns)}
    scales = [
        np.concatenate([[code], low_first(e8, 1), low_first(e4, 1)]) for code, e8, e4, _ in blocks
    ]
    packed = {"scales": np.array(scales, np.uint8), "elements": low_first(values["codes"], 4)}
    y = np.concatenate([decoded(*b) for b in blocks])
    return case(label, 1, x, FIELDS, values, packed, y)


def with_greatest(v, rest):
    """A block whose greatest magnitude is v; the others are given and repeat."""
    return np.append(np.resize(np.array(rest, F), BLOCK - 1), F(v))


def rounding_up(m):
    """Numbers just below a halfway point whose FP32 product with the reciprocal is that point."""
    r = float(from_bits(RECIPROCALS[m] << 16))
    found = []
    for point in (0.125, 0.375, 0.625, 0.875, 1.125, 1.375, 1.625):
        near = F(point / r)
        for v in (near, np.nextafter(near, F(0))):
            if float(v) * r < point and F(v * F(r)) == F(point):
                found.append(v)
    assert found
    return np.array(found + [-v for v in found], F)


def inputs(rng):
    yield "normal data", normal_array(rng, 4 * BLOCK)
    yield "powers of two", scaled_groups(rng, BLOCK, (-40, -20, 8, 16))
    spread = [2.0 ** -rng.randint(0, 8) for _ in range(2 * BLOCK)]
    yield "wide block", normal_array(rng, 2 * BLOCK) * np.array(spread, F)
    small = np.repeat([2.0 ** -rng.randint(0, 4) for _ in range(16)], 4)
    yield "groups of four of unlike magnitude", normal_array(rng, BLOCK) * small.astype(F)
    for m, top in enumerate((7, 8.75, 10.5, 12.25)):
        halves_ = np.arange(0.125, 8, 0.25) * (1 + m / 4)
        yield f"halfway at scale 1 + {m}/4", with_greatest(top, np.append(halves_, -halves_))
    bounds = np.repeat([4, np.nextafter(F(4), F(0)), 2, np.nextafter(F(2), F(0))], 4)
    yield "thresholds of both exponents", with_greatest(7, np.append(bounds, -bounds))
    halfway = np.array([0.125, 0.375, 0.625, 1.125, 1.625], F)
    ulps = [(halfway.view(np.int32) + step).view(F) for step in (-1, 0, 1)]
    yield "one ulp from halfway", with_greatest(7, np.concatenate(ulps))
    for m, top in ((1, 8.75), (3, 12.25)):
        yield f"products that FP32 rounds up, scale 1 + {m}/4", with_greatest(top, rounding_up(m))
    for code in (0x3F90, 0x3FB0, 0x3FD0, 0x3FF0):  # between neighbours of the scale
        middle = float(from_bits(code << 16))
        yield f"scale halfway, {middle}", with_greatest(middle / SEVENTH, (1, -0.3, 2.7))
    yield "zeros", np.array([0.0, -0.0] * 32)
    yield "zeros and one value", with_greatest(-3, (0.0, -0.0))
    yield "one positive value", np.full(BLOCK, 0.3)
    yield "one negative value", np.full(BLOCK, -0.3)
    yield "negative that round to zero", with_greatest(7, (-0.1, -0.01, -1e-30))
    yield "least scale", np.linspace(-1, 1, BLOCK) * 7 * 2.0**-48
    yield "below the least scale", np.linspace(-1, 1, BLOCK) * 2.0**-49
    yield "subnormal", array_from([rng.randrange(1 << 23) for _ in range(BLOCK)])
    yield "largest scale", np.linspace(-1, 1, BLOCK) * 7 * 49152
    yield "beyond the largest scale", with_greatest(1e38, (3e5, -5e5, 1e5, 17.0, -1e9))


def outside(rng):
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, BLOCK)
        x[5] = value
        yield hif4_case(label, x)


def decode_only(rng):
    bits_ = lambda count: np.array([rng.randrange(2) for _ in range(count)])
    codes = lambda: np.array([rng.randrange(16) for _ in range(BLOCK)])
    for code in (0, 1, 0xC0, 0xC3, 0x9A, 0xFE):
        yield hif4_case(f"scale {code:02x}", blocks=[(code, bits_(8), bits_(16), codes())])


rng = seeded("hif4")
comment = (
    "s = amax * bf16(1/7), rounded to BF16, clamped to 2^-48 ... 49152, rounded to E6M2 (6 "
    "exponent bits of bias 48, 2 fraction bits, FF NaN; nearest even both times); r = bf16(1 / "
    "scale); exponents8 = greatest of 8 * r >= 4; exponents4 = greatest of 4 * r / 2^exponents8 "
    ">= 2; magnitude = floor(|x| * r / 2^(both) * 4 + 1/2), at most 7; products exact; the sign "
    "of the input stays, of -0 too (the published NumPy code drops that); decoded = magnitude / 4 "
    "* 2^(both) * scale, exact. scales: a little-endian word a block, scale in bits 0-7, "
    "exponents8 8-15, exponents4 16-31, first lowest (PTO-CUBE-HIF4-SCALE-001); elements: bit 3 "
    "the sign, first element in the low nibble, as no file of a producer is known. outside: a NaN "
    "makes the scale NaN; an infinity saturates, as the published PyTorch code does"
)
write_fields(
    "hif4/exact.json",
    "float64 transcription of the published steps",
    "1",
    "HiFloat4 (arXiv 2602.11287), To_HiFX(N=4) of HiF4_NVFP4_v14f16.py; the scale word of PTO",
    comment,
    "hif4",
    {"shape": "row", "length": BLOCK},
    FIELDS,
    cases=[hif4_case(label, x) for label, x in inputs(rng)],
    decodeOnly=list(decode_only(rng)),
    outside=list(outside(rng)),
)

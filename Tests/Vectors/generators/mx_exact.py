"""MX blocks in exact rational arithmetic, the test blocks, and gfloat as a further opinion.

The encoder shares nothing with torchao: rationals for the scale rule, bisection over the element
value table for the rounding.
"""

from common import *
from gfloat import compute_scale_amax, quantize_block
from gfloat import formats as gf

K = 32
# Mantissa bits and exponent of the largest value.
ELEMENTS = {"e4m3fn": (3, 8), "e5m2": (2, 15), "e2m3fn": (3, 2), "e3m2fn": (2, 4), "e2m1fn": (1, 2)}
RULES = ["floor", "ceil", "even", "rceil"]
GRIDS = {name: Grid(name) for name in ELEMENTS}


# Exact encoder ------------------------------------------------------------------------------


def scale_exponent(rule, name, amax_bits):
    """The unclamped exponent of the block scale for a finite nonzero amax."""
    mbits, emax = ELEMENTS[name]
    amax = exact(amax_bits)
    if rule == "rceil":
        # cuBLAS text: one float32 division, then up to the next power of two.
        s = exact(round_f32(amax / GRIDS[name].max)) if amax else Fraction(0)
        if s == 0:
            return -127
        e = floor_log2(s)
        return e if Fraction(2) ** e == s else e + 1
    # The published rules work on the exponent field, so a subnormal amax counts as 2^-127.
    field = (amax_bits >> 23) & 0xFF
    if rule == "ceil":
        field += (amax_bits & 0x7FFFFF) != 0
    if rule == "even":
        field = ((amax_bits + (1 << (22 - mbits))) >> 23) & 0xFF
    return field - 127 - emax


def exact_block(rule, name, patterns):
    """(scale byte, codes, decoded bits); codes are None for a NaN block."""
    if not all(is_finite(p) for p in patterns):
        return 255, None, [NAN] * K
    amax = max(p & 0x7FFFFFFF for p in patterns)
    e = min(max(scale_exponent(rule, name, amax), -127), 127)
    scale = Fraction(2) ** e
    grid = GRIDS[name]
    codes = [grid.nearest_even(abs(exact(p)) / scale, bool(p & SIGN)) for p in patterns]
    decoded = [round_f32(grid.value(c) * scale) or (SIGN if c & grid.sign else 0) for c in codes]
    return e + 127, codes, decoded


# gfloat, FLOOR rule only ----------------------------------------------------------------------

GFLOAT = {
    "e4m3fn": gf.format_info_mxfp8_e4m3,
    "e5m2": gf.format_info_mxfp8_e5m2,
    "e2m3fn": gf.format_info_mxfp6_e2m3,
    "e3m2fn": gf.format_info_mxfp6_e3m2,
    "e2m1fn": gf.format_info_mxfp4_e2m1,
    "int8": gf.format_info_mxint8,
}


def gfloat_decoded(name, patterns):
    """gfloat's quantize_block on float64 inputs; a zero's sign follows the input as above."""
    x = array_from(patterns).astype(np.float64)
    return [float(v) for v in quantize_block(GFLOAT[name], x, compute_scale_amax)]


def check_gfloat(name, patterns, decoded):
    want = [float(from_bits(p)) for p in decoded]
    got = gfloat_decoded(name, patterns)
    if name == "int8":
        # gfloat encodes -2; the symmetric rule stops at -127/64.
        lowest = min(got)
        got = [
            v * 127 / 128 if v == lowest and w == v * 127 / 128 else v for v, w in zip(got, want)
        ]
    assert got == want, (name, got, want)


# Blocks -------------------------------------------------------------------------------------


def normal(rng, sigma):
    return [bits(rng.gauss(0, sigma)) for _ in range(K)]


def with_amax(rng, amax_bits, negative=False):
    """A block of smaller normals whose largest magnitude is the given pattern."""
    top = float(from_bits(amax_bits))
    out = [bits(rng.uniform(-0.9, 0.9) * top) for _ in range(K)]
    out[rng.randrange(K)] = amax_bits | (SIGN if negative else 0)
    return out


def blocks(name):
    rng = seeded(f"mx {name}")
    grid = GRIDS[name]
    top = float(grid.max)
    for exponent in (0, -8, 8, -40, 40, -100, 100):
        yield f"normal data, sigma 2^{exponent}", normal(rng, 2.0**exponent)
    yield "mixed magnitudes", [
        bits(rng.gauss(0, 1) * 2.0 ** rng.randint(-20, 20)) for _ in range(K)
    ]
    yield "zero block", [0] * K
    yield "zero block with negative zeros", [SIGN if i % 3 == 0 else 0 for i in range(K)]
    yield "single nonzero", [0] * 17 + [0xC0400000] + [0] * 14
    one = 0x3F800000
    yield "amax one ulp below 1", with_amax(rng, one - 1)
    yield "amax 1", with_amax(rng, one)
    yield "amax one ulp above 1", with_amax(rng, one + 1, negative=True)
    yield "amax equals the element maximum", with_amax(rng, bits(top))
    yield "amax one ulp below the element maximum", with_amax(rng, bits(top) - 1)
    yield "amax one ulp above the element maximum", with_amax(rng, bits(top) + 1, negative=True)
    mbits, emax = ELEMENTS[name]
    half = 2.0**emax * (2 - 2.0 ** -(mbits + 1))
    yield "amax at the EVEN threshold", with_amax(rng, bits(half))
    yield "amax one ulp below the EVEN threshold", with_amax(rng, bits(half) - 1)
    ties = [(a + b) / 2 for a, b in zip(grid.values, grid.values[1:])]
    ties = [float(t) for t in (ties if len(ties) < K else rng.sample(ties, K - 1))]
    row = [bits(t if i % 2 else -t) for i, t in enumerate(ties)]
    yield "ties between element values", (row + [bits(2.0**emax)] + [SIGN] * K)[:K]
    tiny = [0x3F800000] + [bits(s * 2.0**e) for e in range(-30, -14) for s in (1, -1)]
    yield "one beside tiny values of both signs", tiny[:K]
    yield "largest finite", with_amax(rng, FLT_MAX)
    yield "every value the largest finite", [FLT_MAX | (SIGN if i % 2 else 0) for i in range(K)]
    low = 2.0**-126
    yield "amax 2^-126", with_amax(rng, bits(low))
    yield "amax 2^-118", with_amax(rng, bits(2.0**-118))
    yield "subnormal float32 data", [
        rng.randrange(1 << 23) | (SIGN if i % 2 else 0) for i in range(K)
    ]
    yield "smallest subnormal", [1, SIGN | 1] * (K // 2)
    yield "one NaN", normal(rng, 1)[:-1] + [NAN]
    yield "one infinity", normal(rng, 1)[:-1] + [INF]
    yield "negative infinity", [SIGN | INF] + normal(rng, 1)[1:]


def record(name, patterns, scale, codes, decoded):
    out = {"name": name, "input": words(patterns), "scale": scale}
    if codes is not None:
        out["codes"] = codes
    out["decoded"] = words(decoded)
    return out

"""mx: MX blocks from torchao's to_mx, checked against exact rational arithmetic, and golden cases.

torchao 0.18 runs on the CPU through PyTorch. The exact encoder below shares nothing with it:
rationals for the scale rule, bisection over the element value table for the rounding. A block on
which both agree goes to `blocks`; where they differ both answers go to `differences`, so that no
expected value of `blocks` rests on one tool alone.
"""

import logging
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch
import torchao
from gfloat import compute_scale_amax, quantize_block
from gfloat import formats as gf
from torchao.prototype.mx_formats.config import ScaleCalculationMode
from torchao.prototype.mx_formats.kernels import unpack_uint4
from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx

from common import *

K = 32
ELEMENTS = {
    "e4m3fn": (torch.float8_e4m3fn, 3, 8),
    "e5m2": (torch.float8_e5m2, 2, 15),
    "e2m3fn": ("fp6_e2m3", 3, 2),
    "e3m2fn": ("fp6_e3m2", 2, 4),
    "e2m1fn": (torch.float4_e2m1fn_x2, 1, 2),
}
RULES = ["floor", "ceil", "even", "rceil"]
GRIDS = {name: Grid(name) for name in ELEMENTS}


# Exact encoder ------------------------------------------------------------------------------


def scale_exponent(rule, name, amax_bits):
    """The unclamped exponent of the block scale for a finite nonzero amax."""
    _, mbits, emax = ELEMENTS[name]
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


# torchao ------------------------------------------------------------------------------------


def torchao_block(rule, name, patterns, bfloat16=False):
    dtype = ELEMENTS[name][0]
    x = torch.from_numpy(array_from(patterns).copy()).reshape(1, K)
    x = x.to(torch.bfloat16) if bfloat16 else x
    scale, data = to_mx(x, dtype, K, ScaleCalculationMode(rule))
    decoded = to_dtype(data, scale, dtype, K, torch.float32)
    codes = unpack_uint4(data) if name == "e2m1fn" else data.view(torch.uint8)
    return (
        int(scale.view(torch.uint8).reshape(-1)[0]),
        [int(c) for c in codes.reshape(-1)],
        array_bits(decoded.reshape(-1).numpy()),
    )


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
        got = [v * 127 / 128 if v == lowest and w == v * 127 / 128 else v for v, w in zip(got, want)]
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
    yield "mixed magnitudes", [bits(rng.gauss(0, 1) * 2.0 ** rng.randint(-20, 20)) for _ in range(K)]
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
    half = 2.0 ** (ELEMENTS[name][2]) * (2 - 2.0 ** -(ELEMENTS[name][1] + 1))
    yield "amax at the EVEN threshold", with_amax(rng, bits(half))
    yield "amax one ulp below the EVEN threshold", with_amax(rng, bits(half) - 1)
    ties = [(a + b) / 2 for a, b in zip(grid.values, grid.values[1:])]
    ties = [float(t) for t in (ties if len(ties) < K else rng.sample(ties, K - 1))]
    row = [bits(t if i % 2 else -t) for i, t in enumerate(ties)]
    yield "ties between element values", (row + [bits(2.0 ** ELEMENTS[name][2])] + [SIGN] * K)[:K]
    tiny = [0x3F800000 >> 0] + [bits(s * 2.0**e) for e in range(-30, -14) for s in (1, -1)]
    yield "one beside tiny values of both signs", tiny[:K]
    yield "largest finite", with_amax(rng, FLT_MAX)
    yield "every value the largest finite", [FLT_MAX | (SIGN if i % 2 else 0) for i in range(K)]
    low = 2.0**-126
    yield "amax 2^-126", with_amax(rng, bits(low))
    yield "amax 2^-118", with_amax(rng, bits(2.0**-118))
    yield "subnormal float32 data", [rng.randrange(1 << 23) | (SIGN if i % 2 else 0) for i in range(K)]
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


def torchao_tables():
    differing = {}
    for name in ELEMENTS:
        for rule in RULES:
            same, different = [], []
            for label, patterns in blocks(name):
                want = exact_block(rule, name, patterns)
                got = torchao_block(rule, name, patterns)
                nan_block = want[1] is None
                if rule == "floor" and not nan_block:
                    check_gfloat(name, patterns, want[2])
                agree = got[0] == want[0] and got[2] == want[2] and (nan_block or got[1] == want[1])
                if agree:
                    same.append(record(label, patterns, *got))
                    continue
                if not is_finite(max(p & 0x7FFFFFFF for p in patterns)):
                    differing.setdefault(label, []).append(f"{name}/{rule}: byte {got[0]}")
                else:
                    differing.setdefault(label, []).append(
                        f"{name}/{rule}: byte {got[0]} for {want[0]}, "
                        f"{sum(a != b for a, b in zip(got[1], want[1]))} codes"
                    )
                different.append(
                    {
                        "tool": record(label, patterns, *got),
                        "exact": record(label, patterns, *want),
                    }
                )
            comment = (
                "blocks: torchao and the exact encoder agree; a NaN or infinite input makes scale 255 "
                "and the codes of such a block carry no meaning; differences: both answers, the exact "
                "one follows the published rule (for FLOOR gfloat 0.5.2 confirms it on every finite block). torchao packs FP4 with element 2i in the low nibble "
                "of byte i and stores FP6 one per byte; codes here are unpacked."
            )
            write(
                f"mx/torchao_{name}_{rule}.json",
                {
                    "header": header(
                        "torchao (PyTorch " + torch.__version__.split("+")[0] + ", CPU)",
                        "0.18.0",
                        "OCP MX v1.0 section 6.3; torchao ScaleCalculationMode",
                        comment,
                    ),
                    "element": name,
                    "rule": rule,
                    "blockSize": K,
                    "blocks": same,
                    "differences": different,
                },
            )
    for label, items in differing.items():
        print(label)
        for item in items:
            print("   ", item)


# MXINT8, which torchao does not have ----------------------------------------------------------


def int8_block(rule, patterns):
    if not all(is_finite(p) for p in patterns):
        return 255, None, [NAN] * K
    amax = max(p & 0x7FFFFFFF for p in patterns)
    field = (amax >> 23) & 0xFF
    if rule == "rceil":
        s = exact(round_f32(exact(amax) / Fraction(127, 64)))
        e = -127 if s == 0 else floor_log2(s) + (Fraction(2) ** floor_log2(s) != s)
    else:
        e = field - 127 + (1 if rule == "ceil" and amax & 0x7FFFFF else 0)
    e = min(max(e, -127), 127)
    codes, decoded = [], []
    for p in patterns:
        q = abs(exact(p)) * 64 / Fraction(2) ** e
        i = q.numerator // q.denominator
        r = q - i
        i += r > Fraction(1, 2) or (r == Fraction(1, 2) and i % 2 == 1)
        i = min(i, 127) * (-1 if p & SIGN else 1)
        codes.append(i & 0xFF)
        decoded.append(exact_bits(float(Fraction(i, 64) * Fraction(2) ** e)))
    return e + 127, codes, decoded


def int8_blocks():
    rng = seeded("mx int8")
    for exponent in (0, -8, 8, -60, 60, -100, 100):
        yield f"normal data, sigma 2^{exponent}", normal(rng, 2.0**exponent)
    yield "zero block with negative zeros", [SIGN if i % 3 == 0 else 0 for i in range(K)]
    for label, v in [("1", 1.0), ("127/64", 127 / 64), ("1.9921875, a tie above the maximum", 1.9921875)]:
        for offset in (-1, 0, 1):
            for negative in (False, True):
                name = f"amax {label}, {offset} ulp{', negative' if negative else ''}"
                yield name, with_amax(rng, bits(v) + offset, negative)
    yield "ties", [bits((i - 16 + 0.5) / 64 * 3) for i in range(K - 1)] + [bits(1.5)]
    yield "largest finite", with_amax(rng, FLT_MAX)
    yield "subnormal float32 data", [rng.randrange(1 << 23) | (SIGN if i % 2 else 0) for i in range(K)]
    yield "one NaN", normal(rng, 1)[:-1] + [NAN]
    yield "one infinity", normal(rng, 1)[:-1] + [INF]


def int8_tables():
    for rule in ("floor", "ceil", "rceil"):
        out = []
        for label, patterns in int8_blocks():
            got = int8_block(rule, patterns)
            if rule == "floor" and got[1] is not None:
                check_gfloat("int8", patterns, got[2])
            out.append(record(label, patterns, *got))
        comment = (
            "two's complement, value = code / 64, clamped to +-127 so that 128 (-2) is never produced; "
            "RCEIL divides amax by 127/64; the floor file agrees with gfloat 0.5.2 except that gfloat "
            "encodes -2; codes are absent for a NaN block"
        )
        write(
            f"mx/exact_int8_{rule}.json",
            {
                "header": header("exact rational transcription", "1", "OCP MX v1.0 section 6.3, INT8 element", comment),
                "element": "int8",
                "rule": rule,
                "blockSize": K,
                "blocks": out,
            },
        )


# Golden cases -------------------------------------------------------------------------------

RCEIL_NORMAL = """
1037408064 1058534842 1053630662 1063310394 994704128 1057245441 1060663708 1058053571
1052395648 1064831570 1038427336 1064777688 1059248393 1060959028 1062878286 1057799482
1057854101 1053562724 1027482352 1060498324 1063238522 1060472055 1054346794 1029092912
1056687298 1059146141 1037992128 1064097772 1056522806 1059255744 1064364912 1060606252
"""
RCEIL_NORMAL_CODES = """
93 113 109 118 53 112 116 113 108 120 94 119 114 116 118 113
113 109 84 115 118 115 110 85 112 114 94 119 112 114 119 115
"""
# bfloat16 bit patterns of subnormals, so float32 patterns once shifted.
RCEIL_SUBNORMAL = """
101 3 47 54 36 19 70 79 35 95 28 120 84 94 20 92
18 42 98 58 3 26 64 86 60 86 52 23 61 70 59 74
"""
RCEIL_SUBNORMAL_CODES = """
61 20 52 54 49 42 57 58 49 60 46 63 58 60 42 60
41 50 60 54 20 45 56 59 55 59 53 44 55 57 55 57
"""


GOLDEN_SOURCE = "pytorch/ao: torchao/testing MXFP8 utilities and test_mx_tensor.py test_to_mx_rceil"


def golden():
    one, tiny = 0x3F800000, 0x31000000
    filled = [
        # label, pattern, (FLOOR byte, code), (RCEIL byte, code)
        ("zero", 0, (0, 0), (0, 0)),
        ("2^-126", 0x00800000, (0, 0x40), (0, 0x40)),
        ("NaN", NAN, (255, None), (255, None)),
        ("infinity", INF, (255, None), (255, None)),
        ("448", bits(448), (127, 0x7E), (127, 0x7E)),
        ("-448", bits(-448), (127, 0xFE), (127, 0xFE)),
        ("largest finite", FLT_MAX, (246, 0x7E), (247, 0x78)),
        ("largest bfloat16", 0x7F7F0000, (246, 0x7E), (247, 0x78)),
        ("smallest subnormal", 1, (0, 0), (0, 0)),
        ("smallest bfloat16 subnormal", 0x00010000, (0, 0x08), (0, 0x08)),
        ("3.5 and one ulp", 0x40600001, (120, 0x7E), (121, 0x76)),
        ("one ulp below 512", 0x43FFFFFF, (127, 0x7E), (128, 0x78)),
        ("512", 0x44000000, (128, 0x78), (128, 0x78)),
        ("480", bits(480), (127, 0x7E), (128, 0x77)),
    ]
    cases = []
    for label, pattern, floor, rceil in filled:
        for rule, (scale, code) in (("floor", floor), ("rceil", rceil)):
            codes = None if code is None else [code] * K
            cases.append((rule, f"all {label}", [pattern] * K, scale, codes))
    mixed = [one] + [tiny, SIGN | tiny] * 15 + [tiny]
    codes = [0x78] + [0x00, 0x80] * 15 + [0x00]
    for rule in ("floor", "rceil"):
        cases.append((rule, "1 beside tiny values of both signs", mixed, 119, codes))
    table = [int(v) for v in RCEIL_NORMAL.split()]
    cases.append(("rceil", "normal data", table, 119, [int(v) for v in RCEIL_NORMAL_CODES.split()]))
    table = [int(v) << 16 for v in RCEIL_SUBNORMAL.split()]
    codes = [int(v) for v in RCEIL_SUBNORMAL_CODES.split()]
    cases.append(("rceil", "subnormal data", table, 0, codes))
    out = []
    for rule, label, patterns, scale, codes in cases:
        want = exact_block(rule, "e4m3fn", patterns)
        assert want[0] == scale and want[1] == codes, (rule, label, want, scale, codes)
        entry = record(label, patterns, scale, codes, want[2])
        out.append({"rule": rule} | entry)
    comment = (
        "values asserted by torchao's own tests (main branch, August 2026), confirmed by the exact "
        "encoder of gen_mx.py; codes are absent where the block is NaN"
    )
    write(
        "mx/golden_torchao_tests.json",
        {
            "header": header("torchao tests", "2026-08-21", GOLDEN_SOURCE, comment),
            "element": "e4m3fn",
            "blockSize": K,
            "blocks": out,
        },
    )


def worked_example():
    """The eight-value demonstration block, as a block of 8."""
    x = [1, -2, 3, 3.5, 5, 6.5, 7, 7.9]
    want = {
        ("e4m3fn", "floor"): (121, "68 F0 74 76 7A 7D 7E 7E"),
        ("e4m3fn", "rceil"): (122, "60 E8 6C 6E 72 75 76 78"),
        ("e5m2", "floor"): (114, "70 F4 76 77 79 7A 7B 7B"),
        ("e5m2", "rceil"): (115, "6C F0 72 73 75 76 77 78"),
        ("e2m3fn", "floor"): (127, "08 30 14 16 1A 1D 1E 1F"),
        ("e2m3fn", "rceil"): (128, "04 28 0C 0E 12 15 16 18"),
        ("e3m2fn", "floor"): (125, "14 38 1A 1B 1D 1E 1F 1F"),
        ("e3m2fn", "rceil"): (126, "10 34 16 17 19 1A 1B 1C"),
        ("e2m1fn", "floor"): (127, "2 C 5 6 6 7 7 7"),
        ("e2m1fn", "rceil"): (128, "1 A 3 4 4 5 6 6"),
    }
    patterns = [bits(v) for v in x]
    out = []
    for (name, rule), (scale, codes) in want.items():
        codes = [int(c, 16) for c in codes.split()]
        for same in [rule] if rule == "floor" else ["ceil", "even", "rceil"]:
            got = exact_block(same, name, patterns)
            assert got[:2] == (scale, codes), (name, same, got, scale, codes)
            out.append(
                {"element": name, "rule": same}
                | record("worked example", patterns, scale, codes, got[2])
            )
    comment = "x = 1 -2 3 3.5 5 6.5 7 7.9 as one block of 8; codes computed twice, independently"
    write(
        "mx/golden_worked_example.json",
        {
            "header": header("exact rational transcription", "1", "OCP MX v1.0 section 6.3; torchao ScaleCalculationMode", comment),
            "blockSize": 8,
            "blocks": out,
        },
    )


torchao_tables()
int8_tables()
golden()
worked_example()

"""mx/exact_int8_* and mx/golden_*: MX blocks that need no torchao."""

from mx_exact import *

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
    for label, v in [
        ("1", 1.0),
        ("127/64", 127 / 64),
        ("1.9921875, a tie above the maximum", 1.9921875),
    ]:
        for offset in (-1, 0, 1):
            for negative in (False, True):
                name = f"amax {label}, {offset} ulp{', negative' if negative else ''}"
                yield name, with_amax(rng, bits(v) + offset, negative)
    yield "ties", [bits((i - 16 + 0.5) / 64 * 3) for i in range(K - 1)] + [bits(1.5)]
    yield "largest finite", with_amax(rng, FLT_MAX)
    yield "subnormal float32 data", [
        rng.randrange(1 << 23) | (SIGN if i % 2 else 0) for i in range(K)
    ]
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
                "header": header(
                    "exact rational transcription",
                    "1",
                    "OCP MX v1.0 section 6.3, INT8 element",
                    comment,
                ),
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
        "encoder of mx_exact.py; codes are absent where the block is NaN"
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
            "header": header(
                "exact rational transcription",
                "1",
                "OCP MX v1.0 section 6.3; torchao ScaleCalculationMode",
                comment,
            ),
            "blockSize": 8,
            "blocks": out,
        },
    )


int8_tables()
golden()
worked_example()

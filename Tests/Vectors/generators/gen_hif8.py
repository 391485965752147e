"""elements/decode/hif8.json and elements/encode/hif8.json: HiFloat8 as en-dtypes has it.

With a second argument `sweep`, every float32 number is rounded by the tool and by the exact rule, and
the count of differences is printed.
"""

import en_dtypes

from common import *

TOOL = en_dtypes.hifloat8
FORMAT = "hif8"


def decoded(codes):
    return np.array(codes, np.uint8).view(TOOL).astype(np.float32)


def encoded(patterns):
    with np.errstate(all="ignore"):
        return [int(c) for c in array_from(patterns).astype(TOOL).view(np.uint8)]


VALUES = decoded(range(256))
FINITE = sorted({float(v) for v in VALUES if np.isfinite(v)})
CODE = {float(v): c for c, v in enumerate(VALUES) if np.isfinite(v)}
BEYOND = 49152.0


def nearest_away(pattern):
    """The code by the rule: nearest, ties away from zero, judged with 49152 behind the largest."""
    x = float(from_bits(pattern))
    if x != x:
        return 0x80
    ends = [-BEYOND] + FINITE + [BEYOND]
    if abs(x) >= BEYOND:
        return 0xEF if x < 0 else 0x6F
    i = bisect.bisect_right(ends, x) - 1
    low, high = Fraction(ends[i]), Fraction(ends[i + 1])
    q = Fraction(x)
    up = q - low > high - q or (q - low == high - q and q > 0)
    value = float(high if up else low)
    if abs(value) == BEYOND:
        return 0xEF if value < 0 else 0x6F
    return CODE[value]


def inputs():
    rng = seeded("hif8")
    ends = [-BEYOND] + FINITE + [BEYOND]
    middles = [(Fraction(a) + Fraction(b)) / 2 for a, b in zip(ends, ends[1:])]
    patterns = []
    for q in middles:
        p = exact_bits(float(q))
        patterns += [p - 1, p, p + 1] if p & 0x7FFFFFFF else [1, 0, SIGN, SIGN | 1]
    patterns += [bits(v) for v in FINITE]
    patterns += [0, SIGN, 1, SIGN | 1, FLT_MAX, FLT_MAX | SIGN, INF, INF | SIGN, NAN]
    patterns += [bits(BEYOND), bits(-BEYOND), bits(65536.0)]
    while len(patterns) < 1500:
        p = rng.getrandbits(32)
        if not is_nan(p):
            patterns.append(p)
    return patterns


def sweep():
    """The boundaries of the exact rule, and the tool on every float32 number."""
    differences = 0
    boundary = sorted({float(from_bits(p)) for p in inputs() if is_finite(p)})
    for sign in (0, SIGN):
        for start in range(0, 0x80000000, 1 << 24):
            patterns = np.arange(start, start + (1 << 24), dtype=np.uint64).astype(np.uint32) | np.uint32(sign)
            with np.errstate(all="ignore"):
                codes = patterns.view(np.float32).astype(TOOL).view(np.uint8)
            # Codes change only where the exact rule changes: between runs of equal codes.
            edges = np.flatnonzero(np.diff(codes)) + 1
            for at in [0, len(codes) - 1, *edges, *(edges - 1)]:
                differences += int(codes[at]) != nearest_away(int(patterns[at]))
    print("float32 numbers at which the tool changes its code, against the exact rule:", differences)
    return boundary


codes = list(range(256))
SOURCE = "HiFloat8 (arXiv 2409.16626)"
write(
    "elements/decode/hif8.json",
    {
        "header": header("en-dtypes", "0.0.4", SOURCE, "", "2026-11-28"),
        "format": FORMAT,
        "bits": 8,
        "codes": codes,
        "values": words(array_bits(VALUES)),
    },
)
patterns = inputs()
mine = [nearest_away(p) for p in patterns]
tool = encoded(patterns)
differences = [
    {"input": words([p]), "tool": t, "exact": m} for p, t, m in zip(patterns, tool, mine) if t != m
]
print("differences between tool and rule:", len(differences), "of", len(patterns))
write(
    "elements/encode/hif8.json",
    {
        "header": header(
            "en-dtypes",
            "0.0.4",
            SOURCE,
            "to nearest, ties away from zero; -0 becomes 0, NaN of either sign 0x80",
            "2026-11-28",
        ),
        "format": FORMAT,
        "overflow": "infinity from 40960 on",
        "inputs": words(patterns),
        "codes": mine,
    }
    | ({"differences": differences} if differences else {}),
)
if len(sys.argv) > 2 and sys.argv[2] == "sweep":
    sweep()

"""Shared helpers of the vector generators: bit patterns, exact rounding, file layout."""

import bisect
import json
import os
import random
import sys
from fractions import Fraction

import ml_dtypes
import numpy as np

DATE = "2026-11-21"
NAN = 0x7FC00000
INF = 0x7F800000
SIGN = 0x80000000
FLT_MAX = 0x7F7FFFFF


# Bit patterns -------------------------------------------------------------------------------


def bits(value):
    """The float32 bit pattern of a Python number; every NaN becomes 0x7fc00000."""
    with np.errstate(over="ignore"):
        x = np.float32(value)
    return NAN if np.isnan(x) else int(x.view(np.uint32))


def exact_bits(value):
    """The bit pattern of a value that float32 must hold exactly."""
    x = float(value)
    if x == x:
        assert float(np.float32(x)) == x, f"{x!r} is not a float32"
    return bits(x)


def from_bits(pattern):
    return np.uint32(pattern).view(np.float32)


def array_bits(array):
    a = np.ascontiguousarray(np.asarray(array, dtype=np.float32)).ravel()
    u = a.view(np.uint32).copy()
    u[np.isnan(a)] = NAN
    return [int(v) for v in u]


def array_from(patterns):
    return np.array(patterns, dtype=np.uint32).view(np.float32)


def words(patterns):
    """Bit patterns as one string of 8-digit hex words separated by spaces."""
    return " ".join(f"{p:08x}" for p in patterns)


def is_nan(pattern):
    return (pattern & 0x7FFFFFFF) > INF


def is_finite(pattern):
    return (pattern & 0x7FFFFFFF) < INF


def exact(pattern):
    """The exact rational value of a finite float32."""
    return Fraction(float(from_bits(pattern)))


def floor_log2(q):
    """floor(log2 q) of an exact positive rational."""
    e = q.numerator.bit_length() - q.denominator.bit_length()
    return e if Fraction(2) ** e <= q else e - 1


# Element formats ----------------------------------------------------------------------------

DTYPES = {
    "e4m3fn": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e4m3fnuz": ml_dtypes.float8_e4m3fnuz,
    "e5m2fnuz": ml_dtypes.float8_e5m2fnuz,
    "e4m3b11fnuz": ml_dtypes.float8_e4m3b11fnuz,
    "e4m3": ml_dtypes.float8_e4m3,
    "e3m4": ml_dtypes.float8_e3m4,
    "e8m0fnu": ml_dtypes.float8_e8m0fnu,
    "e2m3fn": ml_dtypes.float6_e2m3fn,
    "e3m2fn": ml_dtypes.float6_e3m2fn,
    "e2m1fn": ml_dtypes.float4_e2m1fn,
    "bf16": ml_dtypes.bfloat16,
    "fp16": np.float16,
}
BITS = {name: 8 for name in DTYPES} | {
    "e2m3fn": 6,
    "e3m2fn": 6,
    "e2m1fn": 4,
    "bf16": 16,
    "fp16": 16,
}


def storage(name):
    return np.uint16 if BITS[name] == 16 else np.uint8


def tool_decode(name, codes):
    return np.array(codes, dtype=storage(name)).view(DTYPES[name]).astype(np.float32)


def tool_encode(name, patterns):
    with np.errstate(all="ignore"):
        return [int(c) for c in array_from(patterns).astype(DTYPES[name]).view(storage(name))]


class Grid:
    """The finite values of a sign-magnitude format, and exact rounding onto them."""

    def __init__(self, name):
        sign = 1 << (BITS[name] - 1)
        self.sign = sign
        values = tool_decode(name, range(sign)).astype(np.float64)
        finite = int(np.sum(np.isfinite(values)))
        assert np.all(np.isfinite(values[:finite]))
        self.values = [Fraction(float(v)) for v in values[:finite]]
        self.max = self.values[-1]

    def nearest_even(self, q, negative):
        """Code of a rational magnitude: nearest, ties to the even code, saturating."""
        return self.magnitude_code(q) | (self.sign if negative else 0)

    def magnitude_code(self, q):
        if q >= self.max:
            return len(self.values) - 1
        i = bisect.bisect_right(self.values, q) - 1
        low, high = self.values[i], self.values[i + 1]
        if q - low < high - q or (q - low == high - q and i % 2 == 0):
            return i
        return i + 1

    def value(self, code):
        v = self.values[code & (self.sign - 1)]
        return -v if code & self.sign else v


def round_f32(q):
    """A rational rounded once to float32 (nearest even), as a bit pattern."""
    if q == 0:
        return 0
    s = SIGN if q < 0 else 0
    q = abs(q)
    e = max(floor_log2(q), -126)
    unit = Fraction(2) ** (e - 23)
    n = q / unit
    i = n.numerator // n.denominator
    r = n - i
    if r > Fraction(1, 2) or (r == Fraction(1, 2) and i % 2 == 1):
        i += 1
    value = i * unit
    return s | (INF if value >= Fraction(2) ** 128 else bits(float(value)))


# Files --------------------------------------------------------------------------------------


def header(tool, version, source, comment, date=DATE):
    script = os.path.basename(sys.argv[0])
    return {
        "tool": tool,
        "version": version,
        "command": f"python3 Tests/Vectors/generators/{script} OUTDIR",
        "date": date,
        "source": source,
        "comment": comment,
    }


def _render(value, depth):
    """JSON with one line per object in an array, and arrays of numbers on one line."""
    pad = " " * depth
    if isinstance(value, dict) and depth < 2:
        inner = ",\n".join(
            f"{pad} {json.dumps(k)}: {_render(v, depth + 1)}" for k, v in value.items()
        )
        return "{\n" + inner + "\n" + pad + "}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        inner = ",\n".join(f"{pad}  {json.dumps(v)}" for v in value)
        return "[\n" + inner + "\n" + pad + "]"
    return json.dumps(value)


def write(path, document):
    out = os.path.join(sys.argv[1], path)
    os.makedirs(os.path.dirname(out), exist_ok=True)
    text = _render(document, 0) + "\n"
    assert len(text) < 200_000, f"{path}: {len(text)} bytes"
    with open(out, "w", encoding="ascii") as f:
        f.write(text)


def seeded(label):
    return random.Random(f"BlockFormats vectors: {label}")

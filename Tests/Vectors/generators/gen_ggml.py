"""ggml: Q5_0 and Q4_K by ggml's own C code.

The library libggml-base is that of the package llama-cpp-python, or the file that GGML_BASE
names.
"""

import ctypes
import pathlib

import ggml_steps
from fields import *

Q5_0 = [Field("scale", 16, "fp16", 0), Field("codes", 5, "uint", 1)]
Q4_K = [
    Field("scale", 16, "fp16", 0),
    Field("min", 16, "fp16", 0),
    Field("subscales", 6, "uint", 32),
    Field("submins", 6, "uint", 32),
    Field("codes", 4, "uint", 1),
]


class Type:
    def __init__(self, name, number, length, size, fields):
        self.name, self.number, self.length, self.size = name, number, length, size
        self.fields = fields


TYPES = {t.name: t for t in (Type("q5_0", 6, 32, 22, Q5_0), Type("q4_k", 12, 256, 144, Q4_K))}


def library():
    path = os.environ.get("GGML_BASE")
    if not path:
        import llama_cpp

        [path, *_] = sorted((pathlib.Path(llama_cpp.__file__).parent / "lib").glob("*ggml-base*"))
    return ctypes.CDLL(str(path))


GGML = library()
GGML.ggml_version.restype = ctypes.c_char_p
GGML.ggml_quantize_chunk.restype = ctypes.c_size_t
GGML.ggml_quantize_chunk.argtypes = (
    [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
)


def encoded(t, x):
    blocks = np.zeros((x.size // t.length, t.size), np.uint8)
    written = GGML.ggml_quantize_chunk(
        t.number, x.ctypes.data, blocks.ctypes.data, 0, 1, x.size, None
    )
    assert written == blocks.size
    return blocks


def decoded(t, blocks):
    y = np.empty(len(blocks) * t.length, F)
    function = getattr(GGML, f"dequantize_row_{t.name.replace('k', 'K')}")
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function(blocks.ctypes.data, y.ctypes.data, y.size)
    return y


def halves(blocks, start):
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<u2").ravel()


def q5_0_fields(blocks):
    low = np.concatenate([blocks[:, 6:] & 15, blocks[:, 6:] >> 4], 1)
    high = from_low_first(blocks[:, 2:6], 1, 32 * len(blocks)).reshape(-1, 32)
    return {"scale": halves(blocks, 0), "codes": low | (high << 4)}


def q4_k_fields(blocks):
    s = blocks[:, 4:16].astype(int)
    high = s[:, 0:4] >> 6 << 4, s[:, 4:8] >> 6 << 4
    subscales = np.concatenate([s[:, 0:4] & 63, (s[:, 8:12] & 15) | high[0]], 1)
    submins = np.concatenate([s[:, 4:8] & 63, (s[:, 8:12] >> 4) | high[1]], 1)
    pairs = blocks[:, 16:].reshape(-1, 4, 32)
    codes = np.stack([pairs & 15, pairs >> 4], 2)
    return {
        "scale": halves(blocks, 0),
        "min": halves(blocks, 2),
        "subscales": subscales,
        "submins": submins,
        "codes": codes,
    }


def q5_0_values(v):
    d = v["scale"].view(np.float16).astype(F)[:, None]
    return (v["codes"] - 16).astype(F) * d


def q4_k_values(v):
    d = v["scale"].view(np.float16).astype(F)[:, None]
    m = v["min"].view(np.float16).astype(F)[:, None]
    factor, offset = d * v["subscales"].astype(F), m * v["submins"].astype(F)
    q = v["codes"].reshape(-1, 8, 32).astype(F)
    return factor[:, :, None] * q - offset[:, :, None]


def ggml_case(t, label, x=None, blocks=None):
    if x is not None:
        x = np.ascontiguousarray(x, F).ravel()
        blocks = encoded(t, x)
    y = decoded(t, blocks)
    values = (q5_0_fields if t.name == "q5_0" else q4_k_fields)(blocks)
    with np.errstate(all="ignore"):
        mine = (q5_0_values if t.name == "q5_0" else q4_k_values)(values)
    assert agree(mine, y), label
    return case(label, 1, x, t.fields, values, {"blocks": blocks}, y)


def q5_0_inputs(rng):
    yield "normal data", normal_array(rng, 96)
    yield "powers of two", scaled_groups(rng, 32, (-16, -8, 8, 16))
    wide = normal_array(rng, 32) * np.array([2.0 ** -rng.randint(0, 12) for _ in range(32)], F)
    yield "wide block", wide
    yield "halfway, greatest value negative", np.append(np.arange(31) - 15.5, -16.0)
    yield "halfway, greatest value positive", np.append(np.arange(31) - 14.5, 16.0)
    yield "first of equal magnitudes is positive", np.array([1.0, 4.0, -4.0, 4.0] * 8)
    yield "first of equal magnitudes is negative", np.array([1.0, -4.0, 4.0, -4.0] * 8)
    yield "zeros", np.array([0.0, -0.0] * 16)
    yield "zeros and one value", np.append(np.array([-0.0] * 16 + [0.0] * 15), 2.5)
    yield "one positive value", np.full(32, 0.3)
    yield "one negative value", np.full(32, -0.3)
    yield "subnormal scale", normal_array(rng, 32, 2.0**-18)
    yield "scale that rounds to zero", normal_array(rng, 32, 2.0**-30)
    yield "scale that rounds to minus zero", np.append(np.full(31, -1e-9), 1e-8)
    yield "largest scale", np.append(np.linspace(-1, 1, 31) * 1e6, -65504.0 * 16)


def q5_0_outside(rng):
    yield "scale beyond FP16", np.append(np.linspace(-1, 1, 31) * 1e6, -65520.0 * 16)
    yield "largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 8)
    yield "reciprocal overflows", array_from([0x00800000, SIGN | 0x00800000, 0, 1] * 8)
    yield from special(rng, 32)


def special(rng, length):
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, length)
        x[5] = value
        yield label, x
    x = normal_array(rng, length)
    x[0] = np.nan
    yield "NaN first", x


def q4_k_inputs(rng):
    yield "normal data", normal_array(rng, 512)
    yield "powers of two", scaled_groups(rng, 32, (-6, -3, 0, 3, -2, 5, 1, -8))
    yield "positive", abs(normal_array(rng, 256))
    yield "negative", -abs(normal_array(rng, 256))
    yield "small spread", normal_array(rng, 256, 0.01) + F(3)
    yield "integers", np.array([rng.randrange(16) for _ in range(256)])
    yield "zeros", np.array([0.0, -0.0] * 128)
    kinds = [np.zeros(32), np.full(32, 0.7), np.full(32, -0.7), np.array([1.0, -1.0] * 16)]
    kinds += [np.append(np.zeros(31), 5.0), np.append(np.zeros(31), -5.0)]
    kinds += [np.linspace(0, 1, 32), np.full(32, 1e-6)]
    yield "one kind a sub-block", np.concatenate(kinds)
    yield "subnormal scales", normal_array(rng, 256, 2.0**-18)
    yield "scales that round to zero", normal_array(rng, 256, 2.0**-30)
    yield "large scale", np.append(np.linspace(-0.05, 1, 255), 1.0) * 5.5e7


def q4_k_outside(rng):
    yield "scale beyond FP16", normal_array(rng, 256, 1e9)
    yield from special(rng, 256)


def decode_only(t, rng):
    for label in ("random bytes", "more random bytes"):
        blocks = np.array([[rng.randrange(256) for _ in range(t.size)]], np.uint8)
        blocks[:, 1] = 0x2C if label == "random bytes" else 0xBC  # the halves are finite
        if t.name == "q4_k":
            blocks[:, 3] = 0x30
        yield ggml_case(t, label, blocks=blocks)


COMMENTS = {
    "q5_0": "m = first element of the greatest magnitude; d = m / -16, scale = fp16(d), id = 1 / "
    "d (0 for d = 0); code = min(31, truncate(x * id + 16.5)), one FP32 operation each, with d "
    "before its rounding to FP16; decoded = (code - 16) * scale, exact. A block: the scale, 32 "
    "high bits (bit j of the little-endian word belongs to element j), 16 bytes with element j in "
    "the low and j + 16 in the high nibble. A zero block has scale -0 and decodes to -0. outside: "
    "an FP16 scale of infinity; 1 / d infinite, or a NaN, which converts to an integer as C "
    "leaves undefined (x86-64 gives code 0)",
    "q4_k": "the search of quantize_row_q4_K_ref without an importance matrix; every FP32 "
    "operation rounded by itself (x86-64 without FMA: a compiler that fuses gives other bytes); "
    "decoded = (scale * subscale) * code - min * submin, one rounding in all. A block: scale, "
    "min, 12 bytes of 6-bit subscales and submins, 128 bytes: each 32 hold two sub-blocks, the "
    "first in the low nibbles. outside: scales of infinity and NaN",
}


def file(name, inputs, outside):
    t, rng = TYPES[name], seeded(f"ggml {name}")
    write_fields(
        f"ggml/{name}.json",
        "ggml (sources of llama-cpp-python 0.3.36), x86-64 without FMA",
        GGML.ggml_version().decode(),
        f"ggml_quantize_chunk and dequantize_row_{name.replace('k', 'K')}",
        COMMENTS[name],
        name,
        {"shape": "row", "length": t.length, "bytes": t.size},
        t.fields,
        cases=[ggml_case(t, label, x) for label, x in inputs(rng)],
        decodeOnly=list(decode_only(t, rng)),
        outside=[ggml_case(t, label, x) for label, x in outside(rng)],
    )


file("q5_0", q5_0_inputs, q5_0_outside)
file("q4_k", q4_k_inputs, q4_k_outside)

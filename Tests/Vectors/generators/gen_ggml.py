"""ggml: thirteen block types by ggml's own C code.

The library libggml-base is that of the package llama-cpp-python, or the file that GGML_BASE
names. For all cases `ggml_steps.py` has to give the same fields, and gguf, a second implementation
of the decoders, the same values.
"""

import ctypes
import pathlib

import ggml_steps
import gguf
from fields import *
from ggml_blocks import TYPES
from ggml_inputs import *


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


def c_name(t):
    return t.name.replace("k", "K")


def row_function(name):
    function = getattr(GGML, name)
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    return function


def encoded(t, x, by_reference=False):
    blocks = np.zeros((x.size // t.length, t.size), np.uint8)
    if by_reference:
        row_function(f"quantize_row_{c_name(t)}_ref")(x.ctypes.data, blocks.ctypes.data, x.size)
        return blocks
    written = GGML.ggml_quantize_chunk(
        t.number, x.ctypes.data, blocks.ctypes.data, 0, 1, x.size, None
    )
    assert written == blocks.size
    return blocks


def decoded(t, blocks):
    y = np.empty(len(blocks) * t.length, F)
    row_function(f"dequantize_row_{c_name(t)}")(blocks.ctypes.data, y.ctypes.data, y.size)
    return y


def ggml_case(t, label, x=None, blocks=None, by_reference=False):
    if x is not None:
        x = np.ascontiguousarray(x, F).ravel()
        blocks = encoded(t, x, by_reference)
    y = decoded(t, blocks)
    values = t.read(blocks)
    with np.errstate(all="ignore"):
        assert agree(t.values(values), y), label
        other = gguf.quants.dequantize(blocks, gguf.GGMLQuantizationType(t.number))
        assert agree(other, y), label
    return case(label, 1, x, t.fields, values, {"blocks": blocks}, y)


def checked_case(t, label, x, by_reference):
    """A case in which the transcribed steps give the same fields."""
    steps = ggml_steps.ENCODERS[f"{t.name}_ref" if by_reference else t.name]
    with np.errstate(all="ignore"):
        values = steps(np.asarray(x, F).reshape(-1, t.length))
    shown = ggml_case(t, label, x, by_reference=by_reference)
    assert shown["fields"] == {f.name: f.text(values[f.name]) for f in t.fields}, label
    return shown


# Cases ------------------------------------------------------------------------------------

# Where a block has its FP16 numbers, whose random bytes have to be finite.
HALVES = {
    "q4_0": [0], "q4_1": [0, 2], "q5_0": [0], "q5_1": [0, 2], "q8_0": [0], "iq4_nl": [0],
    "tq1_0": [52], "tq2_0": [64], "q2_k": [80, 82], "q3_k": [108], "q4_k": [0, 2],
    "q5_k": [0, 2], "q6_k": [208],
}  # fmt: skip


def decode_only(t, rng):
    for label in ("random bytes", "more random bytes"):
        blocks = np.array([[rng.randrange(256) for _ in range(t.size)]], np.uint8)
        first, *others = HALVES[t.name]
        blocks[:, first + 1] = 0x2C if label == "random bytes" else 0xBC
        for at in others:
            blocks[:, at + 1] = 0x30
        yield ggml_case(t, label, blocks=blocks)


# Files --------------------------------------------------------------------------------------

SIGNED = (
    "m = first element of the greatest magnitude; d = m / -{0}, scale = fp16(d), id = 1 / "
    "d (0 for d = 0); code = min({1}, truncate(x * id + {0}.5)), one FP32 operation each, with d "
    "before its rounding to FP16; decoded = (code - {0}) * scale, exact. A block: the scale, {2}"
    "16 bytes with element j in "
    "the low and j + 16 in the high nibble. A zero block has scale -0 and decodes to -0. outside: "
    "an FP16 scale of infinity; 1 / d infinite, or a NaN, which converts to an integer as C "
    "leaves undefined (x86-64 gives code 0)"
)
RANGE = (
    "m = least value, d = (greatest - m) / {0}, id = 1 / d (0 for d = 0); code = min({0}, "
    "truncate((x - m) * id + 0.5)), one FP32 operation each, with d and m before their rounding "
    "to FP16; decoded = code * scale + min, one rounding. A block: scale, min, {1}16 bytes with "
    "element j in the low and j + 16 in the high nibble. outside: scale or min infinite; 1 / d "
    "infinite, or a NaN, which converts to an integer as C leaves undefined"
)
AMAX = (
    "d = amax / {0}, id = 1 / d (0 for d = 0); code = x * id to the nearest integer, halves away "
    "from zero{1}, one FP32 operation each, with d before its rounding to FP16; decoded = "
    "integer * scale, exact. A block: {2}. outside: a scale of infinity, NaN"
)
LINE = (
    "the search of quantize_row_{0}_ref without an importance matrix; every FP32 operation "
    "rounded by itself (x86-64 without FMA: a compiler that fuses gives other bytes); decoded = "
    "(scale * subscale) * code - min * submin, one rounding in all. A block: {1}. outside: "
    "scales of infinity and NaN"
)
FACTOR = (
    "the search of quantize_row_{0}_ref without an importance matrix; every FP32 operation "
    "rounded by itself; decoded = (scale * subscale) * (code - {1}), one rounding in all. A "
    "block: {2}. outside: scales of infinity and NaN"
)
TABLE = (
    "{0}; every FP32 operation rounded by itself; decoded = table[code] * scale, exact. A block: "
    "the scale, 16 bytes with element j in the low and j + 16 in the high nibble. outside: scales "
    "of infinity and NaN"
)
HIGH = "32 high bits (bit j of the little-endian word belongs to element j), "
COMMENTS = {
    "q4_0": SIGNED.format(8, 15, ""),
    "q4_1": RANGE.format(15, ""),
    "q5_0": SIGNED.format(16, 31, HIGH),
    "q5_1": RANGE.format(31, HIGH),
    "q8_0": AMAX.format(127, "", "the scale, 32 bytes of integers"),
    "iq4_nl": TABLE.format(
        "d of 16 trials by squared error weighted with x^2; code = nearest entry of the table to "
        "x / d, halves up"
    ),
    "iq4_nl_ref": TABLE.format(
        "quantize_row_iq4_nl_ref: codes by 1 / (m / -127), m the first element of the greatest "
        "magnitude, and the d that fits them; leaves the codes of zero blocks to chance"
    ),
    "tq1_0": AMAX.format(
        1,
        ", plus 1",
        "32, 16 and 4 bytes of trits, byte j with the elements j, j + 32, ... (j + 16, j + 4), "
        "five a byte (four in the last), the first in the highest of five digits, times 256 / "
        "243 rounded up; the scale",
    ),
    "tq2_0": AMAX.format(
        1, ", plus 1", "64 bytes with the elements j, j + 32, j + 64, j + 96 of 128; the scale"
    ),
    "q2_k": LINE.format(
        "q2_K", "16 bytes of subscale (low) and submin, 64 bytes as in tq2_0, scale, min"
    ),
    "q3_k": FACTOR.format(
        "q3_K",
        "4; subscale = its code - 32",
        "32 bytes of high bits (bit p of byte j: element 32 p + j), 64 bytes as in tq2_0, 12 "
        "bytes of 6-bit subscales, the scale",
    ),
    "q4_k": "the search of quantize_row_q4_K_ref without an importance matrix; every FP32 "
    "operation rounded by itself (x86-64 without FMA: a compiler that fuses gives other bytes); "
    "decoded = (scale * subscale) * code - min * submin, one rounding in all. A block: scale, "
    "min, 12 bytes of 6-bit subscales and submins, 128 bytes: each 32 hold two sub-blocks, the "
    "first in the low nibbles. outside: scales of infinity and NaN",
    "q5_k": LINE.format(
        "q5_K",
        "scale, min, 12 bytes as in q4_k, 32 bytes of high bits (bit p of byte j: element 32 p + "
        "j), 128 bytes as in q4_k",
    ),
    "q6_k": FACTOR.format(
        "q6_K",
        "32",
        "128 bytes of low nibbles (of 128 elements j beside j + 64), 64 bytes of two high bits "
        "as in tq2_0, 16 bytes of subscales in two's complement, the scale",
    ),
}


def file(name, inputs, outside, by_reference=False):
    path = f"{name}_ref" if by_reference else name
    t, rng = TYPES[name], seeded(f"ggml {path}")
    encoder = f"quantize_row_{c_name(t)}_ref" if by_reference else "ggml_quantize_chunk"
    write_fields(
        f"ggml/{path}.json",
        "ggml (sources of llama-cpp-python 0.3.36), x86-64 without FMA",
        GGML.ggml_version().decode(),
        f"{encoder} and dequantize_row_{c_name(t)}",
        COMMENTS[path],
        name,
        {"shape": "row", "length": t.length, "bytes": t.size},
        t.fields,
        cases=[checked_case(t, label, x, by_reference) for label, x in inputs(rng)],
        decodeOnly=list(decode_only(t, rng)),
        outside=[
            ggml_case(t, label, x, by_reference=by_reference) for label, x in outside(rng)
        ],
    )


for name, least in (("q4_0", 8), ("q5_0", 16)):
    file(name, lambda rng: signed_inputs(rng, least), lambda rng: signed_outside(rng, least))
for name, greatest in (("q4_1", 15), ("q5_1", 31)):
    file(name, lambda rng: range_inputs(rng, greatest), lambda rng: range_outside(rng, greatest))
for name, length, greatest in (("q8_0", 32, 127), ("tq1_0", 256, 1), ("tq2_0", 256, 1)):
    file(
        name,
        lambda rng: amax_inputs(rng, length, greatest),
        lambda rng: amax_outside(rng, length, greatest),
    )
file("iq4_nl", table_inputs, table_outside)
file("iq4_nl", table_inputs, table_outside, by_reference=True)
for name, greatest in (("q2_k", 3), ("q5_k", 31)):
    file(name, lambda rng: line_inputs(rng, greatest), part_outside)
file("q4_k", q4_k_inputs, part_outside)
for name, reach in (("q3_k", 4), ("q6_k", 32)):
    file(name, lambda rng: factor_inputs(rng, reach), part_outside)

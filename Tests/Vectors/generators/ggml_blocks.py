"""Blocks of ggml: the fields that their bytes hold, and the values that fields decode to.

Written from the structures of ggml-common.h; decoding is one FP32 operation at a time. Fields are
those of `fields.py`; codes are stored bits, so that an integer of two's complement is its byte.
"""

import numpy as np
from fields import Field, from_low_first

F = np.float32
TABLE = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], F)


def halves(blocks, start):
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<u2").ravel()


def numbers(patterns):
    return patterns.view(np.float16).astype(F)[:, None]


def nibbles(data):
    """Low halves of some bytes, then their high halves."""
    return np.concatenate([data & 15, data >> 4], 1)


def quarters(data):
    """128 codes of two bits for each 32 bytes: all lowest two bits, then the next two, ..."""
    groups = data.reshape(len(data), -1, 1, 32) >> np.array([0, 2, 4, 6])[:, None] & 3
    return groups.reshape(len(data), -1)


class Type:
    """ggml's number of a type, elements and bytes of a block, fields, and how both are read."""

    def __init__(self, name, number, length, size, fields, read, values):
        self.name, self.number, self.length, self.size = name, number, length, size
        self.fields = [Field(*field) for field in fields]
        self.read, self.values = read, values


# One or two FP16 numbers and 32 codes ---------------------------------------------------------


def simple_fields(bits, has_min):
    yield "scale", 16, "fp16", 0
    if has_min:
        yield "min", 16, "fp16", 0
    yield "codes", bits, "uint", 1


def simple(name, number, bits, has_min, value):
    def read(blocks):
        out = {"scale": halves(blocks, 0)}
        at = 2
        if has_min:
            out["min"], at = halves(blocks, 2), 4
        high = 0
        if bits == 5:
            word = from_low_first(blocks[:, at : at + 4], 1, 32 * len(blocks)).reshape(-1, 32)
            high, at = word << 4, at + 4
        low = blocks[:, at:].astype(np.int64)
        out["codes"] = low if bits == 8 else nibbles(low) | high
        return out

    def values(v):
        product = value(v["codes"]).astype(F) * numbers(v["scale"])
        return product + numbers(v["min"]) if has_min else product

    size = 2 + 2 * has_min + (4 if bits == 5 else 0) + (32 if bits == 8 else 16)
    return Type(name, number, 32, size, simple_fields(bits, has_min), read, values)


# Trits ----------------------------------------------------------------------------------------


def trits(data, count):
    """Trit n of a byte: the integer part of three times the fraction of 3^n · byte / 256."""
    powers = 3 ** np.arange(count)[:, None]
    return ((data[:, None, :].astype(np.int64) * powers & 255) * 3 >> 8).reshape(len(data), -1)


def tq1_0_fields(blocks):
    parts = (blocks[:, :32], 5), (blocks[:, 32:48], 5), (blocks[:, 48:52], 4)
    codes = np.concatenate([trits(data, count) for data, count in parts], 1)
    return {"scale": halves(blocks, 52), "codes": codes}


def tq2_0_fields(blocks):
    return {"scale": halves(blocks, 64), "codes": quarters(blocks[:, :64])}


def ternary_values(v):
    return (v["codes"] - 1).astype(F) * numbers(v["scale"])


# Factors and offsets on two levels ------------------------------------------------------------


def line_fields(bits, part_bits, part):
    return [
        ("scale", 16, "fp16", 0),
        ("min", 16, "fp16", 0),
        ("subscales", part_bits, "uint", part),
        ("submins", part_bits, "uint", part),
        ("codes", bits, "uint", 1),
    ]


def line_values(v):
    factor = numbers(v["scale"]) * v["subscales"].astype(F)
    offset = numbers(v["min"]) * v["submins"].astype(F)
    q = v["codes"].reshape(*factor.shape, -1).astype(F)
    return factor[:, :, None] * q - offset[:, :, None]


def q2_k_fields(blocks):
    return {
        "scale": halves(blocks, 80),
        "min": halves(blocks, 82),
        "subscales": blocks[:, :16] & 15,
        "submins": blocks[:, :16] >> 4,
        "codes": quarters(blocks[:, 16:80]),
    }


def eight_parts(blocks):
    s = blocks[:, 4:16].astype(int)
    high = s[:, 0:4] >> 6 << 4, s[:, 4:8] >> 6 << 4
    subscales = np.concatenate([s[:, 0:4] & 63, (s[:, 8:12] & 15) | high[0]], 1)
    submins = np.concatenate([s[:, 4:8] & 63, (s[:, 8:12] >> 4) | high[1]], 1)
    return {
        "scale": halves(blocks, 0),
        "min": halves(blocks, 2),
        "subscales": subscales,
        "submins": submins,
    }


def low_fours(data):
    pairs = data.reshape(-1, 4, 32)
    return np.stack([pairs & 15, pairs >> 4], 2).reshape(-1, 256).astype(np.int64)


def q4_k_fields(blocks):
    return eight_parts(blocks) | {"codes": low_fours(blocks[:, 16:])}


def q5_k_fields(blocks):
    high = blocks[:, None, 16:48] >> np.arange(8)[:, None] & 1
    codes = low_fours(blocks[:, 48:]) | (high.reshape(-1, 256).astype(np.int64) << 4)
    return eight_parts(blocks) | {"codes": codes}


# Factors on two levels ------------------------------------------------------------------------


def factor_fields(bits, part_bits, kind):
    return [
        ("scale", 16, "fp16", 0),
        ("subscales", part_bits, kind, 16),
        ("codes", bits, "uint", 1),
    ]


def factor_values(part, reach):
    def values(v):
        factor = numbers(v["scale"]) * part(v["subscales"]).astype(F)
        q = (v["codes"].astype(np.int64) - reach).reshape(*factor.shape, -1).astype(F)
        return factor[:, :, None] * q

    return values


def q3_k_fields(blocks):
    high = blocks[:, None, :32] >> np.arange(8)[:, None] & 1
    s = blocks[:, 96:108]
    top = (s[:, None, 8:] >> np.array([0, 2, 4, 6])[:, None] & 3).reshape(-1, 16)
    return {
        "scale": halves(blocks, 108),
        "subscales": nibbles(s[:, :8]) | top << 4,
        "codes": quarters(blocks[:, 32:96]) | high.reshape(-1, 256) << 2,
    }


def q6_k_fields(blocks):
    low = blocks[:, :128].reshape(-1, 2, 64)
    low = np.stack([low & 15, low >> 4], 2).reshape(-1, 256)
    return {
        "scale": halves(blocks, 208),
        "subscales": blocks[:, 192:208],
        "codes": low | quarters(blocks[:, 128:192]) << 4,
    }


TYPES = [
    simple("q4_0", 2, 4, False, lambda q: q - 8),
    simple("q4_1", 3, 4, True, lambda q: q),
    simple("q5_0", 6, 5, False, lambda q: q - 16),
    simple("q5_1", 7, 5, True, lambda q: q),
    simple("q8_0", 8, 8, False, lambda q: q.astype(np.int8)),
    simple("iq4_nl", 20, 4, False, lambda q: TABLE[q]),
    Type("tq1_0", 34, 256, 54, simple_fields(2, False), tq1_0_fields, ternary_values),
    Type("tq2_0", 35, 256, 66, simple_fields(2, False), tq2_0_fields, ternary_values),
    Type("q2_k", 10, 256, 84, line_fields(2, 4, 16), q2_k_fields, line_values),
    Type(
        "q3_k",
        11,
        256,
        110,
        factor_fields(3, 6, "uint"),
        q3_k_fields,
        factor_values(lambda s: s.astype(np.int64) - 32, 4),
    ),
    Type("q4_k", 12, 256, 144, line_fields(4, 6, 32), q4_k_fields, line_values),
    Type("q5_k", 13, 256, 176, line_fields(5, 6, 32), q5_k_fields, line_values),
    Type(
        "q6_k",
        14,
        256,
        210,
        factor_fields(6, 8, "int"),
        q6_k_fields,
        factor_values(lambda s: s.view(np.int8), 32),
    ),
]
TYPES = {t.name: t for t in TYPES}

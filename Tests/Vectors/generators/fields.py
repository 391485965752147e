"""Vectors of formats that store several fields: inputs, fields, the producer's bytes, values."""

from common import *

F = np.float32
FIELD_DATE = "2026-11-28"


class Field:
    """A stored number: name, bits, kind, and how many elements share one of it (0: the block)."""

    def __init__(self, name, bits_, kind, extent):
        self.name, self.bits, self.kind, self.extent = name, bits_, kind, extent

    def described(self):
        return {"name": self.name, "bits": self.bits, "kind": self.kind, "extent": self.extent}

    def text(self, patterns):
        digits = (self.bits + 3) // 4
        numbers = [int(p) for p in np.asarray(patterns).ravel()]
        assert all(0 <= p < 1 << self.bits for p in numbers), self.name
        return " ".join(f"{p:0{digits}x}" for p in numbers)


def f32_patterns(array):
    """Bit patterns as stored: a NaN keeps its payload, unlike in `words`."""
    return np.ascontiguousarray(array, F).ravel().view(np.uint32)


def case(name, rows, x, fields, values, packed, decoded):
    """One tensor of `rows` equal rows. `x` is None where only the decoder is shown."""
    decoded = np.asarray(decoded, F).ravel()
    assert decoded.size % rows == 0 and set(values) == {f.name for f in fields}
    out = {"name": name, "rows": rows, "columns": decoded.size // rows}
    if x is not None:
        x = np.asarray(x, F).ravel()
        assert x.size == decoded.size
        out["input"] = words(array_bits(x))
    out["fields"] = {f.name: f.text(values[f.name]) for f in fields}
    out["packed"] = {k: np.ascontiguousarray(v).tobytes().hex() for k, v in packed.items()}
    out["decoded"] = words(array_bits(decoded))
    return out


def low_first(codes, width):
    """Codes as one stream of bits, the first code in the lowest bits of the first byte."""
    codes = np.asarray(codes).ravel()
    stream = ((codes[:, None] >> np.arange(width)) & 1).astype(np.uint8).ravel()
    return np.packbits(stream, bitorder="little")


def from_low_first(data, width, count):
    stream = np.unpackbits(np.asarray(data, np.uint8).ravel(), bitorder="little")[: count * width]
    return (stream.reshape(count, width).astype(np.int64) << np.arange(width)).sum(1)


def agree(a, b):
    """Equal as float32 bit patterns, any NaN being equal to any other."""
    return array_bits(a) == array_bits(b)


def normal_array(rng, count, sigma=1.0):
    return np.array([rng.gauss(0, sigma) for _ in range(count)], F)


def scaled_groups(rng, group, exponents):
    """One group of normal data for each power of two."""
    return np.concatenate([normal_array(rng, group) * F(2.0**e) for e in exponents])


def write_fields(path, tool, version, source, comment, name, block, fields, **lists):
    for shown in lists.get("cases", []):
        values = array_from([int(w, 16) for w in shown["decoded"].split()])
        assert np.isfinite(values).all(), f"{path}: {shown['name']} belongs to outside"
    document = {
        "header": header(tool, version, source, comment, FIELD_DATE),
        "format": name,
        "block": block,
        "layout": [f.described() for f in fields],
    }
    write(path, document | {k: v for k, v in lists.items() if v})

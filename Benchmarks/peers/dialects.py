"""Files that producers wrote, decoded and encoded again by `fmtbench`.

    python dialects.py FOLDER [--fmtbench PATH]

FOLDER holds one folder for each producer: safetensors files with the producer's own dequantization as
`.npy` beside them, and the inputs that they were made of. Nothing of it is kept here; only the counts
that this script prints are. For each file it prints how many decoded values are the producer's to the bit,
and how many codes and scales of `fmtbench encode` under the producer's choices are the file's.

The containers are read by a few lines of this script, as plain arrays of bytes. Needs numpy.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Bytes = NDArray[np.uint8]

DTYPES = {
    "F32": np.float32, "F16": np.float16, "BF16": np.uint16, "I32": np.uint32, "U32": np.uint32,
    "U16": np.uint16, "I64": np.int64,
}


def read_safetensors(path: Path) -> dict[str, NDArray]:
    """The tensors of a file; those of narrow types as bytes."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    tensors = {}
    for name, facts in json.loads(data[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        first, last = facts["data_offsets"]
        raw = np.frombuffer(data[8 + length + first : 8 + length + last], np.uint8)
        tensors[name] = raw.view(DTYPES.get(facts["dtype"], np.uint8)).reshape(facts["shape"])
    return tensors


def write_safetensors(path: Path, tensors: dict[str, NDArray], metadata: dict[str, str]) -> None:
    """Writes F32, U16 and U8 arrays."""
    names = {np.dtype(np.float32): "F32", np.dtype(np.uint16): "U16", np.dtype(np.uint8): "U8"}
    header: dict[str, object] = {"__metadata__": metadata}
    offset = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": names[array.dtype], "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(
        len(text).to_bytes(8, "little") + text
        + b"".join(np.ascontiguousarray(a).tobytes() for a in tensors.values())
    )


# MARK: - Bits


def from_stream(rows: NDArray, bits: int, count: int) -> Codes:
    """Codes of some bits from the lowest bit of each row's first byte on."""
    stream = np.unpackbits(
        np.ascontiguousarray(rows).view(np.uint8).reshape(rows.shape[0], -1), axis=1,
        bitorder="little",
    )[:, : bits * count].reshape(-1, count, bits)
    return (stream.astype(np.uint32) << np.arange(bits, dtype=np.uint32)).sum(axis=2, dtype=np.uint32)


def to_stream(codes: Codes, bits: int) -> Bytes:
    """The inverse, each row beginning a byte."""
    spread = (codes[..., None] >> np.arange(bits, dtype=np.uint32)) & 1
    return np.packbits(
        spread.astype(np.uint8).reshape(codes.shape[0], -1), axis=1, bitorder="little"
    )


def nibbles(rows: Bytes) -> Codes:
    """Two codes a byte, the low half first."""
    return from_stream(rows, 4, 2 * rows.shape[1])


def high_nibbles_first(stream: Bytes, columns: int) -> Codes:
    """Two codes a byte, the high half first, over the flattened tensor."""
    flat = stream.reshape(-1)
    return np.stack([flat >> 4, flat & 15], axis=1).astype(np.uint32).reshape(-1, columns)


def unswizzled(scales: Bytes, rows: int, columns: int) -> Bytes:
    """Scales from tiles of 128 rows and 4 columns."""
    r, c = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    tile = (r // 128) * -(-columns // 4) + c // 4
    return scales.reshape(-1)[tile * 512 + (r % 32) * 16 + (r % 128) // 32 * 4 + c % 4]


# MARK: - What a producer stores, and by which choices


@dataclass
class Stored:
    """A producer's tensor in the fields of a format of ours."""

    format: str
    choices: dict[str, str]
    bits: int
    codes: Codes
    scales: dict[str, NDArray]
    """FP32 numbers, or codes as U16 or U8."""
    shape: tuple[int, ...]
    reference: NDArray[np.float32]
    decoding: str = "bits"
    """How the producer's values relate to ours: to the bit, or after BF16, or within one rounding."""
    claims: bool = True
    """Whether the producer's bytes are claimed of ordinary values."""
    tensor_scale: str = "decode"
    input: NDArray[np.float32] | None = None


@dataclass
class Outcome:
    """Counts of one file."""

    values: int = 0
    equal_values: int = 0
    worst: float = 0.0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)


class Fmtbench:
    """The executable under test."""

    def __init__(self, path: str, folder: Path) -> None:
        self.path, self.folder = path, folder

    def run(self, *words: str) -> None:
        done = subprocess.run([self.path, *words, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")

    def decoded(self, stored: Stored) -> NDArray[np.float32]:
        source, result = self.folder / "stored.safetensors", self.folder / "decoded.npy"
        shape = "[" + ",".join(map(str, stored.shape)) + "]"
        metadata = {
            "producer": "fmtbench dialects.py", "layout": "2", "format": stored.format,
            "shape": shape, "axis": str(len(stored.shape) - 1),
        }
        packed = to_stream(stored.codes, stored.bits)
        tensors: dict[str, NDArray] = {
            "packed": packed.reshape(stored.shape[:-1] + (-1,))
            if packed.shape[0] > 1 or len(stored.shape) == 1 else packed.reshape(-1)
        }
        tensors |= stored.scales
        # The choices of a file are for the record; the defaults of the format will do.
        probe = self.folder / "probe.safetensors"
        zeros = self.folder / "zeros.npy"
        np.save(zeros, np.zeros(stored.shape, np.float32))
        self.run(
            "encode", str(zeros), "--format", stored.format, "--output", str(probe)
        )
        data = probe.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        written = header["__metadata__"] | {"producer": header["__metadata__"]["producer"]}
        metadata = written
        for name, facts in header.items():
            if name == "__metadata__":
                continue
            tensors[name] = np.ascontiguousarray(tensors[name]).reshape(facts["shape"])
        write_safetensors(source, tensors, metadata)
        self.run("decode", str(source), "--output", str(result))
        return np.load(result)

    def encoded(self, stored: Stored, values: NDArray[np.float32]) -> dict[str, NDArray]:
        source, result = self.folder / "values.npy", self.folder / "encoded.safetensors"
        np.save(source, np.ascontiguousarray(values.reshape(stored.shape)))
        words = [f"--{name}={value}" for name, value in stored.choices.items()]
        self.run(
            "encode", str(source), "--format", stored.format, "--output", str(result), "--codes",
            *words,
        )
        return read_safetensors(result)


def compare(fmtbench: Fmtbench, stored: Stored, values: NDArray[np.float32]) -> Outcome:
    """Decodes the file's fields, encodes the input, and counts."""
    outcome = Outcome()
    ours = fmtbench.decoded(stored).reshape(-1)
    theirs = stored.reference.astype(np.float32).reshape(-1)
    if stored.decoding == "bf16":
        bits = ours.view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        ours = rounded.astype(np.uint32).view(np.float32)
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    outcome.values, outcome.equal_values = ours.size, int(equal.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        ulps = np.abs(ours.astype(np.float64) - theirs) / np.spacing(np.abs(theirs))
    outcome.worst = float(np.nanmax(np.where(equal, 0, ulps), initial=0))
    mine = fmtbench.encoded(stored, values)
    codes = mine["codes"].reshape(stored.codes.shape)
    outcome.counts["codes"] = (int((codes == stored.codes).sum()), codes.size)
    for name, theirs_scale in stored.scales.items():
        own = mine[name].reshape(-1)
        other = np.ascontiguousarray(theirs_scale).reshape(-1)
        if own.dtype == np.float32:
            own, other = own.view(np.uint32), other.astype(np.float32).view(np.uint32)
        outcome.counts[name] = (int((own == other).sum()), own.size)
    return outcome


# MARK: - Producers

NVFP4 = "nvfp4"
NVFP4_ALONE = "scaled(element=e2m1fn,block=16,scale=e4m3fn)"


def mlx(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("layer."): a for name, a in read_safetensors(path).items()}
    rows = t["weight"].shape[0]
    tie = {"rounding": "nearest_toward_zero", "zero-sign": "positive"}
    match kind:
        case "affine4_g64" | "affine8_g64":
            bits = int(kind[6])
            columns = t["weight"].shape[1] * 32 // bits
            scales = {"scales": t["scales"], "biases": t["biases"]}
            return Stored(
                f"affine{bits}", {}, bits, from_stream(t["weight"], bits, columns), scales,
                (rows, columns), reference,
            )
        case "mxfp4":
            codes = from_stream(t["weight"], 4, t["weight"].shape[1] * 8)
            choices = {"scale-rule": "rceil", "zero-block": "one"} | tie
            return Stored("mxfp4", choices, 4, codes, {"scales": t["scales"]}, codes.shape, reference)
        case "mxfp8":
            codes = from_stream(t["weight"], 8, t["weight"].shape[1] * 4)
            choices = {"scale-rule": "rceil", "zero-block": "one"}
            return Stored(
                "mxfp8_e4m3", choices, 8, codes, {"scales": t["scales"]}, codes.shape, reference
            )
        case _:
            codes = from_stream(t["weight"], 4, t["weight"].shape[1] * 8)
            scales = {"scales": t["scales"]}
            if "global_scale" in t:
                scales["tensor_scale"] = (t["global_scale"] / np.float32(2688)).reshape(1)
            choices = tie | {"scale-arithmetic": "divide"}
            name = NVFP4 if "global_scale" in t else NVFP4_ALONE
            return Stored(name, choices, 4, codes, scales, codes.shape, reference)


def torchao(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj._weight_"): a for name, a in read_safetensors(path).items()}
    data = t["qdata"].view(np.uint8)
    rule = {"scale-rule": kind.rsplit("_", 1)[-1]}
    if kind.startswith("nvfp4"):
        codes = nibbles(data)
        scales = t["scale"].view(np.uint8)
        if "swizzled" in kind:
            scales = unswizzled(scales, codes.shape[0], codes.shape[1] // 16)
        fields = {"scales": scales, "tensor_scale": t["per_tensor_scale"].reshape(1)}
        choices = {"scale-arithmetic": "reciprocal", "scale-floor": "least_normal"}
        return Stored(NVFP4, choices, 4, codes, fields, codes.shape, reference)
    if kind.startswith("mxfp4"):
        codes = nibbles(data)
        return Stored("mxfp4", rule, 4, codes, {"scales": t["scale"]}, codes.shape, reference)
    # FP6 has a code in each byte.
    codes = data.astype(np.uint32)
    name, bits = ("mxfp6_e2m3", 6) if "fp6" in kind else ("mxfp8_e4m3", 8)
    return Stored(name, rule, bits, codes, {"scales": t["scale"]}, codes.shape, reference)


def modelopt(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    weight, scale = t["weight"].view(np.uint8), t["weight_scale"]
    match kind:
        case "fp8":
            codes = weight.astype(np.uint32)
            return Stored(
                "fp8_e4m3_tensor", {"scale-arithmetic": "divide"}, 8, codes,
                {"scales": scale.reshape(1)}, codes.shape, reference,
            )
        case "mxfp4":
            codes = nibbles(weight)
            choices = {
                "scale-rule": "rceil", "rounding": "nearest_toward_zero",
                "zero-sign": "negative_for_zero",
            }
            return Stored("mxfp4", choices, 4, codes, {"scales": scale}, codes.shape, reference)
        case "mxfp8":
            codes = weight.astype(np.uint32)
            return Stored(
                "mxfp8_e4m3", {"scale-rule": "rceil"}, 8, codes, {"scales": scale}, codes.shape,
                reference,
            )
        case _:
            codes = nibbles(weight)
            fields = {"scales": scale.view(np.uint8), "tensor_scale": t["weight_scale_2"].reshape(1)}
            choices = {
                "scale-arithmetic": "divide", "scale-floor": "least_nonzero", "zero-block": "one",
                "zero-sign": "kept_unless_zero",
            }
            return Stored(NVFP4, choices, 4, codes, fields, codes.shape, reference)


def compressed_tensors(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    scale = t["weight_scale"]
    if kind.startswith("w4a16") or kind.startswith("w8a16"):
        bits = int(kind[1])
        rows, columns = (int(extent) for extent in t["weight_shape"])
        offset = from_stream(t["weight_packed"], bits, columns)
        codes = (offset - (1 << (bits - 1))) & ((1 << bits) - 1)
        choices = {"scale-rule": "amax_half_step", "scale-arithmetic": "divide"}
        return Stored(
            f"scaled(element=int{bits}_full,block=32,scale=fp32)", choices, bits, codes,
            {"scales": scale}, codes.shape, reference,
        )
    if kind.startswith("nvfp4"):
        codes = nibbles(t["weight_packed"])
        choices = {
            "scale-arithmetic": "divide_by_quotient", "scale-floor": "eighth_for_zero",
            "zero-sign": "kept_unless_zero",
        }
        stored = np.float32(1) / t["weight_global_scale"].reshape(1)
        fields = {"scales": scale.view(np.uint8), "tensor_scale": stored}
        return Stored(NVFP4, choices, 4, codes, fields, codes.shape, reference, decoding="bf16")
    if kind.startswith("mxfp4"):
        codes = nibbles(t["weight_packed"])
        return Stored(
            "mxfp4", {"scale-rule": "even", "zero-sign": "kept_unless_zero"}, 4, codes,
            {"scales": scale}, codes.shape, reference, decoding="bf16",
        )
    if kind.startswith("mxfp8"):
        codes = t["weight"].view(np.uint8).astype(np.uint32)
        return Stored(
            "mxfp8_e4m3", {"scale-rule": "even_e2m1"}, 8, codes, {"scales": scale}, codes.shape,
            reference, decoding="bf16",
        )
    if kind.startswith("mxfp6"):
        codes = from_stream(t["weight_packed"], 6, t["weight_packed"].shape[1] * 8 // 6)
        return Stored(
            "mxfp6_e2m3", {"scale-rule": "even"}, 6, codes, {"scales": scale}, codes.shape,
            reference, decoding="bf16",
        )
    codes = t["weight"].view(np.uint8).astype(np.uint32)
    block = {"fp8": "tensor", "fp8_dynamic": "row", "fp8_block": "128x128"}[kind]
    return Stored(
        f"fp8_e4m3_{block}", {"scale-arithmetic": "divide"}, 8, codes, {"scales": scale},
        codes.shape, reference,
    )


def deepseek(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    codes = t["weight"].view(np.uint8).astype(np.uint32)
    return Stored(
        "fp8_e4m3_128x128", {"scale-arithmetic": "divide"}, 8, codes,
        {"scales": t["weight_scale_inv"]}, codes.shape, reference,
    )


def gpt_oss(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit("_", 1)[1]: a for name, a in read_safetensors(path).items()}
    experts, rows, blocks, _ = t["blocks"].shape
    codes = nibbles(t["blocks"].reshape(experts * rows, -1))
    # The producer's loader transposes.
    values = reference.transpose(0, 2, 1)
    return Stored(
        "mxfp4", {}, 4, codes, {"scales": t["scales"]}, (experts, rows, 32 * blocks), values
    )


def quark(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj."): a for name, a in read_safetensors(path).items()}
    bits = 4 if kind == "mxfp4" else 6
    codes = from_stream(t["weight"], bits, t["weight"].shape[1] * 8 // bits)
    choices = {"scale-rule": "even", "zero-sign": "positive"}
    return Stored(kind, choices, bits, codes, {"scales": t["weight_scale"]}, codes.shape, reference)


def bitsandbytes(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj.weight"): a for name, a in read_safetensors(path).items()}
    codes = high_nibbles_first(t[""], reference.shape[1])
    return Stored("nf4", {}, 4, codes, {"scales": t[".absmax"]}, codes.shape, reference)


def ggml(path: Path, kind: str, name: str, reference: NDArray) -> Stored:
    """One tensor of a GGUF file, by the layouts of its blocks."""
    raw, shape = read_gguf(path)[name]
    rows, columns = shape
    return GGML[kind](raw.reshape(rows, -1), rows, columns, reference)


PRODUCERS: dict[str, Callable[[Path, str, NDArray], Stored]] = {
    "mlx": mlx, "torchao": torchao, "modelopt": modelopt, "compressed-tensors": compressed_tensors,
    "deepseek-fp8": deepseek, "gpt-oss": gpt_oss, "quark": quark, "bitsandbytes": bitsandbytes,
}


def files(folder: Path) -> list[tuple[str, str, str, Path, Path]]:
    """Producer, kind and input of every file, with the file and its dequantization."""
    found = []
    for producer in PRODUCERS:
        for path in sorted((folder / producer).iterdir()):
            if path.is_dir():
                kind, name = path.name.rsplit("-", 1)
                found.append(
                    (producer, kind, name, path / "model.safetensors", path / "dequantized.npy")
                )
            elif path.suffix == ".safetensors":
                kind, name = path.stem.rsplit("-", 1)
                found.append((producer, kind, name, path, path.with_suffix(".dequantized.npy")))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fmtbench", default="fmtbench")
    options = parser.parse_args()
    failures = 0
    print(f"{'producer':<20}{'kind':<20}{'input':<14}{'values equal':<18}{'worst ulp':<11}codes, scales equal")
    with tempfile.TemporaryDirectory() as temporary:
        fmtbench = Fmtbench(options.fmtbench, Path(temporary))
        for producer, kind, name, path, dequantized in files(options.folder):
            values = np.load(options.folder / "inputs" / f"{name}.npy")
            stored = PRODUCERS[producer](path, kind, np.load(dequantized))
            if producer == "gpt-oss":
                values = values.reshape(stored.shape) if values.size == np.prod(stored.shape) else values
            outcome = compare(fmtbench, stored, values)
            counts = ", ".join(
                f"{name} {equal}/{all}" + ("" if equal == all else " *")
                for name, (equal, all) in outcome.counts.items()
            )
            print(
                f"{producer:<20}{kind:<20}{name:<14}"
                f"{outcome.equal_values}/{outcome.values:<10}  {outcome.worst:<10.3g} {counts}"
            )
            failures += outcome.equal_values != outcome.values
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

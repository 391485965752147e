"""Files that producers wrote, decoded and encoded again by `fmtbench`.

    python dialects.py FOLDER [--fmtbench PATH] [--vectors FILE]

FOLDER holds one folder for each producer: safetensors files with the producer's own dequantization as
`.npy` beside them, and the inputs that they were made of. Nothing of it is kept here; only the counts
that this script prints are. For each file it prints how many decoded values are the producer's to the bit,
and how many codes and scales of `fmtbench encode` under the producer's choices are the file's. FILE
receives the small files as vectors for the tests.

The containers are read by a few lines of this script, as plain arrays of bytes; GGUF by the package of that
name. Needs numpy and gguf.
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

import gguf
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

    preset: str
    """What `fmtbench list --producers` calls it, or the id of a format without choices."""
    codes: Codes
    scales: dict[str, NDArray]
    """FP32 numbers, or codes as U16 or U8."""
    shape: tuple[int, ...]
    reference: NDArray[np.float32]
    decoding: str = "fp32"
    """The type of the producer's values."""


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
        done = subprocess.run(
            [path, "list", "--producers", "--json"], capture_output=True, text=True, check=True
        )
        self.presets = {
            (row["producer"], row["name"]): row for row in json.loads(done.stdout)["rows"]
        }

    def run(self, *words: str) -> None:
        done = subprocess.run([self.path, *words, "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(words)}: {done.stderr.strip()}")

    def words(self, producer: str, preset: str) -> list[str]:
        """The options of a producer's choices, or of a format's defaults."""
        row = self.presets.get((producer, preset))
        if row is None:
            return ["--format", preset]
        choices = set(row["choices"].split())
        return ["--format", row["format"]] + [
            f"--{key.replace('_', '-')}={value}"
            for key, value in row.items()
            if value in choices and key not in ("producer", "name", "format", "choices")
        ]

    def encoded(self, words: list[str], values: NDArray[np.float32]) -> Path:
        source, result = self.folder / "values.npy", self.folder / "encoded.safetensors"
        np.save(source, np.ascontiguousarray(values))
        self.run("encode", str(source), "--output", str(result), "--codes", *words)
        return result

    def decoded(self, stored: Stored, words: list[str]) -> NDArray[np.float32]:
        """What the library decodes the producer's fields to, in a file of its own layout."""
        source, result = self.folder / "stored.safetensors", self.folder / "decoded.npy"
        data = self.encoded(words[:2], np.zeros(stored.shape, np.float32)).read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__")
        # Rows of the files at hand end with a byte.
        bits = int(np.prod(header["packed"]["shape"])) * 8 // stored.codes.size
        tensors = {}
        for name, facts in header.items():
            if name == "codes":
                continue
            if name == "packed":
                plane = to_stream(stored.codes, bits)
            else:
                plane = stored.scales[name]
                first, last = facts["data_offsets"]
                if plane.nbytes != last - first:
                    plane = to_stream(plane.astype(np.uint32), 8 * (last - first) // plane.size)
            tensors[name] = np.ascontiguousarray(plane).reshape(facts["shape"])
        write_safetensors(source, tensors, metadata)
        self.run("decode", str(source), "--output", str(result))
        return np.load(result)


def compare(
    fmtbench: Fmtbench, producer: str, stored: Stored, values: NDArray[np.float32]
) -> Outcome:
    """Decodes the file's fields, encodes the input, and counts."""
    outcome = Outcome()
    words = fmtbench.words(producer, stored.preset)
    ours = fmtbench.decoded(stored, words).reshape(-1)
    theirs = stored.reference.astype(np.float32).reshape(-1)
    if stored.decoding == "bf16":
        bits = ours.view(np.uint32).astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        ours = rounded.astype(np.uint32).view(np.float32)
    equal = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    outcome.values, outcome.equal_values = ours.size, int(equal.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        ulps = np.abs(ours.astype(np.float64) - theirs) / np.spacing(np.abs(theirs))
    ulps = np.where(np.isfinite(ulps), ulps, np.inf)
    outcome.worst = float(np.max(np.where(equal, 0, ulps), initial=0))
    mine = read_safetensors(fmtbench.encoded(words, values.reshape(stored.shape)))
    outcome.counts["codes"] = (
        int((mine["codes"].reshape(stored.codes.shape) == stored.codes).sum()), stored.codes.size
    )
    for name, plane in stored.scales.items():
        if mine[name].nbytes != plane.nbytes:
            bits = 8 * mine[name].nbytes // plane.size
            mine[name] = from_stream(mine[name].reshape(plane.shape[0], -1), bits, plane.shape[1])
        own, other = mine[name].reshape(-1), np.ascontiguousarray(plane).reshape(-1)
        if own.dtype == np.float32:
            own, other = own.view(np.uint32), other.astype(np.float32).view(np.uint32)
        outcome.counts[name] = (int((own == other).sum()), own.size)
    return outcome


# MARK: - Producers

def mlx(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("layer."): a for name, a in read_safetensors(path).items()}
    bits = int(kind[6]) if kind.startswith("affine") else 8 if kind == "mxfp8" else 4
    codes = from_stream(t["weight"], bits, t["weight"].shape[1] * 32 // bits)
    scales = {name: t[name] for name in ("scales", "biases") if name in t}
    if "global_scale" in t:
        scales["tensor_scale"] = t["global_scale"] / np.float32(2688)
    return Stored(kind.removesuffix("_g64"), codes, scales, codes.shape, reference)


def torchao(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj._weight_"): a for name, a in read_safetensors(path).items()}
    data, scale = t["qdata"].view(np.uint8), t["scale"].view(np.uint8)
    # FP6 has a code in each byte.
    codes = nibbles(data) if "fp4" in kind else data.astype(np.uint32)
    if "swizzled" in kind:
        scale = unswizzled(scale, codes.shape[0], codes.shape[1] // 16)
    fields = {"scales": scale}
    if "per_tensor_scale" in t:
        fields["tensor_scale"] = t["per_tensor_scale"]
    return Stored(kind.removesuffix("_swizzled"), codes, fields, codes.shape, reference)


def modelopt(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    weight = t["weight"].view(np.uint8)
    codes = nibbles(weight) if "fp4" in kind else weight.astype(np.uint32)
    fields = {"scales": t["weight_scale"]}
    if "weight_scale_2" in t:
        fields["tensor_scale"] = t["weight_scale_2"]
    return Stored(kind, codes, fields, codes.shape, reference)


def compressed_tensors(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    fields = {"scales": t["weight_scale"]}
    kind = {"fp8_dynamic": "fp8_channel"}.get(kind, kind).removesuffix("a16")
    if kind.startswith("w"):
        bits = int(kind[1])
        offset = from_stream(t["weight_packed"], bits, int(t["weight_shape"][1]))
        codes = (offset - (1 << (bits - 1))) & ((1 << bits) - 1)
    elif "weight_packed" in t:
        bits = 6 if "fp6" in kind else 4
        packed = t["weight_packed"]
        codes = from_stream(packed, bits, packed.shape[1] * 8 // bits)
    else:
        codes = t["weight"].view(np.uint8).astype(np.uint32)
    if "weight_global_scale" in t:
        fields["tensor_scale"] = np.float32(1) / t["weight_global_scale"]
    decoding = "bf16" if "mxfp" in kind or "nvfp" in kind else "fp32"
    return Stored(kind, codes, fields, codes.shape, reference, decoding)


def deepseek(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in read_safetensors(path).items()}
    codes = t["weight"].view(np.uint8).astype(np.uint32)
    return Stored("fp8", codes, {"scales": t["weight_scale_inv"]}, codes.shape, reference)


def gpt_oss(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.rsplit("_", 1)[1]: a for name, a in read_safetensors(path).items()}
    experts, rows, blocks, _ = t["blocks"].shape
    codes = nibbles(t["blocks"].reshape(experts * rows, -1))
    # The producer's loader transposes.
    values = reference.transpose(0, 2, 1)
    return Stored(kind, codes, {"scales": t["scales"]}, (experts, rows, 32 * blocks), values)


def quark(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj."): a for name, a in read_safetensors(path).items()}
    bits = 4 if kind == "mxfp4" else 6
    codes = from_stream(t["weight"], bits, t["weight"].shape[1] * 8 // bits)
    return Stored(kind, codes, {"scales": t["weight_scale"]}, codes.shape, reference)


def bitsandbytes(path: Path, kind: str, reference: NDArray) -> Stored:
    t = {name.removeprefix("proj.weight"): a for name, a in read_safetensors(path).items()}
    codes = high_nibbles_first(t[""], reference.shape[1])
    return Stored(kind, codes, {"scales": t[".absmax"]}, codes.shape, reference)


# MARK: - ggml's blocks


def half(blocks: Bytes, place: int) -> NDArray:
    """The FP16 numbers at a place of each block, as bits."""
    return np.ascontiguousarray(blocks[:, :, place : place + 2]).view(np.uint16)[:, :, 0]


def halves(data: Bytes, count: int) -> Codes:
    """Codes of four bits, each j beside j + count of every 2 * count."""
    groups = data.reshape(*data.shape[:2], -1, count)
    return np.concatenate([groups & 15, groups >> 4], axis=3).reshape(*data.shape[:2], -1)


def quarters(data: Bytes) -> Codes:
    """Codes of two bits, each j beside j + 32, j + 64 and j + 96 of every 128."""
    groups = data.reshape(*data.shape[:2], -1, 32)
    return np.concatenate(
        [groups >> shift & 3 for shift in (0, 2, 4, 6)], axis=3
    ).reshape(*data.shape[:2], -1)


def eight_parts(data: Bytes) -> tuple[Codes, Codes]:
    """Factors and offsets of six bits for eight parts, in twelve bytes."""
    low, mid, high = data[:, :, :4], data[:, :, 4:8], data[:, :, 8:]
    return (
        np.concatenate([low & 63, (high & 15) | (low >> 6 << 4)], axis=2),
        np.concatenate([mid & 63, (high >> 4) | (mid >> 6 << 4)], axis=2),
    )


def ggml_fields(kind: str, b: Bytes) -> tuple[Codes, dict[str, NDArray]]:
    """Codes and other fields of blocks [rows, blocks, bytes]."""
    match kind:
        case "q4_0":
            return halves(b[:, :, 2:], 16), {"scales": half(b, 0)}
        case "q4_1":
            return halves(b[:, :, 4:], 16), {"scales": half(b, 0), "mins": half(b, 2)}
        case "q5_0":
            high = np.unpackbits(b[:, :, 2:6], axis=2, bitorder="little")
            return halves(b[:, :, 6:], 16) | high << 4, {"scales": half(b, 0)}
        case "q8_0":
            return b[:, :, 2:], {"scales": half(b, 0)}
        case "mxfp4":
            return halves(b[:, :, 1:], 16), {"scales": b[:, :, 0]}
        case "nvfp4":
            return halves(b[:, :, 4:], 8), {"scales": b[:, :, :4]}
        case "q4_k":
            scales, mins = eight_parts(b[:, :, 4:16])
            numbers = {"block_scales": half(b, 0), "block_mins": half(b, 2)}
            return halves(b[:, :, 16:], 32), {"scales": scales, "mins": mins} | numbers
        case _:
            codes = halves(b[:, :, :128], 64) | quarters(b[:, :, 128:192]) << 4
            return codes, {"scales": b[:, :, 192:208], "block_scales": half(b, 208)}


def ggml(path: Path, name: str, reference: NDArray) -> Stored:
    """One tensor of a GGUF file."""
    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == name)
    kind = tensor.tensor_type.name.lower()
    length, byte_count = gguf.GGML_QUANT_SIZES[tensor.tensor_type]
    rows, columns = reference.shape
    blocks = np.ascontiguousarray(tensor.data).view(np.uint8).reshape(
        rows, columns // length, byte_count
    )
    codes, fields = ggml_fields(kind, blocks)
    flat = {name: plane.reshape(rows, -1) for name, plane in fields.items()}
    return Stored(kind, codes.reshape(rows, -1).astype(np.uint32), flat, reference.shape, reference)


def ggml_files(folder: Path) -> list[tuple[str, str, Stored]]:
    """Kind, input and tensor of every dequantization beside the GGUF files."""
    found = []
    for path in sorted([*folder.glob("gguf-py/*.gguf"), *folder.glob("ggml-c/*.gguf")]):
        kind = path.name.split("-")[0]
        for dequantized in sorted(path.parent.glob(f"{kind}-*.dequantized.npy")):
            name = dequantized.name.removeprefix(f"{kind}-").removesuffix(".dequantized.npy")
            tensors = [t.name for t in gguf.GGUFReader(path).tensors]
            tensor = next(t for t in tensors if name in t)
            found.append((kind, name, ggml(path, tensor, np.load(dequantized))))
    return found


PRODUCERS: dict[str, Callable[[Path, str, NDArray], Stored]] = {
    "mlx": mlx, "torchao": torchao, "modelopt": modelopt, "compressed-tensors": compressed_tensors,
    "deepseek": deepseek, "gpt-oss": gpt_oss, "quark": quark, "bitsandbytes": bitsandbytes,
}


def files(folder: Path) -> list[tuple[str, str, str, Path, Path]]:
    """Producer, kind and input of every file, with the file and its dequantization."""
    found = []
    for producer in PRODUCERS:
        for path in sorted(next(folder.glob(f"{producer}*")).iterdir()):
            if path.is_dir():
                kind, name = path.name.rsplit("-", 1)
                found.append(
                    (producer, kind, name, path / "model.safetensors", path / "dequantized.npy")
                )
            elif path.suffix == ".safetensors":
                kind, name = path.stem.rsplit("-", 1)
                found.append((producer, kind, name, path, path.with_suffix(".dequantized.npy")))
    return found


VERSIONS = (
    "mlx 0.32.4, torchao 0.18.0, nvidia-modelopt 0.47.0, compressed-tensors 0.20.0, amd-quark 0.13, "
    "bitsandbytes 0.50.2; gpt-oss laid out by transformers 5.24.0"
)


def vector(producer: str, stored: Stored, values: NDArray[np.float32]) -> dict[str, object]:
    """A small file as a case of a test."""

    def words(array: NDArray, bits: int) -> str:
        flat = np.ascontiguousarray(array).reshape(-1)
        if flat.dtype == np.float32:
            flat = flat.view(np.uint32)
        return " ".join(f"{int(word):0{bits // 4}x}" for word in flat)

    def width(plane: NDArray) -> int:
        return 8 * plane.dtype.itemsize

    fields = {name: words(plane, width(plane)) for name, plane in stored.scales.items()}
    return {
        "producer": producer, "preset": stored.preset, "shape": list(stored.shape),
        "input": words(values, 32),
        "fields": {"codes": words(stored.codes.astype(np.uint8), 8)} | fields,
        "decoded": words(stored.reference, 32), "decoding": stored.decoding,
    }


def write_vectors(path: Path, cases: list[dict[str, object]]) -> None:
    """Writes the cases with where they come from."""
    header = {
        "tool": "the producers' own packages, on the CPU",
        "version": VERSIONS,
        "command": "python3 Benchmarks/peers/dialects.py FOLDER --vectors FILE",
        "date": "2026-11-28",
        "source": "files that the producers wrote of random values and of ties of E2M1",
        "comment": "codes in the order of the values, scales as stored, tensor scales as decode "
        "multipliers; decoding bf16: the producer rounds its values to BF16",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"header": header, "cases": cases}, indent=1) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fmtbench", default="fmtbench")
    parser.add_argument("--vectors", type=Path)
    options = parser.parse_args()
    failures, cases = 0, []
    print(
        f"{'producer':<20}{'kind':<20}{'input':<14}{'values equal':<18}{'worst ulp':<11}"
        "codes, scales equal"
    )
    with tempfile.TemporaryDirectory() as temporary:
        fmtbench = Fmtbench(options.fmtbench, Path(temporary))
        tensors = [
            (producer, kind, name, PRODUCERS[producer](path, kind, np.load(dequantized)))
            for producer, kind, name, path, dequantized in files(options.folder)
        ] + [("ggml", *entry) for entry in ggml_files(options.folder)]
        for producer, kind, name, stored in tensors:
            values = np.load(options.folder / "inputs" / f"{name}.npy")
            if stored.codes.size <= 512 and stored.preset in {n for p, n in fmtbench.presets if p == producer}:
                cases.append(vector(producer, stored, values))
            outcome = compare(fmtbench, producer, stored, values)
            counts = ", ".join(
                f"{name} {equal}/{all}" + ("" if equal == all else " *")
                for name, (equal, all) in outcome.counts.items()
            )
            print(
                f"{producer:<20}{kind:<20}{name:<14}"
                f"{outcome.equal_values}/{outcome.values:<10}  {outcome.worst:<10.3g} {counts}"
            )
            # Scales beyond FP16 are infinite there and end at 65504 here.
            halves = [plane for plane in stored.scales.values() if plane.dtype == np.uint16]
            if not any(((plane & 0x7C00) == 0x7C00).any() for plane in halves):
                failures += any(equal != all for equal, all in outcome.counts.values())
            # Producers round the product of two scales, and then that with the element.
            failures += outcome.worst > (1 if "tensor_scale" in stored.scales else 0)
    if options.vectors:
        write_vectors(options.vectors, cases)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

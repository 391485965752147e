"""Readers of producers' safetensors: the tensors of one layer become the fields of a format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialect_fields import Bytes, Case, Codes, Floats, Stored, from_stream, nibbles
from safetensors_files import read_safetensors

Tensors = dict[str, NDArray]
"""Of one layer, by their names in the file."""


def high_nibbles_first(stream: Bytes, columns: int) -> Codes:
    """Two codes a byte, the high half first, over the flattened tensor."""
    flat = stream.reshape(-1)
    return np.stack([flat >> 4, flat & 15], axis=1).astype(np.uint32).reshape(-1, columns)


def unswizzled(scales: Bytes, rows: int, columns: int) -> Bytes:
    """Scales from tiles of 128 rows and 4 columns."""
    r, c = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    tile = (r // 128) * -(-columns // 4) + c // 4
    return scales.reshape(-1)[tile * 512 + (r % 32) * 16 + (r % 128) // 32 * 4 + c % 4]


# MARK: - Producers


def mlx(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.removeprefix("layer."): a for name, a in tensors.items()}
    bits = int(kind[6]) if kind.startswith("affine") else 8 if kind == "mxfp8" else 4
    codes = from_stream(t["weight"], bits, t["weight"].shape[1] * 32 // bits)
    scales: Tensors = {name: t[name] for name in ("scales", "biases") if name in t}
    if "global_scale" in t:
        scales["tensor_scale"] = t["global_scale"] / np.float32(2688)
    return Stored(kind.removesuffix("_g64"), codes, scales, codes.shape, reference)


def torchao(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.removeprefix("proj._weight_"): a for name, a in tensors.items()}
    data, scale = t["qdata"].view(np.uint8), t["scale"].view(np.uint8)
    # FP6 has a code in each byte.
    codes = nibbles(data) if "fp4" in kind else data.astype(np.uint32)
    if "swizzled" in kind:
        scale = unswizzled(scale, codes.shape[0], codes.shape[1] // 16)
    fields = {"scales": scale}
    if "per_tensor_scale" in t:
        fields["tensor_scale"] = t["per_tensor_scale"]
    return Stored(kind.removesuffix("_swizzled"), codes, fields, codes.shape, reference)


def modelopt(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in tensors.items()}
    weight = t["weight"].view(np.uint8)
    codes = nibbles(weight) if "fp4" in kind else weight.astype(np.uint32)
    fields = {"scales": t["weight_scale"]}
    if "weight_scale_2" in t:
        fields["tensor_scale"] = t["weight_scale_2"]
    return Stored(kind, codes, fields, codes.shape, reference)


def compressed_tensors(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in tensors.items()}
    fields = {"scales": t["weight_scale"]}
    kind = {"fp8_dynamic": "fp8_channel"}.get(kind, kind).removesuffix("a16")
    if kind.startswith("w"):
        bits = int(kind[1])
        offset = from_stream(t["weight_packed"], bits, int(t["weight_shape"][1]))
        codes = (offset - np.uint32(1 << (bits - 1))) & np.uint32((1 << bits) - 1)
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


def deepseek(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.rsplit(".", 1)[1]: a for name, a in tensors.items()}
    codes = t["weight"].view(np.uint8).astype(np.uint32)
    return Stored("fp8", codes, {"scales": t["weight_scale_inv"]}, codes.shape, reference)


def gpt_oss(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.rsplit("_", 1)[1]: a for name, a in tensors.items()}
    experts, rows, blocks, _ = t["blocks"].shape
    codes = nibbles(t["blocks"].reshape(experts * rows, -1))
    # The producer's loader transposes.
    values = reference.transpose(0, 2, 1)
    return Stored(kind, codes, {"scales": t["scales"]}, (experts, rows, 32 * blocks), values)


def quark(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.removeprefix("proj."): a for name, a in tensors.items()}
    bits = 4 if kind == "mxfp4" else 6
    codes = from_stream(t["weight"], bits, t["weight"].shape[1] * 8 // bits)
    return Stored(kind, codes, {"scales": t["weight_scale"]}, codes.shape, reference)


def bitsandbytes(tensors: Tensors, kind: str, reference: Floats) -> Stored:
    t = {name.removeprefix("proj.weight"): a for name, a in tensors.items()}
    codes = high_nibbles_first(t[""], reference.shape[1])
    return Stored(kind, codes, {"scales": t[".absmax"]}, codes.shape, reference)


PRODUCERS: dict[str, Callable[[Tensors, str, Floats], Stored]] = {
    "mlx": mlx, "torchao": torchao, "modelopt": modelopt, "compressed-tensors": compressed_tensors,
    "deepseek": deepseek, "gpt-oss": gpt_oss, "quark": quark, "bitsandbytes": bitsandbytes,
}


def case(folder: Path, producer: str, stem: str, path: Path, dequantized: Path) -> Case:
    """A file whose name is its kind and its input."""
    kind, name = stem.rsplit("-", 1)
    stored = PRODUCERS[producer](read_safetensors(path), kind, np.load(dequantized))
    return Case(producer, kind, name, stored, np.load(folder / "inputs" / f"{name}.npy"))


def safetensors_cases(folder: Path) -> list[Case]:
    """Every file of every producer."""
    found = []
    for producer in PRODUCERS:
        for path in sorted(next(folder.glob(f"{producer}*")).iterdir()):
            if path.is_dir():
                file, values = path / "model.safetensors", path / "dequantized.npy"
                found.append(case(folder, producer, path.name, file, values))
            elif path.suffix == ".safetensors":
                values = path.with_suffix(".dequantized.npy")
                found.append(case(folder, producer, path.stem, path, values))
    return found

"""ggml's blocks in GGUF files as the fields of formats. The container is read by the package gguf."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from dialect_fields import Bytes, Case, Codes, Floats, Stored


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


def ggml_fields(kind: str, b: Bytes) -> tuple[NDArray, dict[str, NDArray]]:
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


def ggml(path: Path, name: str, reference: Floats) -> Stored:
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


def ggml_cases(folder: Path) -> list[Case]:
    """Every dequantization beside the GGUF files."""
    found = []
    for path in sorted([*folder.glob("gguf-py/*.gguf"), *folder.glob("ggml-c/*.gguf")]):
        kind = path.name.split("-")[0]
        for dequantized in sorted(path.parent.glob(f"{kind}-*.dequantized.npy")):
            name = dequantized.name.removeprefix(f"{kind}-").removesuffix(".dequantized.npy")
            tensors = [t.name for t in gguf.GGUFReader(path).tensors]
            tensor = next(t for t in tensors if name in t)
            stored = ggml(path, tensor, np.load(dequantized))
            values = np.load(folder / "inputs" / f"{name}.npy")
            found.append(Case("ggml", kind, name, stored, values))
    return found

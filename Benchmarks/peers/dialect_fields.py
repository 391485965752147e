"""What the readers of producers' files hand over, and codes and numbers as bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint32]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass
class Stored:
    """A producer's tensor in the fields of a format of ours."""

    preset: str
    """What `fmtbench list --producers` calls it, or the id of a format without choices."""
    codes: Codes
    scales: dict[str, NDArray]
    """FP32 numbers, or codes as U16 or U8."""
    shape: tuple[int, ...]
    reference: Floats
    decoding: str = "fp32"
    """The type of the producer's values."""


@dataclass
class Case:
    """A producer's tensor and what it was made of."""

    producer: str
    kind: str
    name: str
    """The input's, or the weight's in its checkpoint."""
    stored: Stored
    values: Floats
    sharing: list[Floats] | None = None
    """In a checkpoint, the weights whose largest magnitude gave the tensor scale. It is given to
    the encoder then."""
    scales_in_bf16: bool = False
    """Whether the producer finds scales in BF16 (see `dialect_checkpoints`)."""


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


def rounded_to_bf16(values: Floats) -> Floats:
    """The nearest BF16 numbers, ties to even."""
    bits = values.view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
    return rounded.astype(np.uint32).view(np.float32)


def from_bf16(bits: NDArray[np.uint16]) -> Floats:
    """The numbers of BF16 bits."""
    return (bits.astype(np.uint32) << 16).view(np.float32)

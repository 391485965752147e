"""What a peer offers to this comparison."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from arrays import Floats, Normals

Codes = NDArray[np.unsignedinteger]


class Direction(Enum):
    """Directions as `fmtbench speed` names them."""

    ENCODE = "encode"
    DECODE = "decode"
    FAKE_QUANTIZE = "fake_quantize"


@dataclass(frozen=True)
class Operation:
    """One call of a peer that does what one of our formats does."""

    format: str
    """Our format's id."""
    direction: Direction
    call: str
    """The peer's functions and what they include, for the reader."""
    prepare: Callable[[], Callable[[], object]]
    """Makes inputs and outputs, and compiles; only the call it returns is timed."""
    elements: int


@dataclass(frozen=True)
class Stored:
    """A quantized matrix: one code for each element, one scale for each block."""

    codes: Codes
    scales: NDArray[np.generic] | None = None
    tensor_scale: float | None = None


@dataclass(frozen=True)
class Check:
    """An encoding that should give our codes."""

    format: str
    options: tuple[str, ...]
    """Options of `fmtbench encode` that choose the peer's rule, for example the scale rule."""
    call: str
    encode: Callable[[Floats], Stored]


class Peer(ABC):
    """A library that quantizes on the CPU.

    A subclass imports its library in `__init__`; an ImportError means that it is not available.
    """

    name: str
    uses_threads: bool = False

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """The version of each package that takes part."""

    @abstractmethod
    def operations(self, normals: Normals) -> Sequence[Operation]:
        """The calls to time."""

    def checks(self) -> Sequence[Check]:
        """The encodings to compare with ours."""
        return []

    def set_threads(self, count: int) -> None:
        """Lets the library use that many threads; called only if it uses threads at all."""


def unpack_nibbles(packed: NDArray[np.uint8], rows: int) -> Codes:
    """Codes of four bits, the low half of a byte first."""
    flat = packed.reshape(-1)
    codes = np.stack([flat & 15, flat >> 4], axis=-1)
    return codes.reshape(rows, -1)

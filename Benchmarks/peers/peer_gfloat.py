"""gfloat: a readable definition of formats in Python and NumPy, not made for speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from arrays import Floats, Normals
from operations import Check, Direction, Operation, Peer, Stored

MOST_ELEMENTS = 1 << 18
"""Its array functions take tens of nanoseconds an element."""
MOST_BLOCK_ELEMENTS = 1 << 12
"""Its block functions go through a Python generator for each element."""


class GFloat(Peer):
    name = "gfloat"

    def __init__(self) -> None:
        import gfloat
        from gfloat import formats

        self.gfloat = gfloat
        self.formats = formats
        self.elements: dict[str, Any] = {
            "e2m1fn": formats.format_info_ocp_e2m1,
            "e4m3fn": formats.format_info_ocp_e4m3,
        }

    def versions(self) -> dict[str, str]:
        return {"gfloat": version("gfloat")}

    def operations(self, normals: Normals) -> Sequence[Operation]:
        x = normals.rows(at_most=MOST_ELEMENTS)
        operations = []
        for format, element in self.elements.items():
            operations += self._element(x, format, element)
        return [*operations, self._block(normals.rows(at_most=MOST_BLOCK_ELEMENTS))]

    def _element(self, x: Floats, format: str, element: Any) -> list[Operation]:
        def decode() -> Callable[[], object]:
            codes = self._encode(element, x)
            return lambda: self.gfloat.decode_ndarray(element, codes)

        return [
            Operation(
                format,
                Direction.ENCODE,
                "round_ndarray, encode_ndarray",
                lambda: lambda: self._encode(element, x),
                x.size,
            ),
            Operation(format, Direction.DECODE, "decode_ndarray", decode, x.size),
            Operation(
                format,
                Direction.FAKE_QUANTIZE,
                "round_ndarray",
                lambda: lambda: self.gfloat.round_ndarray(element, x, sat=True),
                x.size,
            ),
        ]

    def _encode(self, element: Any, x: Floats) -> Any:
        return self.gfloat.encode_ndarray(element, self.gfloat.round_ndarray(element, x, sat=True))

    def _block(self, x: Floats) -> Operation:
        info = self.formats.format_info_mxfp4_e2m1
        blocks = x.reshape(-1, info.k).astype(np.float64)

        def call() -> None:
            for block in blocks:
                self.gfloat.quantize_block(info, block, self.gfloat.compute_scale_amax)

        return Operation(
            "mxfp4", Direction.FAKE_QUANTIZE, "quantize_block, floor", lambda: call, x.size
        )

    def checks(self) -> Sequence[Check]:
        def cast(element: Any) -> Callable[[Floats], Stored]:
            return lambda values: Stored(self._encode(element, values).astype(np.uint8))

        return [
            Check(format, (), "round_ndarray, encode_ndarray", cast(element))
            for format, element in self.elements.items()
        ]

"""ml_dtypes: casts of single elements in NumPy, without threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arrays import Floats, Normals
from operations import Check, Direction, Operation, Peer, Stored

E4M3_LARGEST = np.float32(448)


class MLDtypes(Peer):
    name = "ml_dtypes"

    def __init__(self) -> None:
        import ml_dtypes

        self.ml_dtypes = ml_dtypes
        self.casts: dict[str, Any] = {
            "bf16": ml_dtypes.bfloat16,
            "e4m3fn": ml_dtypes.float8_e4m3fn,
            "e5m2": ml_dtypes.float8_e5m2,
            "e2m3fn": ml_dtypes.float6_e2m3fn,
            "e3m2fn": ml_dtypes.float6_e3m2fn,
            "e2m1fn": ml_dtypes.float4_e2m1fn,
        }

    def versions(self) -> dict[str, str]:
        return {"ml_dtypes": self.ml_dtypes.__version__, "numpy": np.__version__}

    def operations(self, normals: Normals) -> Sequence[Operation]:
        x = normals.rows()
        operations = []
        for format, dtype in self.casts.items():
            operations += self._cast(x, format, dtype)
        return [*operations, *self._e4m3_per_tensor(x)]

    def _cast(self, x: Floats, format: str, dtype: Any) -> list[Operation]:
        def encode() -> Callable[[], object]:
            out = np.zeros(x.shape, dtype)
            return lambda: np.copyto(out, x, casting="unsafe")

        def decode() -> Callable[[], object]:
            codes, out = x.astype(dtype), np.zeros_like(x)
            return lambda: np.copyto(out, codes, casting="unsafe")

        name = np.dtype(dtype).name
        return [
            Operation(format, Direction.ENCODE, f"cast to {name}", encode, x.size),
            Operation(format, Direction.DECODE, f"cast from {name}", decode, x.size),
        ]

    def _e4m3_per_tensor(self, x: Floats) -> list[Operation]:
        dtype = self.ml_dtypes.float8_e4m3fn

        def encode() -> Callable[[], object]:
            scaled, out = np.zeros_like(x), np.zeros(x.shape, dtype)

            def call() -> None:
                np.divide(x, self._scale(x), out=scaled)
                np.copyto(out, scaled, casting="unsafe")

            return call

        def decode() -> Callable[[], object]:
            scale, out = self._scale(x), np.zeros_like(x)
            codes = (x / scale).astype(dtype)

            def call() -> None:
                np.copyto(out, codes, casting="unsafe")
                np.multiply(out, scale, out=out)

            return call

        format = "fp8_e4m3_tensor"
        return [
            Operation(
                format, Direction.ENCODE, "amax, divide, cast to float8_e4m3fn", encode, x.size
            ),
            Operation(
                format, Direction.DECODE, "cast from float8_e4m3fn, multiply", decode, x.size
            ),
        ]

    def _scale(self, x: Floats) -> np.float32:
        """The multiplier that decodes; the amax without a copy of absolute values."""
        return np.float32(max(x.max(), -x.min()) / E4M3_LARGEST)

    def checks(self) -> Sequence[Check]:
        def cast(dtype: Any) -> Callable[[Floats], Stored]:
            container = np.uint16 if np.dtype(dtype).itemsize == 2 else np.uint8
            return lambda values: Stored(values.astype(dtype).view(container))

        def e4m3(values: Floats) -> Stored:
            scale = self._scale(values)
            codes = (values / scale).astype(self.ml_dtypes.float8_e4m3fn)
            return Stored(codes.view(np.uint8), np.array([scale]))

        # The element types that have infinities or NaN overflow to them.
        special = {"bf16", "e4m3fn", "e5m2"}
        return [
            *(
                Check(
                    format,
                    ("--overflow", "special") if format in special else (),
                    f"cast to {np.dtype(dtype).name}",
                    cast(dtype),
                )
                for format, dtype in self.casts.items()
            ),
            Check("fp8_e4m3_tensor", (), "amax, divide, cast", e4m3),
        ]

"""mlx: its block modes and casts on the CPU back end, which runs on one thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arrays import Floats, Normals
from operations import Check, Codes, Direction, Operation, Peer, Stored, unpack_nibbles

NVFP4_LARGEST = np.float32(6 * 448)


class MLX(Peer):
    name = "mlx"

    def __init__(self) -> None:
        import mlx.core as mx

        mx.set_default_device(mx.cpu)
        self.mx: Any = mx
        self.modes = {"mxfp4": "mxfp4", "mxfp8_e4m3": "mxfp8", "nvfp4": "nvfp4"}

    def versions(self) -> dict[str, str]:
        return {"mlx": self.mx.__version__}

    def operations(self, normals: Normals) -> Sequence[Operation]:
        mx = self.mx
        x = mx.array(normals.rows())
        mx.eval(x)
        operations = []
        for format, mode in self.modes.items():
            encode, decode = self._block_functions(x, mode)
            call = f"quantize '{mode}'" + (", tensor amax given" if mode == "nvfp4" else "")
            operations += self._pair(x, format, call, encode, f"dequantize '{mode}'", decode)

        def from_fp8(codes: Any) -> Any:
            return mx.from_fp8(codes, mx.float32)

        operations += self._pair(x, "e4m3fn", "to_fp8", mx.to_fp8, "from_fp8", from_fp8)
        for format, dtype in (("bf16", mx.bfloat16), ("fp16", mx.float16)):
            operations += self._cast(x, format, dtype)
        return operations

    def _block_functions(
        self, x: Any, mode: str
    ) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
        options = self._options(x, mode)

        def encode(values: Any) -> Any:
            return self.mx.quantize(values, mode=mode, **options)

        def decode(parts: Any) -> Any:
            return self.mx.dequantize(*parts, mode=mode, dtype=self.mx.float32, **options)

        return encode, decode

    def _options(self, x: Any, mode: str) -> dict[str, Any]:
        """NVFP4 takes the tensor's amax and derives the tensor scale from it."""
        if mode != "nvfp4":
            return {}
        amax = self.mx.max(self.mx.abs(x))
        self.mx.eval(amax)
        return {"global_scale": amax}

    def _cast(self, x: Any, format: str, dtype: Any) -> list[Operation]:
        name = str(dtype).removeprefix("mlx.core.")
        return self._pair(
            x,
            format,
            f"astype {name}",
            lambda values: values.astype(dtype),
            "astype float32",
            lambda codes: codes.astype(self.mx.float32),
        )

    def _pair(
        self,
        x: Any,
        format: str,
        encode_call: str,
        encode: Callable[[Any], Any],
        decode_call: str,
        decode: Callable[[Any], Any],
    ) -> list[Operation]:
        """Both directions; `eval` makes mlx compute what it otherwise only notes down."""
        evaluate = self.mx.eval

        def prepare_decode() -> Callable[[], object]:
            codes = encode(x)
            evaluate(codes)
            return lambda: evaluate(decode(codes))

        return [
            Operation(
                format, Direction.ENCODE, encode_call, lambda: lambda: evaluate(encode(x)), x.size
            ),
            Operation(format, Direction.DECODE, decode_call, prepare_decode, x.size),
        ]

    def checks(self) -> Sequence[Check]:
        # Scales that never clip; 1 for blocks of zeros.
        power_of_two = ("--scale-rule", "rceil", "--zero-block", "one")
        blocks = [
            Check(
                format,
                () if mode == "nvfp4" else power_of_two,
                f"quantize '{mode}'",
                self._block_check(mode),
            )
            for format, mode in self.modes.items()
        ]

        def to_fp8(values: Floats) -> Stored:
            return Stored(np.array(self.mx.to_fp8(self.mx.array(values))))

        return [*blocks, Check("e4m3fn", (), "to_fp8", to_fp8)]

    def _block_check(self, mode: str) -> Callable[[Floats], Stored]:
        def encode(values: Floats) -> Stored:
            x = self.mx.array(values)
            options = self._options(x, mode)
            words, scales = self.mx.quantize(x, mode=mode, **options)
            packed = np.array(words).view(np.uint8)
            codes: Codes = packed if mode == "mxfp8" else unpack_nibbles(packed, len(values))
            tensor_scale = None
            if options:
                amax = np.float32(options["global_scale"].item())
                tensor_scale = float(amax / NVFP4_LARGEST)
            return Stored(codes, np.array(scales), tensor_scale)

        return encode

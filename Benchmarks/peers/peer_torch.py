"""torch: casts to its small dtypes, and one scale for the tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from arrays import Floats, Normals
from operations import Check, Direction, Operation, Peer, Stored

E4M3_LARGEST = 448.0
INT8_LARGEST = 127.0


class Torch(Peer):
    name = "torch"
    uses_threads = True

    def __init__(self) -> None:
        import torch

        self.torch: Any = torch
        self.casts = {
            "bf16": torch.bfloat16,
            "fp16": torch.float16,
            "e4m3fn": torch.float8_e4m3fn,
            "e5m2": torch.float8_e5m2,
        }

    def versions(self) -> dict[str, str]:
        return {"torch": self.torch.__version__}

    def set_threads(self, count: int) -> None:
        self.torch.set_num_threads(count)

    def operations(self, normals: Normals) -> Sequence[Operation]:
        # A copy, because torch warns of arrays that it may not write.
        x = self.torch.from_numpy(normals.rows().copy())
        operations = []
        for format, dtype in self.casts.items():
            operations += self._cast(x, format, dtype)
        for compiled in (False, True):
            operations += self._e4m3_per_tensor(x, compiled)
        return [*operations, *self._int8_per_tensor(x)]

    def _cast(self, x: Any, format: str, dtype: Any) -> list[Operation]:
        def encode() -> Callable[[], object]:
            out = self.torch.zeros_like(x, dtype=dtype)
            return lambda: out.copy_(x)

        def decode() -> Callable[[], object]:
            codes, out = x.to(dtype), self.torch.zeros_like(x)
            return lambda: out.copy_(codes)

        name = _name(dtype)
        return [
            Operation(format, Direction.ENCODE, f"cast to {name}", encode, x.numel()),
            Operation(format, Direction.DECODE, f"cast from {name}", decode, x.numel()),
        ]

    def _e4m3_per_tensor(self, x: Any, compiled: bool) -> list[Operation]:
        def encode() -> Callable[[], object]:
            function = self._compiled(self._quantize_e4m3) if compiled else self._quantize_e4m3
            return lambda: function(x)

        def dequantize(codes: Any, scale: Any) -> Any:
            return codes.to(self.torch.float32) * scale

        def decode() -> Callable[[], object]:
            codes, scale = self._quantize_e4m3(x)
            function = self._compiled(dequantize) if compiled else dequantize
            return lambda: function(codes, scale)

        format, suffix = "fp8_e4m3_tensor", ", compiled" if compiled else ""
        encode_call = f"amax, divide, clamp, cast to float8_e4m3fn{suffix}"
        decode_call = f"cast from float8_e4m3fn, multiply{suffix}"
        return [
            Operation(format, Direction.ENCODE, encode_call, encode, x.numel()),
            Operation(format, Direction.DECODE, decode_call, decode, x.numel()),
        ]

    def _quantize_e4m3(self, x: Any) -> tuple[Any, Any]:
        """Codes and the multiplier that decodes them."""
        scale = x.abs().amax() / E4M3_LARGEST
        # torch before 2.12 casts what lies above the largest value to NaN.
        scaled = (x / scale).clamp(-E4M3_LARGEST, E4M3_LARGEST)
        return scaled.to(self.torch.float8_e4m3fn), scale

    def _compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # Compiled loops keep the thread count that was set when they were compiled.
        self.torch._dynamo.reset()
        compiled: Callable[..., Any] = self.torch.compile(function)
        return compiled

    def _int8_per_tensor(self, x: Any) -> list[Operation]:
        def decode() -> Callable[[], object]:
            codes = self._quantize_int8(x)
            return lambda: codes.dequantize()

        def fake() -> object:
            scale = self._int8_scale(x)
            return self.torch.fake_quantize_per_tensor_affine(x, scale, 0, -127, 127)

        format, count = "int8_tensor", x.numel()
        return [
            Operation(
                format,
                Direction.ENCODE,
                "amax, quantize_per_tensor",
                lambda: lambda: self._quantize_int8(x),
                count,
            ),
            Operation(format, Direction.DECODE, "dequantize", decode, count),
            Operation(
                format,
                Direction.FAKE_QUANTIZE,
                "amax, fake_quantize_per_tensor_affine",
                lambda: fake,
                count,
            ),
        ]

    def _quantize_int8(self, x: Any) -> Any:
        return self.torch.quantize_per_tensor(x, self._int8_scale(x), 0, self.torch.qint8)

    @staticmethod
    def _int8_scale(x: Any) -> float:
        """The multiplier that decodes; the amax without a copy of absolute values."""
        least, largest = x.aminmax()
        return max(float(largest), -float(least)) / INT8_LARGEST

    def checks(self) -> Sequence[Check]:
        torch = self.torch

        def cast(dtype: Any) -> Callable[[Floats], Stored]:
            container = torch.uint16 if dtype.itemsize == 2 else torch.uint8

            def encode(values: Floats) -> Stored:
                return Stored(torch.from_numpy(values.copy()).to(dtype).view(container).numpy())

            return encode

        def e4m3(values: Floats) -> Stored:
            codes, scale = self._quantize_e4m3(torch.from_numpy(values.copy()))
            return Stored(codes.view(torch.uint8).numpy(), scale.reshape(1).numpy())

        def int8(values: Floats) -> Stored:
            x = torch.from_numpy(values.copy())
            scale = torch.tensor([self._int8_scale(x)], dtype=torch.float32)
            codes = self._quantize_int8(x).int_repr().view(torch.uint8)
            return Stored(codes.numpy(), scale.numpy())

        # Casts to FP16 and E5M2 overflow to infinity, those to E4M3 saturate.
        overflow = {"fp16": ("--overflow", "special"), "e5m2": ("--overflow", "special")}
        return [
            *(
                Check(format, overflow.get(format, ()), f"cast to {_name(dtype)}", cast(dtype))
                for format, dtype in self.casts.items()
            ),
            Check("fp8_e4m3_tensor", (), "amax, divide, clamp, cast", e4m3),
            Check("int8_tensor", (), "amax, quantize_per_tensor", int8),
        ]


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")

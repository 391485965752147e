"""torchao: MX and NVFP4 blocks and integer rows, eager or compiled by torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arrays import Floats, Normals
from operations import Check, Direction, Operation, Peer, Stored, unpack_nibbles

NVFP4_BLOCK = 16
MX_BLOCK = 32


class TorchAO(Peer):
    """What a call does as written: one torch kernel after the other."""

    name = "torchao"
    uses_threads = True

    def __init__(self) -> None:
        import torch
        import torchao
        from torchao.prototype.mx_formats import mx_tensor, nvfp4_tensor
        from torchao.quantization import quant_primitives

        self.torch = torch
        self.torchao = torchao
        self.mx = mx_tensor
        self.nvfp4 = nvfp4_tensor
        self.primitives = quant_primitives
        self.mx_elements: dict[str, Any] = {
            "mxfp4": torch.float4_e2m1fn_x2,
            "mxfp8_e4m3": torch.float8_e4m3fn,
            "mxfp8_e5m2": torch.float8_e5m2,
        }

    def versions(self) -> dict[str, str]:
        return {"torchao": self.torchao.__version__}

    def set_threads(self, count: int) -> None:
        self.torch.set_num_threads(count)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function as this peer runs it."""
        return function

    def operations(self, normals: Normals) -> Sequence[Operation]:
        x = self.torch.from_numpy(normals.rows().copy())
        operations = []
        for format, element in self.mx_elements.items():
            operations += self._mx(x, format, element)
        return [*operations, *self._nvfp4(x), *self._int8(x)]

    def _mx(self, x: Any, format: str, element: Any) -> list[Operation]:
        def quantize(values: Any) -> Any:
            return self.mx.to_mx(values, element, MX_BLOCK)

        def dequantize(codes: Any, scales: Any) -> Any:
            return self.mx.to_dtype(codes, scales, element, MX_BLOCK, self.torch.float32)

        def encode() -> Callable[[], object]:
            function = self.compiled(quantize)
            return lambda: function(x)

        def decode() -> Callable[[], object]:
            scales, codes = quantize(x)
            function = self.compiled(dequantize)
            return lambda: function(codes, scales)

        count = x.numel()
        return [
            Operation(format, Direction.ENCODE, "to_mx, floor", encode, count),
            Operation(format, Direction.DECODE, "to_dtype float32", decode, count),
        ]

    def _nvfp4(self, x: Any) -> list[Operation]:
        def quantize(values: Any, tensor_scale: Any) -> Any:
            return self.nvfp4.nvfp4_quantize(values, NVFP4_BLOCK, tensor_scale)

        def encode() -> Callable[[], object]:
            tensor_scale = self._tensor_scale(x)
            function = self.compiled(quantize)
            return lambda: function(x, tensor_scale)

        def decode() -> Callable[[], object]:
            tensor = self.nvfp4.NVFP4Tensor.to_nvfp4(x, per_tensor_scale=self._tensor_scale(x))
            function = self.compiled(lambda quantized: quantized.dequantize(self.torch.float32))
            return lambda: function(tensor)

        count = x.numel()
        call = "nvfp4_quantize, tensor scale given"
        return [
            Operation("nvfp4", Direction.ENCODE, call, encode, count),
            Operation("nvfp4", Direction.DECODE, "NVFP4Tensor.dequantize", decode, count),
        ]

    def _tensor_scale(self, x: Any) -> Any:
        return self.nvfp4.per_tensor_amax_to_scale(x.abs().amax())

    def _int8(self, x: Any) -> list[Operation]:
        primitives, block = self.primitives, (1, x.shape[-1])

        def quantize(values: Any) -> Any:
            return self._quantize_rows(values, block)

        def dequantize(codes: Any, scale: Any, zero: Any) -> Any:
            return primitives.dequantize_affine(
                codes, block, scale, zero, self.torch.int8, -127, 127
            )

        def encode() -> Callable[[], object]:
            function = self.compiled(quantize)
            return lambda: function(x)

        def decode() -> Callable[[], object]:
            codes, scale, zero = quantize(x)
            function = self.compiled(dequantize)
            return lambda: function(codes, scale, zero)

        count = x.numel()
        call = "choose_qparams_affine, quantize_affine"
        return [
            Operation("int8_row", Direction.ENCODE, call, encode, count),
            Operation("int8_row", Direction.DECODE, "dequantize_affine", decode, count),
        ]

    def _quantize_rows(self, values: Any, block: tuple[int, int]) -> tuple[Any, Any, Any]:
        int8, primitives = self.torch.int8, self.primitives
        symmetric = primitives.MappingType.SYMMETRIC
        scale, zero = primitives.choose_qparams_affine(values, symmetric, block, int8, -127, 127)
        codes = primitives.quantize_affine(values, block, scale, zero, int8, -127, 127)
        return codes, scale, zero

    def checks(self) -> Sequence[Check]:
        torch, modes = self.torch, self.mx.ScaleCalculationMode

        def bytes_of(tensor: Any) -> Any:
            return tensor.view(torch.uint8).numpy()

        def mx(format: str, mode: Any) -> Callable[[Floats], Stored]:
            def encode(values: Floats) -> Stored:
                x = torch.from_numpy(values.copy())
                scales, codes = self.mx.to_mx(x, self.mx_elements[format], MX_BLOCK, mode)
                codes = bytes_of(codes)
                if format == "mxfp4":
                    codes = unpack_nibbles(codes, len(values))
                return Stored(codes, bytes_of(scales))

            return encode

        def nvfp4(values: Floats) -> Stored:
            x = torch.from_numpy(values.copy())
            tensor_scale = self._tensor_scale(x)
            scales, codes = self.nvfp4.nvfp4_quantize(x, NVFP4_BLOCK, tensor_scale)
            codes = unpack_nibbles(bytes_of(codes), len(values))
            return Stored(codes, bytes_of(scales), float(tensor_scale))

        def int8(values: Floats) -> Stored:
            x = torch.from_numpy(values.copy())
            codes, scale, _ = self._quantize_rows(x, (1, x.shape[-1]))
            return Stored(bytes_of(codes), scale.numpy().astype(np.float32))

        return [
            *(
                Check(
                    format,
                    ("--scale-rule", mode.value),
                    f"to_mx, {mode.value}",
                    mx(format, mode),
                )
                for format in self.mx_elements
                for mode in (modes.FLOOR, modes.RCEIL, modes.CEIL, modes.EVEN)
            ),
            Check("nvfp4", ("--scale-floor", "least_normal"), "nvfp4_quantize", nvfp4),
            Check("int8_row", (), "quantize_affine", int8),
        ]


class CompiledTorchAO(TorchAO):
    """The same calls through `torch.compile`, which fuses them to loops of its own."""

    name = "torchao, compiled"

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        # Compiled loops keep the thread count that was set when they were compiled.
        self.torch._dynamo.reset()
        compiled: Callable[..., Any] = self.torch.compile(function)
        return compiled

    def versions(self) -> dict[str, str]:
        return {}

    def checks(self) -> Sequence[Check]:
        """None: the eager calls are the definition."""
        return []

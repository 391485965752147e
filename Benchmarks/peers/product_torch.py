"""torch's FP32, BF16 and int8 products, and the int8 and int4 ones of torchao."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from product_calls import Call, Floats, Prepared, Products

FBGEMM_LEVELS = {1: "avx2", 2: "avx512", 3: "avx512_256", 4: "avx512_vnni", 5: "avx512_vnni_256"}
GROUP = 32


class TorchProducts(Products):
    def __init__(self) -> None:
        super().__init__()
        import torch

        self.torch: Any = torch
        torch.set_num_threads(1)
        torch.set_grad_enabled(False)

    def facts(self) -> dict[str, str]:
        torch = self.torch
        built = torch.__config__.show()
        patterns = {"MKL": r"Math Kernel Library Version ([^\s-]+)", "oneDNN": r"MKL-DNN v(\S+)"}
        parts = [
            f"{name} {match[1]}"
            for name, pattern in patterns.items()
            if (match := re.search(pattern, built))
        ]
        facts = {
            "torch": f"{torch.__version__} ({', '.join(parts)};"
            f" capability {torch.backends.cpu.get_cpu_capability()},"
            f" fbgemm at {self._fbgemm_level()})"
        }
        try:
            import torchao

            facts["torchao"] = torchao.__version__
        except Exception:  # noqa: BLE001: said where its calls are missing
            pass
        return facts

    def prepared(self, b: Floats) -> dict[str, Prepared]:
        w = self.torch.from_numpy(b)
        calls: dict[str, Prepared] = {}
        makers: dict[str, Callable[[Any], Callable[[Any], Any]]] = {
            "torch fp32 mm": self._mm,
            "torch fp32 mkl packed": self._mkl_packed,
            "torch fp32 onednn packed": self._onednn_packed,
            "torch bf16 mm": self._mm_bf16,
            "torch bf16 onednn packed": self._onednn_packed_bf16,
            "torch int8 fbgemm": lambda w: self._dynamic(w, "fbgemm", True),
            "torch int8 onednn": lambda w: self._dynamic(w, "onednn", False),
            "torchao int8": self._torchao_int8,
            "torchao int8, int4": self._torchao_int8_int4,
            "torchao bf16, int4": self._torchao_int4,
        }
        for name, make in makers.items():

            def product(make: Callable[[Any], Callable[[Any], Any]] = make) -> Prepared:
                apply = make(w)
                apply(self.torch.zeros(2, w.shape[1]))  # says now what cannot run

                def call(a: Floats) -> Call:
                    x = self.torch.from_numpy(a)
                    return lambda: apply(x)

                return call

            self.attempt(name, product, calls)
        return calls

    def array(self, result: Any) -> Floats:
        return result.float().numpy()

    def _mm(self, w: Any) -> Callable[[Any], Any]:
        return lambda x: self.torch.mm(x, w.t())

    def _mkl_packed(self, w: Any) -> Callable[[Any], Any]:
        # The packed weight is for one number of rows.
        packs: dict[int, Any] = {}

        def apply(x: Any) -> Any:
            rows = x.shape[0]
            if rows not in packs:
                packs[rows] = self.torch.ops.mkl._mkl_reorder_linear_weight(w, rows)
            return self.torch.ops.mkl._mkl_linear(x, packs[rows], w, None, rows)

        return apply

    def _onednn_packed(self, w: Any) -> Callable[[Any], Any]:
        packs: dict[int, Any] = {}

        def apply(x: Any) -> Any:
            rows = x.shape[0]
            if rows not in packs:
                packs[rows] = self.torch.ops.mkldnn._reorder_linear_weight(w, rows)
            return self.torch.ops.mkldnn._linear_pointwise(x, packs[rows], None, "none", [], "")

        return apply

    def _mm_bf16(self, w: Any) -> Callable[[Any], Any]:
        w16 = w.bfloat16()
        return lambda x: self.torch.mm(x.bfloat16(), w16.t())

    def _onednn_packed_bf16(self, w: Any) -> Callable[[Any], Any]:
        apply = self._onednn_packed(w.bfloat16())
        return lambda x: apply(x.bfloat16())

    def _dynamic(self, w: Any, engine: str, reduce_range: bool) -> Callable[[Any], Any]:
        torch = self.torch
        torch.backends.quantized.engine = engine
        scales = w.abs().amax(1).double() / 127
        zeros = torch.zeros(len(w), dtype=torch.int64)
        codes = torch.quantize_per_channel(w, scales, zeros, 0, torch.qint8)
        packed = torch.ops.quantized.linear_prepack(codes, None)

        def apply(x: Any) -> Any:
            torch.backends.quantized.engine = engine
            return torch.ops.quantized.linear_dynamic(x, packed, reduce_range)

        return apply

    def _torchao(self, w: Any, config: Any) -> Callable[[Any], Any]:
        from torchao.quantization import quantize_

        layer = self.torch.nn.Linear(w.shape[1], w.shape[0], bias=False)
        layer.weight = self.torch.nn.Parameter(w.clone(), requires_grad=False)
        quantize_(layer, config)
        return layer

    def _torchao_int8(self, w: Any) -> Callable[[Any], Any]:
        from torchao.quantization import Int8DynamicActivationInt8WeightConfig

        return self._torchao(w, Int8DynamicActivationInt8WeightConfig(set_inductor_config=False))

    def _torchao_int8_int4(self, w: Any) -> Callable[[Any], Any]:
        from torchao.prototype.quantization.int4.inference_workflow import (
            Int8DynamicActivationInt4WeightConfig,
        )

        config = Int8DynamicActivationInt4WeightConfig(group_size=GROUP, set_inductor_config=False)
        return self._torchao(w, config)

    def _torchao_int4(self, w: Any) -> Callable[[Any], Any]:
        from torchao.prototype.quantization.int4.inference_workflow import (
            PrototypeInt4WeightOnlyConfig,
        )

        config = PrototypeInt4WeightOnlyConfig(group_size=GROUP, set_inductor_config=False)
        layer = self._torchao(w.bfloat16(), config)
        return lambda x: layer(x.bfloat16())

    def _fbgemm_level(self) -> str:
        """What fbgemm says of itself, through its function in torch's library."""
        try:
            path = Path(self.torch.__file__).parent / "lib" / "libtorch_cpu.so"
            function = ctypes.CDLL(str(path))["_ZN6fbgemm20fbgemmInstructionSetEv"]
            return FBGEMM_LEVELS.get(function(), "another level")
        except (OSError, AttributeError):
            return "an unknown level"

"""ggml's `ggml_mul_mat` on its CPU backend, through the shared libraries of a build."""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_char_p, c_int, c_int64, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

from product_calls import Call, Floats, Prepared, Products

TYPES = {"f32": 0, "bf16": 30, "q8_0": 8, "mxfp4": 39, "q4_0": 2, "nvfp4": 40}
"""The numbers that ggml's files have for them."""
FEATURES = (
    "avx2", "fma", "f16c", "avx_vnni", "avx512", "avx512_vbmi", "avx512_vnni", "avx512_bf16",
    "amx_int8", "neon", "dotprod", "matmul_int8", "sve", "llamafile",
)  # fmt: skip
CONTEXT_BYTES = 1 << 20


class InitParams(ctypes.Structure):
    _fields_ = [("mem_size", c_size_t), ("mem_buffer", c_void_p), ("no_alloc", c_bool)]


SIGNATURES: dict[str, tuple[Any, list[Any]]] = {
    "ggml_version": (c_char_p, []),
    "ggml_commit": (c_char_p, []),
    "ggml_init": (c_void_p, [InitParams]),
    "ggml_free": (None, [c_void_p]),
    "ggml_new_tensor_2d": (c_void_p, [c_void_p, c_int, c_int64, c_int64]),
    "ggml_mul_mat": (c_void_p, [c_void_p, c_void_p, c_void_p]),
    "ggml_new_graph": (c_void_p, [c_void_p]),
    "ggml_build_forward_expand": (None, [c_void_p, c_void_p]),
    "ggml_type_name": (c_char_p, [c_int]),
    "ggml_row_size": (c_size_t, [c_int, c_int64]),
    "ggml_quantize_chunk": (
        c_size_t, [c_int, c_void_p, c_void_p, c_int64, c_int64, c_int64, c_void_p],
    ),
    "ggml_backend_cpu_init": (c_void_p, []),
    "ggml_backend_cpu_reg": (c_void_p, []),
    "ggml_backend_cpu_set_n_threads": (None, [c_void_p, c_int]),
    "ggml_backend_cpu_buffer_type": (c_void_p, []),
    "ggml_backend_buft_name": (c_char_p, [c_void_p]),
    "ggml_backend_get_device": (c_void_p, [c_void_p]),
    "ggml_backend_reg_get_proc_address": (c_void_p, [c_void_p, c_char_p]),
    "ggml_backend_dev_supports_op": (c_bool, [c_void_p, c_void_p]),
    "ggml_backend_alloc_ctx_tensors_from_buft": (c_void_p, [c_void_p, c_void_p]),
    "ggml_backend_buffer_free": (None, [c_void_p]),
    "ggml_backend_tensor_set": (None, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "ggml_backend_tensor_get": (None, [c_void_p, c_void_p, c_size_t, c_size_t]),
    "ggml_backend_graph_compute": (c_int, [c_void_p, c_void_p]),
}  # fmt: skip


class GgmlProducts(Products):
    """Each type as stored in a file, and as ggml rearranges it where it has a kernel for that."""

    def __init__(self, build: Path) -> None:
        super().__init__()
        self.libraries = [_library(build, name) for name in ("ggml-base", "ggml-cpu")]
        for name, (result, arguments) in SIGNATURES.items():
            function = self._function(name)
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        self.backend = c_void_p(self.ggml_backend_cpu_init())
        self.ggml_backend_cpu_set_n_threads(self.backend, 1)
        self.device = self.ggml_backend_get_device(self.backend)
        self.features = [name for name in FEATURES if self._function(f"ggml_cpu_has_{name}")()]
        self.places = {"": self.ggml_backend_cpu_buffer_type(), **self._extra_places()}

    def facts(self) -> dict[str, str]:
        version, commit = self.ggml_version().decode(), self.ggml_commit().decode()
        return {"ggml": f"{version} ({commit}; {' '.join(self.features)})"}

    def prepared(self, b: Floats) -> dict[str, Prepared]:
        calls: dict[str, Prepared] = {}
        for type_name, kind in TYPES.items():
            if self.ggml_type_name(kind) != type_name.encode():
                self.missing[f"ggml {type_name}"] = "this ggml has no such type"
                continue
            stored = self._quantized(b, kind)
            for place, buffers in self.places.items():
                name = f"ggml {type_name} {place}".strip()
                weight = self._weight(b.shape, kind, buffers, stored)
                if weight is None:
                    self.missing[name] = "ggml has no such kernel at this level"
                else:
                    calls[name] = lambda a, weight=weight, n=b.shape[0]: self._call(a, weight, n)
        return calls

    def array(self, result: Any) -> Floats:
        tensor, shape = result
        values = np.empty(shape, np.float32)
        self.ggml_backend_tensor_get(tensor, values.ctypes.data, 0, values.nbytes)
        return values

    def _function(self, name: str) -> Any:
        for library in self.libraries:
            try:
                return getattr(library, name)
            except AttributeError:
                continue
        raise OSError(f"the libraries of ggml have no {name}")

    def _extra_places(self) -> dict[str, int]:
        """Where weights are rearranged: names and buffer types of CPU_REPACK, AMX and others."""
        address = self.ggml_backend_reg_get_proc_address(
            self.ggml_backend_cpu_reg(), b"ggml_backend_dev_get_extra_bufts"
        )
        if not address:
            return {}
        listed = ctypes.CFUNCTYPE(ctypes.POINTER(c_void_p), c_void_p)(address)(self.device)
        places = {}
        for buffers in listed:
            if not buffers:
                break
            name = self.ggml_backend_buft_name(buffers).decode()
            places[name.removeprefix("CPU_").lower()] = buffers
        return places

    def _context(self) -> c_void_p:
        return c_void_p(self.ggml_init(InitParams(CONTEXT_BYTES, None, True)))

    def _quantized(self, b: Floats, kind: int) -> Any:
        rows, columns = b.shape
        stored = np.empty(rows * self.ggml_row_size(kind, columns), np.uint8)
        self.ggml_quantize_chunk(kind, b.ctypes.data, stored.ctypes.data, 0, rows, columns, None)
        return stored

    def _weight(self, shape: tuple[int, ...], kind: int, buffers: int, stored: Any) -> int | None:
        """A tensor with the weight; none where this place has no kernel for it."""
        context = self._context()
        weight = self.ggml_new_tensor_2d(context, kind, shape[1], shape[0])
        buffer = self.ggml_backend_alloc_ctx_tensors_from_buft(context, buffers)
        probe = self._context()
        other = self.ggml_new_tensor_2d(probe, TYPES["f32"], shape[1], 8)
        supported = self.ggml_backend_dev_supports_op(
            self.device, self.ggml_mul_mat(probe, weight, other)
        )
        self.ggml_free(probe)
        if not supported:
            self.ggml_backend_buffer_free(buffer)
            self.ggml_free(context)
            return None
        self.ggml_backend_tensor_set(weight, stored.ctypes.data, 0, stored.nbytes)
        return weight

    def _call(self, a: Floats, weight: int, columns: int) -> Call:
        context = self._context()
        x = self.ggml_new_tensor_2d(context, TYPES["f32"], a.shape[1], a.shape[0])
        y = self.ggml_mul_mat(context, weight, x)
        graph = self.ggml_new_graph(context)
        self.ggml_build_forward_expand(graph, y)
        self.ggml_backend_alloc_ctx_tensors_from_buft(context, self.places[""])
        self.ggml_backend_tensor_set(x, a.ctypes.data, 0, a.nbytes)

        def call() -> tuple[int, tuple[int, int]]:
            if self.ggml_backend_graph_compute(self.backend, graph) != 0:
                raise RuntimeError("ggml_backend_graph_compute failed")
            return y, (a.shape[0], columns)

        return call


def _library(build: Path, name: str) -> ctypes.CDLL:
    """A shared library of the build, wherever in its tree it lies."""
    for suffix in ("so", "dylib"):
        for path in sorted(build.rglob(f"lib{name}.{suffix}")):
            return ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    raise OSError(f"{build} has no shared library {name}: build ggml with BUILD_SHARED_LIBS=ON")

"""What a library offers to the comparison of matrix products."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Call = Callable[[], Any]
"""One product; what it returns is the result, as the library has it."""
Prepared = Callable[[Floats], Call]
"""Makes the call for an A, with B prepared; A is FP32 and the call converts it."""


class Products(ABC):
    """A library that multiplies A · Bᵀ on the CPU with one thread.

    A subclass imports its library in `__init__`.
    """

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        """Calls that cannot run, and why."""
        self.features: list[str] = []
        """Instructions the library was built for, where it is built for fixed ones."""

    @abstractmethod
    def facts(self) -> dict[str, str]:
        """Versions, and the instructions that the library says it takes."""

    @abstractmethod
    def prepared(self, b: Floats) -> dict[str, Prepared]:
        """The library's calls by name, each with B as it likes it."""

    def array(self, result: Any) -> Floats:
        """A result as an array of M rows and N columns."""
        return np.asarray(result, np.float32)

    def attempt(self, name: str, make: Callable[[], Prepared], to: dict[str, Prepared]) -> None:
        """Adds a call, or says why it cannot run."""
        if name in self.missing:
            return
        try:
            to[name] = make()
        except Exception as error:  # noqa: BLE001: whatever a peer throws, the others go on
            self.missing[name] = one_line(error)


def one_line(error: Exception) -> str:
    """The first line of what an exception says."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:160]}"


class NumpyProducts(Products):
    """numpy with the OpenBLAS of its wheel."""

    def facts(self) -> dict[str, str]:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"numpy": np.__version__, blas["name"]: f"{blas['version']} {self._kernels()}"}

    def prepared(self, b: Floats) -> dict[str, Prepared]:
        return {"numpy fp32": lambda a: lambda: a @ b.T}

    @staticmethod
    def _kernels() -> str:
        """The kernels that OpenBLAS chose, which the library tells in a function of its own."""
        import ctypes
        import re
        from pathlib import Path

        try:
            mapped = re.findall(r"\S+openblas\S+", Path("/proc/self/maps").read_text())
            library = ctypes.CDLL(mapped[0])
            for prefix in ("scipy_openblas", "openblas"):
                for suffix in ("64_", ""):
                    function = getattr(library, f"{prefix}_get_corename{suffix}", None)
                    if function is not None:
                        function.restype = ctypes.c_char_p
                        return str(function().decode())
        except (OSError, IndexError):
            pass
        return ""

"""The arrays every peer works on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROW_LENGTH = 4096
SEED = 20260901


class Normals:
    """Standard normal floats; a smaller array is the start of the largest."""

    def __init__(self, elements: int) -> None:
        if elements % ROW_LENGTH:
            raise ValueError(f"{elements} elements are no multiple of {ROW_LENGTH}")
        self.elements = elements
        generator = np.random.default_rng(SEED)
        self._values = generator.standard_normal(elements, dtype=np.float32)

    def rows(self, at_most: int | None = None) -> Floats:
        """A matrix of whole rows with at most that many elements."""
        elements = self.elements if at_most is None else min(at_most, self.elements)
        return self._values[:elements].reshape(-1, ROW_LENGTH)


@dataclass(frozen=True)
class Probe:
    """A small matrix on which our codes and a peer's are compared."""

    name: str
    values: Floats


def probes() -> list[Probe]:
    """Random values first, then those on which quantizers disagree.

    None holds NaN or infinities: what becomes of them is a policy, not a rounding.
    """
    return [
        Probe("normal", Normals(1 << 20).rows()),
        Probe("ties and zeros", _ties_and_zeros()),
        Probe("subnormal to huge", _all_exponents()),
    ]


def _ties_and_zeros() -> Floats:
    """Blocks of quarter steps up to 6, which E2M1 rounds at ties, and blocks of signed zeros."""
    steps = np.random.default_rng(SEED + 1).integers(-24, 25, size=(64, ROW_LENGTH))
    values = (steps / 4).astype(np.float32)
    # The largest element of each block of 16 or 32 is 6, so that power-of-two scales are 1.
    values[:, ::16] = 6
    values[::8] = 0
    values[::16, ::2] = -0.0
    return values


def _all_exponents() -> Floats:
    """Blocks of 64 normals, each block times another power of two from 2^-148 to 2^124."""
    generator = np.random.default_rng(SEED + 2)
    blocks = generator.standard_normal((64 * ROW_LENGTH // 64, 64))
    exponents = generator.integers(-148, 125, size=(len(blocks), 1))
    return np.ldexp(blocks, exponents).astype(np.float32).reshape(-1, ROW_LENGTH)

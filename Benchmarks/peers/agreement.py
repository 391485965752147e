"""Whether a peer stores the same codes and scales as we do, and where not, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arrays import Floats, Probe
from element_values import element_values, scale_values
from operations import Check, Stored
from ours import Fmtbench

Mask = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class Agreement:
    """The outcome for one probe."""

    probe: str
    elements: int
    verdict: str


def compare(check: Check, probe: Probe, fmtbench: Fmtbench) -> Agreement:
    """Encodes the probe on both sides."""
    ours = fmtbench.encode(probe.values, check.format, check.options)
    theirs = check.encode(probe.values)
    verdict = _Comparison(check.format, probe.values, ours, theirs).verdict()
    return Agreement(probe.name, probe.values.size, verdict)


@dataclass(frozen=True)
class _Comparison:
    format: str
    values: Floats
    ours: Stored
    theirs: Stored

    def verdict(self) -> str:
        shapes = (self.ours.codes.shape, self.theirs.codes.shape)
        if shapes[0] != shapes[1]:
            return f"shapes differ: {shapes[0]} and {shapes[1]}"
        counts = (_scale_bits(self.ours).size, _scale_bits(self.theirs).size)
        if counts[0] != counts[1]:
            return f"scale counts differ: {counts[0]} and {counts[1]}"

        findings = []
        if self.ours.tensor_scale != self.theirs.tensor_scale:
            findings.append(
                f"tensor scale {self.ours.tensor_scale}, theirs {self.theirs.tensor_scale}"
            )
        other_scale = _scale_bits(self.ours) != _scale_bits(self.theirs)
        if other_scale.any():
            findings.append(self._scale_finding(other_scale))
        other_code = self.ours.codes != self.theirs.codes
        in_other_scale = self._per_element(other_scale)
        if (other_code & in_other_scale).any():
            findings.append(f"{(other_code & in_other_scale).sum()} codes under those scales")
        if (other_code & ~in_other_scale).any():
            findings.append(self._code_finding(other_code & ~in_other_scale))
        return "; ".join(findings) if findings else "same bytes"

    def _per_element(self, per_block: NDArray[Scalar]) -> NDArray[Scalar]:
        elements = self.ours.codes.size // per_block.size
        return np.repeat(per_block, elements).reshape(self.ours.codes.shape)

    def _scale_finding(self, differing: Mask) -> str:
        mine = scale_values(self.format, self.ours)[differing]
        other = scale_values(self.format, self.theirs)[differing]
        blocks = self.values.reshape(differing.size, -1)
        zero = (blocks == 0).all(axis=-1)[differing]
        kinds = {
            "of zeros": zero,
            "theirs larger": ~zero & (other > mine),
            "theirs smaller": ~zero & (other < mine),
            "NaN": ~zero & (np.isnan(other) | np.isnan(mine)),
        }
        text = f"{differing.sum()} of {differing.size} scales ({_counts(kinds)})"
        bits = _scale_bits(self.ours)[differing], _scale_bits(self.theirs)[differing]
        if bits[0].dtype == np.uint32 and not zero.all():
            steps = abs(bits[0].astype(np.int64) - bits[1].astype(np.int64))[~zero]
            text += f" by at most {steps.max()} ulp"
        return text

    def _code_finding(self, differing: Mask) -> str:
        """Sorts the differing codes by which side is nearer to the value.

        In Double the product of a code's value and its scale is exact, and so is its distance to
        the value where that lies near the middle between two codes.
        """
        scales = self._per_element(scale_values(self.format, self.ours))[differing]
        mine = element_values(self.format, self.ours.codes[differing])
        other = element_values(self.format, self.theirs.codes[differing])
        exact = self.values[differing].astype(np.float64)
        with np.errstate(invalid="ignore"):
            our_error, their_error = abs(exact - mine * scales), abs(exact - other * scales)
        both_nan = np.isnan(mine) & np.isnan(other)
        special = ~both_nan & ~(np.isfinite(mine) & np.isfinite(other))
        zero = (mine == 0) & (other == 0)
        rest = ~both_nan & ~special & ~zero
        kinds = {
            "the sign of zero": zero,
            "the sign of NaN": both_nan,
            "Inf or NaN on one side": special,
            "ties": rest & (our_error == their_error),
            "ours nearer": rest & (our_error < their_error),
            "theirs nearer": rest & (our_error > their_error),
        }
        return f"{differing.sum()} of {differing.size} codes ({_counts(kinds)})"


def _scale_bits(stored: Stored) -> NDArray[np.unsignedinteger]:
    """The stored scales as integers; a single one where there are none."""
    if stored.scales is None:
        return np.zeros(1, np.uint8)
    flat = np.ascontiguousarray(stored.scales).reshape(-1)
    return flat.view(np.uint32 if flat.dtype.itemsize == 4 else np.uint8)


def _counts(kinds: dict[str, Mask]) -> str:
    return ", ".join(f"{mask.sum()} {kind}" for kind, mask in kinds.items() if mask.any())

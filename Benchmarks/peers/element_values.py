"""What codes and scales stand for, written down apart from any library under comparison."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operations import Codes, Stored

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class FloatElement:
    """A small float: sign, exponent and significand from the highest bit down."""

    exponent_bits: int
    significand_bits: int
    bias: int

    def values(self, codes: Codes) -> Doubles:
        """Exact values, NaN and infinities among them."""
        code = codes.astype(np.int64)
        fraction = code & ((1 << self.significand_bits) - 1)
        last_exponent = (1 << self.exponent_bits) - 1
        exponent = (code >> self.significand_bits) & last_exponent
        significand = np.where(exponent > 0, fraction + (1 << self.significand_bits), fraction)
        power = np.maximum(exponent, 1) - self.bias - self.significand_bits
        magnitude = np.ldexp(significand.astype(np.float64), power)
        if self.exponent_bits >= 5:
            special = np.where(fraction == 0, np.inf, np.nan)
            magnitude = np.where(exponent == last_exponent, special, magnitude)
        elif self == E4M3:
            magnitude = np.where((code & 0x7F) == 0x7F, np.nan, magnitude)
        negative = (code >> (self.exponent_bits + self.significand_bits)) & 1
        values: Doubles = np.where(negative == 1, -magnitude, magnitude)
        return values


E2M1 = FloatElement(2, 1, 1)
E4M3 = FloatElement(4, 3, 7)
E5M2 = FloatElement(5, 2, 15)

_ELEMENTS = {
    "mxfp4": E2M1,
    "nvfp4": E2M1,
    "e2m1fn": E2M1,
    "e2m3fn": FloatElement(2, 3, 1),
    "e3m2fn": FloatElement(3, 2, 3),
    "mxfp8_e4m3": E4M3,
    "fp8_e4m3_tensor": E4M3,
    "e4m3fn": E4M3,
    "mxfp8_e5m2": E5M2,
    "e5m2": E5M2,
    "fp16": FloatElement(5, 10, 15),
    "bf16": FloatElement(8, 7, 127),
}


def element_values(format: str, codes: Codes) -> Doubles:
    """The values of a format's element codes, without their scale."""
    if format.startswith("int8"):
        return codes.astype(np.uint8).view(np.int8).astype(np.float64)
    return _ELEMENTS[format].values(codes)


def scale_values(format: str, stored: Stored) -> Doubles:
    """What each block is multiplied by, the tensor scale included; 1 without scales."""
    if stored.scales is None:
        return np.ones(1)
    scales = np.ascontiguousarray(stored.scales).reshape(-1)
    if scales.dtype == np.float32:
        return scales.astype(np.float64)
    if format == "nvfp4":
        return E4M3.values(scales) * (stored.tensor_scale or 1.0)
    values = np.ldexp(1.0, scales.astype(np.int64) - 127)
    return np.where(scales == 255, np.nan, values)

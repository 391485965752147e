"""The golden sums of fouroversix' multiply-accumulate unit against `fmtbench decode`.

The folder is `if4_mac/tb` of its repository. Its two files hold the operands of 3 sums each, 10 pairs
of blocks of 16 codes with their scales, and the FP32 number that the unit must give: products of
lanes rounded to FP32, added lane by lane in FP32, the 16 lanes then in pairs. The operands decoded by
fmtbench under tensor scale 1 are multiplied and added in that order. The last scale code, NaN in
E4M3, is 448 in the unit; it is decoded as that.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialect_fields import Stored
from executable import Fmtbench

FILES = {"nvfp4": "nvfp4_mac_golden_ref.svh", "if4": "if4_mac_golden_ref.svh"}


def numbers(text: str, name: str) -> NDArray[np.uint32]:
    return np.array(
        [int(n, 16) for n in re.findall(rf"^ *{name}\[.*= *\d+'[bh]([0-9A-F]+);", text, re.M)],
        np.uint32,
    )


def decoded(
    fmtbench: Fmtbench, format: str, codes: NDArray[np.uint32], scales: NDArray[np.uint32]
) -> NDArray[np.float32]:
    bytes_ = np.where(scales & 0x7F == 0x7F, scales - 1, scales).astype(np.uint8)
    fields = {"scales": bytes_, "tensor_scale": np.array(1, np.float32)}
    stored = Stored(format, codes, fields, codes.shape, np.zeros(codes.shape, np.float32))
    return fmtbench.decoded(stored, ["--format", format])


def total(a: NDArray[np.float32], w: NDArray[np.float32]) -> np.float32:
    """The unit's sum of the products of all lanes."""
    lanes = np.zeros(16, np.float32)
    for left, right in zip(a, w):
        lanes += left * right
    while lanes.size > 1:
        lanes = lanes[0::2] + lanes[1::2]
    return lanes[0]


def report(fmtbench: Fmtbench, folder: Path) -> list[str]:
    lines = [
        "| Format | Sums | Blocks | Equal to the bit | Greatest distance in ULP |",
        "| :--- | ---: | ---: | ---: | ---: |",
    ]
    for format, name in FILES.items():
        text = (folder / name).read_text()
        first = np.flatnonzero(numbers(text, "first_vec"))
        a, w = (
            decoded(
                fmtbench, format, numbers(text, f"{side}_vec").reshape(-1, 16),
                numbers(text, f"{side}_sf_vec"),
            )
            for side in "aw"
        )
        theirs = numbers(text, "expected_acc").view(np.float32)
        parts = [slice(*limits) for limits in zip(first[:-1], first[1:])]
        ours = np.array([total(a[part], w[part]) for part in parts], np.float32)
        if ours.size != theirs.size or ours.size == 0:
            raise SystemExit(f"{name}: {ours.size} sums, {theirs.size} expected")
        equal = ours.view(np.uint32) == theirs.view(np.uint32)
        distance = np.abs(ours.astype(np.float64) - theirs) / np.spacing(np.abs(theirs))
        lines.append(
            f"| {format} | {ours.size} | {2 * int(first[-1])} | {equal.sum()} | "
            f"{distance.max():g} |"
        )
    return lines

"""The value tables of the IEEE P3109 working group against `fmtbench decode` and `fmtbench encode`.

The tables are the files `Value Tables/Hexadecimal/K*/P*/*/Binary*.csv` of the group's public
repository. fmtbench decodes into FP32: a value that FP32 does not hold must come out rounded to it, to
nearest, ties to even. Values that FP32 holds must encode to their code again.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialect_fields import Stored
from executable import Fmtbench
from safetensors_files import read_safetensors

Doubles = NDArray[np.float64]

WIDEST_EXPONENT = 11
"""Exponent bits up to which fmtbench knows the family; its values are then exact in FP64."""


@dataclass
class Width:
    """Counts of the formats of one width."""

    formats: int = 0
    refused: int = 0
    codes: int = 0
    exact: int = 0
    decoded_otherwise: int = 0
    encoded_otherwise: int = 0
    examples: list[str] = field(default_factory=list)


def exponent_bits(name: str) -> int:
    found = re.fullmatch(r"binary(\d+)p(\d+)([su])[ef]", name)
    if found is None:
        raise SystemExit(f"{name} is not a name of a P3109 format")
    return int(found[1]) - int(found[2]) + (found[3] == "u")


def table(path: Path) -> Doubles:
    """The values by code. The file must name every code once, in order."""
    values = []
    for row, line in enumerate(path.read_text().splitlines()[1:]):
        code, value, _ = line.split(",")
        if int(code, 16) != row:
            raise SystemExit(f"{path}: row {row} has code {code}")
        values.append(float.fromhex(value) if value[-1] not in "fN" else float(value))
    return np.array(values, np.float64)


def is_known(fmtbench: Fmtbench, name: str) -> bool:
    done = subprocess.run([fmtbench.path, "show", name], capture_output=True)
    return done.returncode == 0


def compare(fmtbench: Fmtbench, name: str, path: Path, width: Width) -> None:
    width.formats += 1
    if exponent_bits(name) > WIDEST_EXPONENT:
        if is_known(fmtbench, name):
            raise SystemExit(f"{name} has {exponent_bits(name)} exponent bits and is not refused")
        width.refused += 1
        return
    values = table(path)
    if values.size != 1 << int(name[6 : name.index("p")]):
        raise SystemExit(f"{path}: {values.size} codes")
    with np.errstate(over="ignore", under="ignore"):
        narrow = values.astype(np.float32)
    codes = np.arange(values.size, dtype=np.uint32)[None]
    words = ["--format", name]
    stored = Stored(name, codes, {}, codes.shape, narrow)
    ours = fmtbench.decoded(stored, words).reshape(-1)
    nan = np.isnan(narrow)
    # The sign of zero counts, that of NaN does not.
    other = np.where(nan, ~np.isnan(ours), ours.view(np.uint32) != narrow.view(np.uint32))
    exact = nan | (narrow.astype(np.float64) == values)
    # Encoding an infinity takes the rule that keeps it.
    mine = read_safetensors(
        fmtbench.encoded([*words, "--overflow=special"], narrow[exact][None])
    )["codes"].reshape(-1)
    again = mine != codes.reshape(-1)[exact]
    width.codes += values.size
    width.exact += int(exact.sum())
    width.decoded_otherwise += int(other.sum())
    width.encoded_otherwise += int(again.sum())
    if other.any() or again.any():
        width.examples.append(name)


def report(fmtbench: Fmtbench, folder: Path) -> list[str]:
    lines = [
        "| Width | Formats | Refused | Codes decoded | Otherwise | Codes encoded | Otherwise |",
        "| :--- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    widths: dict[int, Width] = {}
    for path in folder.glob("K*/P*/*/Binary*.csv"):
        name = path.stem.lower()
        width = widths.setdefault(int(name[6 : name.index("p")]), Width())
        compare(fmtbench, name, path, width)
    total = Width()
    for bits, width in sorted(widths.items()):
        lines.append(row(str(bits), width))
        for key in vars(total):
            setattr(total, key, getattr(total, key) + getattr(width, key))
    lines.append(row("all", total))
    named = [name for width in widths.values() for name in width.examples]
    if named:
        lines += ["", "With differences: " + ", ".join(sorted(named)) + "."]
    return lines


def row(name: str, width: Width) -> str:
    cells = [
        name, width.formats, width.refused, width.codes, width.decoded_otherwise, width.exact,
        width.encoded_otherwise,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"

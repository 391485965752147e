"""Our side: `fmtbench speed` and `fmtbench encode`."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arrays import Floats
from operations import Direction, Stored


class FmtbenchError(Exception):
    """fmtbench failed or wrote something else than expected."""


@dataclass(frozen=True)
class Key:
    """What a row of `fmtbench speed` measures, in DRAM-sized tensors."""

    format: str
    direction: Direction
    threads: int


@dataclass
class Speeds:
    """Rates of one or more runs of `fmtbench speed` in 10^9 elements a second."""

    facts: dict[str, str] = field(default_factory=dict)
    """What the report says of the machine, the version and the run."""
    elements: set[int] = field(default_factory=set)
    """How many elements the measured tensors have."""
    rates: dict[Key, list[float]] = field(default_factory=dict)

    def rate(self, key: Key) -> float | None:
        """The mean over the runs; none where fmtbench measured no such row."""
        runs = self.rates.get(key)
        return sum(runs) / len(runs) if runs else None

    def drift(self) -> float:
        """The largest distance between runs relative to their mean: how steady the machine was."""
        return max(
            ((max(runs) - min(runs)) * len(runs) / sum(runs) for runs in self.rates.values()),
            default=0.0,
        )


class Fmtbench:
    """The executable, built for release."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add_speeds(self, formats: Sequence[str], to: Speeds) -> None:
        """Runs `fmtbench speed` once and adds its rows for DRAM-sized tensors."""
        text = self._run("speed", "--json", "--placement", "dram", "--formats", ",".join(formats))
        try:
            report = json.loads(text)
            to.facts = {
                key: str(value)
                for key, value in report.items()
                if key not in ("command", "seed") and not isinstance(value, (list, dict))
            }
            for row in report["rows"]:
                if row["placement"] != "dram":
                    continue
                key = Key(row["format"], Direction(row["direction"]), int(row["threads"]))
                to.rates.setdefault(key, []).append(float(row["gelements_per_s"]))
                if "elements" in row:
                    to.elements.add(int(row["elements"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FmtbenchError(f"fmtbench speed wrote an unexpected report: {error!r}") from error

    def encode(self, values: Floats, format: str, options: Iterable[str]) -> Stored:
        """Codes and scales as `fmtbench encode` stores them."""
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder, "values.npy"), Path(folder, "codes.safetensors")
            np.save(source, values)
            self._run("encode", str(source), "--format", format, "--output", str(target), *options)
            tensors = read_safetensors(target)
        tensor_scale = tensors.get("tensor_scale")
        return Stored(
            tensors["codes"],
            tensors.get("scales"),
            None if tensor_scale is None else float(tensor_scale[0]),
        )

    def _run(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                [str(self.path), *arguments], capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise FmtbenchError(f"cannot run {self.path}: {error.strerror}") from error
        if done.returncode != 0:
            raise FmtbenchError(f"fmtbench {arguments[0]} failed: {done.stderr.strip()}")
        return done.stdout


_DTYPES = {"U8": "u1", "U16": "<u2", "U32": "<u4", "F32": "<f4"}


def read_safetensors(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a safetensors file of the types that `fmtbench encode` writes."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, info in header.items():
        first, last = info["data_offsets"]
        contents = np.frombuffer(data[start + first : start + last], _DTYPES[info["dtype"]])
        tensors[name] = contents.reshape(info["shape"])
    return tensors

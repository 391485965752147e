"""The host casts of NVIDIA's headers against `fmtbench encode`, on every FP32 number.

The headers come from the wheels `nvidia-cuda-runtime` and `nvidia-cuda-cccl`; `cuda_casts.cpp` is compiled
against them and prints runs of equal codes over all 2^32 patterns, in their order, which is that of the
magnitude within each sign.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dialects import Fmtbench, read_safetensors

Patterns = NDArray[np.uint32]
Codes = NDArray[np.uint8]

PATTERNS = 1 << 32
CHUNK = 1 << 26
INSIDE = 64
"""Patterns drawn within each run."""

SATURATION = {"satfinite": "saturate", "nosat": "special"}
FLOAT_ROUNDING = {"nearest": "nearest_even", "zero": "toward_zero", "up": "up", "down": "down"}
SCALE_ROUNDING = {"nearest": "nearest_away", "zero": "toward_zero", "up": "up"}
"""NVIDIA's nearest goes up from a midpoint between two scales."""


@dataclass
class Runs:
    """What a cast of NVIDIA's makes of all patterns."""

    first: Patterns
    codes: Codes

    def of(self, patterns: Patterns) -> Codes:
        return self.codes[np.searchsorted(self.first, patterns, side="right") - 1]

    def chunk(self, start: int, count: int) -> Codes:
        """The codes of `count` consecutive patterns."""
        low, high = np.searchsorted(self.first, [start, start + count - 1], side="right")
        edges = np.concatenate([[start], self.first[low:high].astype(np.int64), [start + count]])
        return np.repeat(self.codes[low - 1 : high], np.diff(edges))

    def ends(self) -> Patterns:
        last = np.append(self.first[1:] - np.uint32(1), np.uint32(PATTERNS - 1))
        return np.concatenate([self.first, last])

    def inside(self) -> Patterns:
        random = np.random.default_rng(0)
        limits = np.append(self.first.astype(np.int64), PATTERNS)
        drawn = [random.integers(a, b, INSIDE) for a, b in zip(limits[:-1], limits[1:])]
        return np.unique(np.concatenate(drawn)).astype(np.uint32)


@dataclass
class Outcome:
    """Counts of one cast; differences by kind of number, their code and ours."""

    cast: str
    words: list[str]
    runs: int
    compared: int = 0
    differences: Counter[tuple[str, int, int]] = field(default_factory=Counter)

    def count(self, patterns: Patterns, theirs: Codes, ours: Codes) -> None:
        self.compared += patterns.size
        other = theirs != ours
        if other.any():
            kinds = kind(patterns[other])
            self.differences.update(
                zip(kinds.tolist(), theirs[other].tolist(), ours[other].tolist())
            )


def kind(patterns: Patterns) -> NDArray[np.str_]:
    magnitude = patterns & np.uint32(0x7FFFFFFF)
    names = np.where(magnitude == 0, "zero", np.where(magnitude < 0x7F800000, "finite", "NaN"))
    names = np.where(magnitude == 0x7F800000, "infinite", names)
    return np.strings.add(np.where(patterns >> 31 == 1, "negative ", "positive "), names)


def options(cast: str) -> list[str]:
    """The format and the choices that a cast of NVIDIA's stands for."""
    element, *rest = cast.split("_")
    if element == "e8m0":
        return [
            "--format", "e8m0fnu", f"--rounding={SCALE_ROUNDING[rest[0]]}",
            f"--overflow={SATURATION[rest[1]]}",
        ]
    if element in ("e4m3", "e5m2"):
        name = "e4m3fn" if element == "e4m3" else element
        return ["--format", name, f"--overflow={SATURATION[rest[0]]}"]
    return [
        "--format", element + "fn", f"--rounding={FLOAT_ROUNDING[rest[0]]}",
        "--non-finite=nan_to_max",
    ]


def compiled(includes: list[Path], compiler: str, folder: Path) -> Path:
    program = folder / "cuda_casts"
    source = Path(__file__).with_name("cuda_casts.cpp")
    flags = [word for include in includes for word in ("-I", str(include))]
    subprocess.run([compiler, "-std=c++17", "-O2", *flags, str(source), "-o", str(program)], check=True)
    return program


def parse(text: str) -> dict[str, Runs]:
    lists: dict[str, list[tuple[int, int]]] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 1:
            rows = lists.setdefault(words[0], [])
        else:
            rows.append((int(words[0], 16), int(words[1], 16)))
    return {
        name: Runs(
            np.array([first for first, _ in rows], np.uint32),
            np.array([code for _, code in rows], np.uint8),
        )
        for name, rows in lists.items()
    }


def encoded(fmtbench: Fmtbench, words: list[str], patterns: Patterns) -> Codes:
    stored = read_safetensors(fmtbench.encoded(words, patterns.view(np.float32)))
    return stored["codes"].astype(np.uint8, copy=False)


def compare(fmtbench: Fmtbench, cast: str, runs: Runs, every: bool) -> Outcome:
    """Compares every pattern, or both ends of every run and numbers drawn within."""
    outcome = Outcome(cast, options(cast), runs.first.size)
    if not every:
        patterns = np.unique(np.concatenate([runs.ends(), runs.inside()]))
        outcome.count(patterns, runs.of(patterns), encoded(fmtbench, outcome.words, patterns))
        return outcome
    for start in range(0, PATTERNS, CHUNK):
        patterns = np.arange(start, start + CHUNK, dtype=np.int64).astype(np.uint32)
        ours = encoded(fmtbench, outcome.words, patterns)
        outcome.count(patterns, runs.chunk(start, CHUNK), ours)
    return outcome


def told(outcome: Outcome) -> str:
    """The differences by kind of number, the codes of the most frequent pair with each."""
    kinds: dict[str, Counter[tuple[int, int]]] = {}
    for (name, theirs, ours), count in outcome.differences.items():
        kinds.setdefault(name, Counter())[theirs, ours] += count
    parts = []
    for name, pairs in sorted(kinds.items()):
        (theirs, ours), _ = pairs.most_common(1)[0]
        more = f" and {len(pairs) - 1} other pairs" if len(pairs) > 1 else ""
        parts.append(f"{pairs.total()} {name}: 0x{theirs:02X}, ours 0x{ours:02X}{more}")
    return "; ".join(parts) or "none"


def report(fmtbench: Fmtbench, runs: dict[str, Runs], every: set[str]) -> list[str]:
    lines = [
        "| Cast | Our options | Runs | Patterns compared | Differences |",
        "| :--- | :--- | ---: | ---: | :--- |",
    ]
    for cast, its in runs.items():
        outcome = compare(fmtbench, cast, its, cast in every)
        words = " ".join(outcome.words[1:])
        lines.append(
            f"| {cast} | {words} | {outcome.runs} | {outcome.compared} | {told(outcome)} |"
        )
    return lines

"""The host casts of NVIDIA's headers against `fmtbench encode`, on every FP32 number.

The headers come from the wheels `nvidia-cuda-runtime`, `-crt` and `-cccl`; `cuda_casts.cpp` is
compiled against them and prints runs of equal codes over all 2^32 patterns, in their order, which is
that of the magnitude within each sign.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from executable import Fmtbench
from safetensors_files import read_safetensors

Patterns = NDArray[np.uint32]
Codes = NDArray[np.uint8]

PATTERNS = 1 << 32
CHUNK = 1 << 26
INSIDE = 64
"""Patterns drawn within each run."""

LIMITS = np.array([0, 1, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FFFFFFF], np.uint32)
LIMITS = np.concatenate([LIMITS, LIMITS | np.uint32(1 << 31)])
"""Zeros, infinities, the numbers beside them and the last NaN."""

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
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The first and the last pattern of each kind that differs."""

    def count(self, patterns: Patterns, theirs: Codes, ours: Codes) -> None:
        self.compared += patterns.size
        other = np.flatnonzero(theirs != ours)
        if other.size == 0:
            return
        patterns, theirs, ours = patterns[other], theirs[other], ours[other]
        kinds = kind(patterns)
        pairs = theirs.astype(np.int64) << 8 | ours
        for name in range(len(KINDS)):
            own = kinds == name
            if not own.any():
                continue
            counts = np.bincount(pairs[own], minlength=1 << 16)
            for pair in np.flatnonzero(counts).tolist():
                self.differences[KINDS[name], pair >> 8, pair & 255] += int(counts[pair])
            low, high = self.limits.get(KINDS[name], (PATTERNS, 0))
            first, last = int(patterns[own].min()), int(patterns[own].max())
            self.limits[KINDS[name]] = (min(low, first), max(high, last))


KINDS = [
    f"{sign} {name}" for sign in ("positive", "negative")
    for name in ("zero", "finite", "infinite", "NaN")
]


def kind(patterns: Patterns) -> NDArray[np.intp]:
    """Indices of `KINDS`."""
    magnitude = patterns & np.uint32(0x7FFFFFFF)
    name = (magnitude > 0).astype(np.intp) + (magnitude >= 0x7F800000) + (magnitude > 0x7F800000)
    return name + 4 * (patterns >> 31).astype(np.intp)


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
    command = [compiler, "-std=c++17", "-O2", *flags, str(source), "-o", str(program)]
    subprocess.run(command, check=True)
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


def mask(words: list[str]) -> np.uint32:
    """The bits of a pattern that we encode: the sign is left out of the unsigned format, as the
    references do."""
    return np.uint32(0x7FFFFFFF if "e8m0fnu" in words else 0xFFFFFFFF)


def encoded(fmtbench: Fmtbench, words: list[str], patterns: Patterns) -> Codes:
    patterns = patterns & mask(words)
    stored = read_safetensors(fmtbench.encoded(words, patterns.view(np.float32)))
    return stored["codes"].astype(np.uint8, copy=False)


def compare(fmtbench: Fmtbench, cast: str, runs: Runs) -> Outcome:
    """Compares both ends of every run, numbers drawn within, and `LIMITS`."""
    if 1 << 31 not in runs.first:
        raise SystemExit(f"{cast}: a run goes from one sign to the other")
    outcome = Outcome(cast, options(cast), runs.first.size)
    patterns = np.unique(np.concatenate([runs.ends(), runs.inside(), LIMITS]))
    outcome.count(patterns, runs.of(patterns), encoded(fmtbench, outcome.words, patterns))
    return outcome


def compare_every(fmtbench: Fmtbench, runs: dict[str, Runs]) -> dict[str, Outcome]:
    """Compares every pattern, a chunk of them for all casts after the other."""
    outcomes = {cast: Outcome(cast, options(cast), its.first.size) for cast, its in runs.items()}
    source, result = fmtbench.folder / "chunk.npy", fmtbench.folder / "chunk.safetensors"
    for start in range(0, PATTERNS, CHUNK):
        patterns = np.arange(CHUNK, dtype=np.uint32) + np.uint32(start)
        saved = None
        for cast, outcome in sorted(outcomes.items()):
            if mask(outcome.words) != saved:
                saved = mask(outcome.words)
                np.save(source, (patterns & saved).view(np.float32))
            words = [str(source), "--output", str(result), "--codes", "--threads", "1"]
            fmtbench.run("encode", *words, *outcome.words)
            ours = read_safetensors(result)["codes"]
            outcome.count(patterns, runs[cast].chunk(start, CHUNK), ours)
        print(f"{start + CHUNK:#x} patterns", file=sys.stderr, flush=True)
    return outcomes


def told(outcome: Outcome) -> str:
    """The differences by kind of number, the codes of the most frequent pair with each."""
    kinds: dict[str, Counter[tuple[int, int]]] = {}
    for (name, theirs, ours), count in outcome.differences.items():
        kinds.setdefault(name, Counter())[theirs, ours] += count
    parts = []
    for name, pairs in sorted(kinds.items()):
        (theirs, ours), _ = pairs.most_common(1)[0]
        more = f" and {len(pairs) - 1} other pairs" if len(pairs) > 1 else ""
        first, last = outcome.limits[name]
        where = f"{first:08X}" if first == last else f"{first:08X} to {last:08X}"
        parts.append(
            f"{pairs.total()} {name} ({where}): 0x{theirs:02X}, ours 0x{ours:02X}{more}"
        )
    return "; ".join(parts) or "none"


def report(fmtbench: Fmtbench, runs: dict[str, Runs], every: set[str]) -> list[str]:
    outcomes = compare_every(fmtbench, {cast: runs[cast] for cast in every}) if every else {}
    lines = [
        "| Cast | Our options | Runs | Patterns compared | Differences |",
        "| :--- | :--- | ---: | ---: | :--- |",
    ]
    for cast, its in runs.items():
        outcome = outcomes.get(cast) or compare(fmtbench, cast, its)
        words = " ".join(outcome.words[1:])
        lines.append(
            f"| {cast} | {words} | {outcome.runs} | {outcome.compared} | {told(outcome)} |"
        )
    return lines

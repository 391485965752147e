"""AMD Quark's CPU kernels against `fmtbench encode` and `decode`, on random blocks.

The sources come with the wheel `amd-quark`, in `quark/onnx/operators/custom_ops`; the files of the two
CPU kernels are compiled with `quark_kernels.cpp`, without torch and without ONNX Runtime. Values that
were quantized and decoded again are compared to the bit; zeros of both signs and NaN of all patterns
count as equal.
"""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from executable import Fmtbench

Floats = NDArray[np.float32]

TINY = 2.0**-126
ROUNDINGS = ("nearest_away", "nearest_half_up", "nearest_even")
"""Ours by Quark's number."""


@dataclass(frozen=True)
class Kernel:
    """A kernel with its arguments but the rounding, and the format of ours."""

    format: str
    block: int
    words: tuple[object, ...]
    roundings: tuple[int, ...] = (0, 1, 2)

    @property
    def keeps_specials(self) -> bool:
        """Whether NaN and infinities stay as they are, so that only the others can be compared;
        else they make their block NaN, on both sides."""
        return self.words[0] != "prime"


def kernels() -> list[Kernel]:
    elements = {
        "mxfp8_e4m3": (4, 3, 8, 32, 448, 2.0**-6), "mxfp8_e5m2": (5, 2, 15, 32, 57344, 2.0**-14),
        "mxfp6_e2m3": (2, 3, 2, 32, 7.5, 1), "mxfp6_e3m2": (3, 2, 4, 32, 28, 2.0**-2),
        "mxfp4": (2, 1, 2, 32, 6, 1),
    }
    return [
        *(Kernel(f"mx{m + 2}", 16, ("prime", 9 + m, 16, 2, 1)) for m in (7, 4, 2)),
        *(Kernel(f"msfp{9 + m}", 16, ("bfp", 9 + m, 16)) for m in (3, 4, 5, 6, 7)),
        *(Kernel(name, 32, ("mx", *words), (2,)) for name, words in elements.items()),
        Kernel("mxint8_full", 32, ("mx", 0, 8, 0, 32, 127, -128)),
    ]


def compiled(sources: Path, compiler: str, folder: Path) -> Path:
    program = folder / "quark_kernels"
    files = [
        Path(__file__).with_name("quark_kernels.cpp"), sources / "src/bfp/cpu/bfp_kernel.cc",
        sources / "src/mx/cpu/mx_kernel.cc",
    ]
    command = [
        compiler, "-std=c++17", "-O2", "-fno-strict-aliasing", "-w", "-I", sources / "include",
        *(word for path in extra(sources) for word in ("-I", path)), *files, "-o", program,
    ]
    subprocess.run([str(word) for word in command], check=True)
    return program


def extra(sources: Path) -> list[Path]:
    return sorted({path.parent for path in sources.rglob("bfloat_convert.h")})


def samples(block: int, blocks: int) -> dict[str, Floats]:
    """Blocks of numbers by kind."""
    random = np.random.default_rng(0)
    shape = (blocks, block)
    normal = random.standard_normal(shape)
    wide = normal * np.exp2(random.integers(-12, 13, shape))
    # Few significant bits make ties.
    short = random.integers(-255, 256, shape) * np.exp2(random.integers(-6, 7, shape))
    powers = [-140.0, -133, -126, -120, -110, 100, 110, 116]
    edge = wide * np.exp2(random.choice(powers, (blocks, 1)))
    with np.errstate(over="ignore"):
        edges = np.clip(edge, -3e38, 3e38).astype(np.float32)
    special = normal.astype(np.float32)
    places = random.integers(0, block, blocks)
    special[np.arange(blocks), places] = random.choice([np.nan, np.inf, -np.inf], blocks)
    patterns = random.integers(0, 1 << 32, shape, np.uint32)
    patterns = np.where(patterns & 0x7F800000 == 0x7F800000, patterns & 0xBFFFFFFF, patterns)
    return {
        "normal": normal.astype(np.float32), "wide": wide.astype(np.float32),
        "ties": short.astype(np.float32), "edges": edges, "patterns": patterns.view(np.float32),
        "zeros": np.zeros((1, block), np.float32), "special": special,
    }


def quantized(fmtbench: Fmtbench, words: list[str], values: Floats) -> Floats:
    stored, decoded = fmtbench.encoded(words, values), fmtbench.folder / "decoded.npy"
    fmtbench.run("decode", str(stored), "--output", str(decoded))
    return np.load(decoded)


def causes(kernel: Kernel, values: Floats, theirs: Floats, ours: Floats) -> Counter[str]:
    """The numbers that differ, by what is known to differ."""
    other = ~((ours == theirs) | (np.isnan(ours) & np.isnan(theirs)))
    if kernel.keeps_specials:
        other &= np.isfinite(values)
    magnitude = np.where(np.isfinite(values), np.abs(values), 0)
    exponent = np.frexp(magnitude.max(axis=1, keepdims=True))[1] - 1
    emax = kernel.words[3] if kernel.words[0] == "mx" else 0
    known = {
        "a subnormal, which Quark takes for zero": (
            (magnitude < TINY) & (theirs == 0) & (kernel.words[0] == "prime")
        ),
        "a scale below 2^-127": np.broadcast_to(exponent - emax < -127, values.shape),
        "infinite in Quark": np.isinf(theirs) & np.isfinite(values),
    }
    found: Counter[str] = Counter()
    for cause, where in known.items():
        found[cause] += int((other & where).sum())
        other &= ~where
    found["not explained"] += int(other.sum())
    return found


def report(fmtbench: Fmtbench, sources: Path, compiler: str, blocks: int) -> list[str]:
    program = compiled(sources, compiler, fmtbench.folder)
    names = list(samples(16, 1))
    lines = [
        f"| Format | Roundings | {' | '.join(names)} |", "| :--- | :--- |" + " ---: |" * len(names)
    ]
    reasons: Counter[tuple[str, str, str]] = Counter()
    total = 0
    for kernel in kernels():
        cells = []
        for name, values in samples(kernel.block, blocks).items():
            compared = np.isfinite(values).sum() if kernel.keeps_specials else values.size
            found: Counter[str] = Counter()
            for rounding in kernel.roundings:
                command = [str(word) for word in (program, *kernel.words, rounding)]
                done = subprocess.run(
                    command, input=values.tobytes(), capture_output=True, check=True
                )
                theirs = np.frombuffer(done.stdout, np.float32).reshape(values.shape)
                words = ["--format", kernel.format, f"--rounding={ROUNDINGS[rounding]}"]
                if kernel.keeps_specials:
                    words.append("--non-finite=nan_to_zero")
                found += causes(kernel, values, theirs, quantized(fmtbench, words, values))
            count = int(compared) * len(kernel.roundings)
            total += count
            cells.append(f"{found.total()} of {count}")
            for cause, number in found.items():
                reasons[kernel.format, name, cause] += number
        roundings = ", ".join(ROUNDINGS[rounding] for rounding in kernel.roundings)
        lines.append(f"| {kernel.format} | {roundings} | {' | '.join(cells)} |")
    lines += ["", f"{total} values compared. Values that differ, by cause:", ""]
    lines += [
        f"- {format}, {name}: {count}, {cause}"
        for (format, name, cause), count in reasons.items() if count > 0
    ]
    return lines

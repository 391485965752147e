"""Training steps of fmtbench beside those of torch, torchao and microxcaling, in one run.

    python training.py --fmtbench .build/release/fmtbench > results.md

Every configuration runs in a process of its own, so that its memory is its own, and configurations
take turns for some rounds, so that a disturbance of the machine touches all of them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from peer_training import VARIANTS, peak_bytes
from report import Unavailable, cpu_count, cpu_name, markdown_table, unavailable_list

RECIPES = [
    "fp32", "bf16", "mxfp8", "mxfp6_e3m2", "mxfp6_e2m3", "mxint8", "mxfp4", "nvfp4", "mx9",
]  # fmt: skip
MAMBA_RECIPES = ["fp32", "bf16", "mxfp8", "nvfp4"]
BASELINE = "ours fp32"
TORCH_BASELINE = "torch fp32"


class Failed(Exception):
    """A process that did not end well, with the line that says why."""


@dataclass(frozen=True)
class Step:
    """What one process found."""

    seconds: float
    """The median of its steps."""
    peak: int
    """The most bytes that were resident."""
    before: int | None
    """The bytes that were resident before the first step, where the process says."""
    parameters: int
    facts: dict[str, str]


@dataclass
class Configuration:
    """Something to measure, and what was measured."""

    model: str
    name: str
    command: list[str]
    note: str
    is_ours: bool
    steps: list[Step] = field(default_factory=list)
    failure: str | None = None

    def run(self) -> None:
        """Another round, unless an earlier one failed."""
        if self.failure is not None:
            return
        try:
            text, peak = finished(self.command)
            self.steps.append((our_step if self.is_ours else peer_step)(json.loads(text), peak))
        except (Failed, OSError, ValueError, KeyError, TypeError, IndexError) as error:
            self.failure = str(error) if isinstance(error, Failed) else repr(error)

    @property
    def seconds(self) -> float:
        return statistics.median(step.seconds for step in self.steps)

    @property
    def spread(self) -> float:
        """The distance between the slowest and the fastest round, relative to the median."""
        times = [step.seconds for step in self.steps]
        return (max(times) - min(times)) / self.seconds


def finished(command: Sequence[str]) -> tuple[str, int]:
    """What a command wrote, and the most bytes that it had resident.

    Linux counts what this process has at the start of another as that one's: some 30 MB.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            # Usage errors begin with what is wrong, tracebacks end with it.
            lines = [line for line in errors.read().splitlines() if line.strip()] or ["no reason"]
            is_traceback = any(line.startswith("Traceback") for line in lines)
            raise Failed(lines[-1 if is_traceback else 0].strip())
        return output.read(), peak_bytes(usage)


def our_step(report: dict[str, Any], peak: int) -> Step:
    """From the report of `fmtbench train`."""
    kept = ("kernel_level", "version", "activation_bytes")
    facts = {key: str(report[key]) for key in kept if key in report}
    (row,) = report["rows"]
    return Step(row["step_seconds"], peak, None, report["parameters"], facts)


def peer_step(report: dict[str, Any], _: int) -> Step:
    """From the line of peer_training.py.

    It looks at its own memory, because that of a process waited for counts its compilers too.
    """
    return Step(
        report["step_seconds"], report["peak_bytes"], report["bytes_before"], report["parameters"],
        report["versions"],
    )  # fmt: skip


def configurations(options: argparse.Namespace) -> list[Configuration]:
    """All of them, in the order of the table."""
    sizes = [
        f"--{name}={getattr(options, name)}"
        for name in ("steps", "batch", "context", "width", "layers", "heads")
    ]

    def ours(model: str, recipe: str) -> Configuration:
        command = [
            str(options.fmtbench), "train", "--model", model, "--baseline", recipe, "--recipe",
            recipe, "--seeds", "1", "--json", *(part for size in sizes for part in size.split("=")),
        ]  # fmt: skip
        return Configuration(model, f"ours {recipe}", command, "", is_ours=True)

    def peer(name: str) -> Configuration:
        child = str(Path(__file__).with_name("peer_training.py"))
        command = [
            sys.executable, child, f"--variant={name}", f"--threads={cpu_count()}", *sizes,
        ]  # fmt: skip
        return Configuration("transformer", name, command, VARIANTS[name].note, is_ours=False)

    return [
        *(ours("transformer", recipe) for recipe in RECIPES),
        *(peer(name) for name in VARIANTS),
        *(ours("mamba2", recipe) for recipe in MAMBA_RECIPES),
    ]


def table(measured: Sequence[Configuration]) -> str:
    """One row for each configuration."""
    known = {(entry.model, entry.name): entry.seconds for entry in measured}

    def ratio(entry: Configuration, baseline: str) -> str:
        seconds = known.get((entry.model, baseline))
        return "" if seconds is None else f"{entry.seconds / seconds:.2f}"

    def megabytes(values: Sequence[int | None]) -> str:
        numbers = [value for value in values if value is not None]
        return f"{statistics.median(numbers) / 1e6:.0f}" if numbers else ""

    cells = []
    for entry in measured:
        note, steps = entry.note, entry.steps
        if entry.is_ours and "activation_bytes" in steps[0].facts:
            count = int(steps[0].facts["activation_bytes"])
            note = f"activations and gradients {count / 1e6:.0f} MB"
        cells.append([
            entry.model, entry.name, f"{entry.seconds:.3g}", f"{entry.spread:.0%}",
            ratio(entry, BASELINE), ratio(entry, TORCH_BASELINE),
            megabytes([step.peak for step in steps]), megabytes([step.before for step in steps]),
            note,
        ])  # fmt: skip
    columns = (
        "Model", "What", "Step s", "Spread", "/ ours fp32", "/ torch fp32", "Peak MB", "Before MB",
        "Notes",
    )  # fmt: skip
    return markdown_table(columns, "llrrrrrrl", cells)


def parameter_counts(measured: Sequence[Configuration]) -> str:
    """How many numbers each model trains; a difference between ours and a peer's ends the run."""
    counts: dict[str, set[int]] = {}
    for entry in measured:
        counts.setdefault(entry.model, set()).update(step.parameters for step in entry.steps)
    for model, found in counts.items():
        if len(found) > 1:
            sys.exit(f"models differ: {model} has {sorted(found)} parameters")
    return ", ".join(f"{model} {min(found):,}" for model, found in counts.items())


def header(options: argparse.Namespace, measured: Sequence[Configuration], load: float) -> str:
    """What was measured where, when and with which versions."""
    ours, packages = {}, {"Python": platform.python_version()}
    for entry in measured:
        (ours if entry.is_ours else packages).update(entry.steps[0].facts)
    ours.pop("activation_bytes", None)
    return "\n".join([
        f"- Date: {date.today().isoformat()}. Load before: {load:.2f}",
        f"- CPU: {cpu_name()}, {cpu_count()} cores used, {platform.system()} {platform.machine()}",
        f"- Peers: {', '.join(f'{name} {version}' for name, version in packages.items())}",
        f"- fmtbench: {', '.join(f'{name} {value}' for name, value in ours.items())}",
        f"- Model: {options.layers} layers of width {options.width} with {options.heads} heads,"
        f" batches of {options.batch} x {options.context} tokens; parameters:"
        f" {parameter_counts(measured)}",
        f"- Step s: median of {options.rounds} rounds, each the median of {options.steps} steps in"
        " a process of its own. Spread: slowest less fastest round, relative to the median.",
        "- Ratios are times over those of our fp32 of the same model and of torch's: below 1 is"
        " faster.",
        "- Peak MB: the most that was resident, libraries and compilers within the process"
        " included. Before MB: what was resident before the first step.",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fmtbench", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="takes names that contain one of these, A,B")
    sizes = {"steps": 10, "batch": 8, "context": 256, "width": 256, "layers": 4, "heads": 4}
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    entries = [
        entry
        for entry in configurations(options)
        if any(part in entry.name for part in options.only.split(","))
    ]
    load = os.getloadavg()[0]
    for number in range(options.rounds):
        for entry in entries:
            print(f"round {number + 1}: {entry.model}, {entry.name}", file=sys.stderr)
            entry.run()
    measured = [entry for entry in entries if entry.failure is None]
    missing = [
        Unavailable(f"{entry.model}, {entry.name}", entry.failure)
        for entry in entries
        if entry.failure is not None
    ]
    if measured:
        print(header(options, measured, load))
        print("\n" + table(measured))
    if missing:
        print("\n" + unavailable_list(missing))


if __name__ == "__main__":
    main()

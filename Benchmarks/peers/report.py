"""The Markdown that is printed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from agreement import Agreement
from measuring import Rate
from operations import Check, Direction, Operation
from ours import Key, Speeds


@dataclass(frozen=True)
class PeerRate:
    """One measured call of a peer."""

    peer: str
    operation: Operation
    threads: int
    rate: Rate

    @property
    def key(self) -> Key:
        """Our row that does the same."""
        return Key(self.operation.format, self.operation.direction, self.threads)


@dataclass(frozen=True)
class Unavailable:
    """A peer, or one of its calls, that could not run."""

    what: str
    reason: str


def cpu_count() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """The processor as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def header(
    versions: dict[str, str], speeds: Speeds, elements: int, pages_kept: bool, load: float
) -> str:
    """What was measured where, when and with which versions.

    `load` is the system's load average of a minute before the first measurement.
    """
    packages = {"Python": platform.python_version(), **versions}
    facts = ", ".join(f"{key} {value}" for key, value in speeds.facts.items())
    lines = [
        f"- Date: {date.today().isoformat()}",
        f"- CPU: {cpu_name()}, {cpu_count()} cores used, {platform.system()} {platform.machine()}",
        f"- Peers: {', '.join(f'{name} {version}' for name, version in packages.items())}",
    ]
    if speeds.rates:
        counts = " or ".join(map(str, sorted(speeds.elements)))
        lines += [
            f"- fmtbench: {facts}",
            f"- Arrays: standard normal floats; {counts or 'DRAM-sized'} elements for fmtbench and"
            f" {elements} for peers, where the table does not say otherwise.",
            "- Ours is the mean of a run before and a run after the peers, which are at most"
            f" {speeds.drift():.0%} apart. Load before: {load:.2f}.",
            "- G/s: 10^9 elements over the median time. Spread: the distance of the quartiles of"
            " the times, relative to their median.",
        ]
    if pages_kept:
        lines.append("- Results that peers allocate reuse pages touched before.")
    return "\n".join(lines)


def ratio_table(rates: Iterable[PeerRate], speeds: Speeds) -> str:
    """One row for each call and thread count; fastest peer first."""
    order = list(Direction)
    rows = sorted(
        rates,
        key=lambda row: (
            row.key.format,
            order.index(row.key.direction),
            row.threads,
            -row.rate.gelements_per_s,
        ),
    )
    cells = [_ratio_cells(row, speeds.rate(row.key)) for row in rows]
    columns = (
        "Format", "Direction", "Threads", "Peer", "Call", "Elements",
        "Peer G/s", "Spread", "Ours G/s", "Ours / peer",
    )  # fmt: skip
    return markdown_table(columns, "lllllrrrrr", cells)


def _ratio_cells(row: PeerRate, ours: float | None) -> list[str]:
    operation, peer = row.operation, row.rate.gelements_per_s
    return [
        operation.format,
        operation.direction.value,
        str(row.threads),
        row.peer,
        operation.call,
        str(operation.elements),
        _significant(peer),
        f"{row.rate.spread:.0%}",
        "not measured" if ours is None else _significant(ours),
        "" if ours is None else _significant(ours / peer),
    ]


def agreement_table(outcomes: Sequence[tuple[str, Check, Sequence[Agreement]]]) -> str:
    """One row for each check, one column for each probe."""
    if not outcomes:
        return ""
    probes = [f"{outcome.probe} ({outcome.elements})" for outcome in outcomes[0][2]]
    cells = [
        [
            check.format,
            peer,
            check.call,
            " ".join(check.options) or "none",
            *(outcome.verdict for outcome in agreements),
        ]
        for peer, check, agreements in outcomes
    ]
    columns = ("Format", "Peer", "Call", "Our options", *probes)
    return markdown_table(columns, "l" * len(columns), cells)


def unavailable_list(missing: Sequence[Unavailable]) -> str:
    """What could not run, and why."""
    return "\n".join(f"- {entry.what}: not available ({entry.reason})" for entry in missing)


def _significant(value: float) -> str:
    """Three digits, without an exponent."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{float(f'{value:.3g}'):.6f}".rstrip("0").rstrip(".")


def markdown_table(columns: Sequence[str], alignments: str, rows: Iterable[Sequence[str]]) -> str:
    rule = ["---:" if alignment == "r" else ":---" for alignment in alignments]
    lines = [columns, rule, *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )

"""Compares the speed and the bytes of fmtbench with those of Python libraries.

python compare.py --fmtbench PATH > results.md
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import agreement
import report
from arrays import ROW_LENGTH, Normals, probes
from measuring import keep_freed_pages, measure
from operations import Check, Operation, Peer
from ours import Fmtbench, FmtbenchError, Speeds
from peer_gfloat import GFloat
from peer_ml_dtypes import MLDtypes
from peer_mlx import MLX
from peer_torch import Torch
from peer_torchao import CompiledTorchAO, TorchAO

PEERS: dict[str, Callable[[], Peer]] = {
    peer.name: peer for peer in (Torch, TorchAO, CompiledTorchAO, MLDtypes, GFloat, MLX)
}


def main() -> int:
    arguments = parse_arguments()
    fmtbench = Fmtbench(arguments.fmtbench)
    pages_kept = keep_freed_pages()
    load_average = os.getloadavg()[0]
    missing: list[report.Unavailable] = []
    peers = load(arguments.peer or list(PEERS), missing)
    normals = Normals(arguments.elements)
    operations = [(peer, operation) for peer in peers for operation in peer.operations(normals)]
    formats = sorted({operation.format for _, operation in operations})
    try:
        outcomes = agreements(peers, fmtbench, missing)
        speeds = Speeds()
        rates: list[report.PeerRate] = []
        if not arguments.agreement_only:
            say("fmtbench speed")
            fmtbench.add_speeds(formats, to=speeds)
            rates = measured(operations, missing)
            say("fmtbench speed")
            fmtbench.add_speeds(formats, to=speeds)
    except FmtbenchError as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 1
    versions = {name: value for peer in peers for name, value in peer.versions().items()}
    sections = ["# fmtbench and its peers"]
    sections.append(report.header(versions, speeds, arguments.elements, pages_kept, load_average))
    if rates:
        sections.append(report.ratio_table(rates, speeds))
    if missing:
        sections.append(report.unavailable_list(missing))
    sections += ["## Same work", report.agreement_table(outcomes)]
    print("\n\n".join(sections))
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compares fmtbench with Python libraries.")
    parser.add_argument("--fmtbench", type=Path, required=True, help="a release build of fmtbench")
    parser.add_argument(
        "--peer", action="append", choices=PEERS, help="a peer to run; all by default; repeatable"
    )
    parser.add_argument(
        "--elements",
        type=int,
        default=1 << 24,
        help=f"the peers' array, a multiple of {ROW_LENGTH} (default: %(default)s)",
    )
    parser.add_argument(
        "--agreement-only", action="store_true", help="compare bytes and measure nothing"
    )
    arguments = parser.parse_args()
    if arguments.elements <= 0 or arguments.elements % ROW_LENGTH:
        parser.error(f"--elements {arguments.elements} is no positive multiple of {ROW_LENGTH}")
    return arguments


def load(names: Sequence[str], missing: list[report.Unavailable]) -> list[Peer]:
    """The peers of these names that can be imported."""
    peers = []
    for name in names:
        try:
            peers.append(PEERS[name]())
        except ImportError as error:
            missing.append(report.Unavailable(name, one_line(error)))
    return peers


def agreements(
    peers: Sequence[Peer], fmtbench: Fmtbench, missing: list[report.Unavailable]
) -> list[tuple[str, Check, list[agreement.Agreement]]]:
    """Our bytes and theirs, for every check and probe."""
    matrices = probes()
    outcomes = []
    for peer in peers:
        for check in peer.checks():
            say(f"{peer.name}: bytes of {check.format}, {check.call}")
            try:
                verdicts = [agreement.compare(check, probe, fmtbench) for probe in matrices]
            except FmtbenchError:
                raise
            except Exception as error:  # A library may refuse a call in any way it likes.
                what = f"{peer.name}, bytes of {check.format} ({check.call})"
                missing.append(report.Unavailable(what, one_line(error)))
                continue
            outcomes.append((peer.name, check, verdicts))
    return outcomes


def measured(
    operations: Sequence[tuple[Peer, Operation]], missing: list[report.Unavailable]
) -> list[report.PeerRate]:
    """Rates with one thread and, where the peer has threads, with all."""
    rates = []
    for peer, operation in operations:
        every = report.cpu_count()
        counts = sorted({1, every}) if peer.uses_threads else [1]
        for threads in counts:
            say(f"{peer.name}: {operation.format} {operation.direction.value}, {threads} threads")
            try:
                if peer.uses_threads:
                    peer.set_threads(threads)
                rate = measure(operation.prepare(), operation.elements)
            except Exception as error:  # A library may refuse a call in any way it likes.
                what = f"{peer.name}, {operation.format} {operation.direction.value}"
                missing.append(report.Unavailable(f"{what} ({operation.call})", one_line(error)))
                break
            rates.append(report.PeerRate(peer.name, operation, threads, rate))
    return rates


def one_line(error: Exception) -> str:
    """The first line of a message, which is the part that a table can hold."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:200]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

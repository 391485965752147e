"""Matrix products of fmtbench beside those of torch, torchao, numpy and ggml, level by level.

    python products.py --fmtbench .build/release/fmtbench --level avx2 --ggml BUILD > results.md

Y = A · Bᵀ of standard normal numbers with one thread. B is prepared beforehand, as each side likes
it; A is FP32 and every call converts it. Rounds measure all sides in turn, shape by shape.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from report import cpu_count, cpu_name, markdown_table

SHAPES = "1024x1024x1024,512x4096x4096,1x4096x4096,8x4096x4096"

COMPARED = {
    "fp32": ("torch fp32", "numpy fp32", "ggml f32"),
    "bf16": ("torch bf16", "ggml bf16"),
    "mxint8": ("ggml q8_0", "torch int8 fbgemm", "torch int8 onednn", "torchao int8"),
    "q8_0": ("ggml q8_0",),
    "int8_row": ("torch int8 fbgemm", "torch int8 onednn", "torchao int8"),
    "mxint8:mxfp4": ("ggml mxfp4", "torchao int8, int4"),
    "q8_0:mxfp4": ("ggml mxfp4",),
    "q8_0:q4_0": ("ggml q4_0",),
    "mxint8:nvfp4": ("ggml nvfp4",),
    "nvfp4": ("ggml nvfp4",),
    "bf16:mxfp4": ("torchao bf16, int4",),
}
"""Our formats of A and B, and the peers' calls beside them, by the first words of their names."""

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
AVX512 = {
    "ATEN_CPU_CAPABILITY": "avx512",
    "MKL_ENABLE_INSTRUCTIONS": "AVX512",
    "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
    "FBGEMM_ENABLE_INSTRUCTIONS": "AVX512",
    "OPENBLAS_CORETYPE": "SkylakeX",
}
LIMITS: dict[str, dict[str, str]] = {
    "avx2": AVX2,
    "avx_vnni": {**AVX2, "ONEDNN_MAX_CPU_ISA": "AVX2_VNNI"},
    "avx512": AVX512,
    "avx512_dot": {
        **AVX512,
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16",
        "FBGEMM_ENABLE_INSTRUCTIONS": "AVX512_E1",
    },
    "neon": {},
    "neon_dot": {},
}
"""What keeps peers at the instructions of a level: none of them may use more than we do."""
BEYOND = {
    "avx2": {"avx_vnni", "avx512", "amx_int8"},
    "avx_vnni": {"avx512", "amx_int8"},
    "avx512": {"avx512_vnni", "avx512_bf16", "amx_int8"},
    "avx512_dot": {"amx_int8"},
}
"""What ggml may not be built for, because its build and not the environment decides."""


class Peer:
    """A worker process with one library."""

    def __init__(self, name: str, place: str, level: str) -> None:
        self.name = name
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("product_worker.py")), name, place],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, **ONE_THREAD, **LIMITS[level]},
        )  # fmt: skip
        start = self._answer()
        self.failed: str | None = start.get("failed")
        self.facts: dict[str, str] = start.get("facts", {})
        beyond = BEYOND.get(level, set()).intersection(start.get("features", []))
        if beyond:
            sys.exit(f"{name} is built for {', '.join(sorted(beyond))}, which {level} has not")
        self.missing: dict[str, str] = {}

    def rows(self, shape: str) -> dict[str, dict[str, float]]:
        if self.failed is not None:
            return {}
        assert self.process.stdin
        self.process.stdin.write(shape.replace("x", " ") + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        if "failed" in answer:
            self.failed = answer["failed"]
            return {}
        self.missing |= answer["missing"]
        return answer["rows"]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        return {"failed": f"the process ended with status {self.process.wait()}"}


class Results:
    """10^9 operations a second of every round."""

    def __init__(self) -> None:
        self.rounds: dict[tuple[str, str], list[float]] = {}
        self.qsnr_db: dict[str, float] = {}

    def add(self, name: str, shape: str, gops: float, qsnr_db: float) -> None:
        self.rounds.setdefault((name, shape), []).append(gops)
        self.qsnr_db[name] = min(qsnr_db, self.qsnr_db.get(name, qsnr_db))

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self.rounds))

    def median(self, name: str, shape: str) -> float:
        return statistics.median(self.rounds[name, shape])

    def best(self, first_words: str, shape: str) -> str | None:
        """The fastest of a peer's calls for the same work."""
        calls = [
            name
            for name, measured in self.rounds
            if measured == shape and (name == first_words or name.startswith(f"{first_words} "))
        ]
        return max(calls, key=lambda name: self.median(name, shape), default=None)

    def speed(self, name: str, shape: str) -> str:
        if (name, shape) not in self.rounds:
            return ""
        return f"{_short(self.median(name, shape))} ({_range(self.rounds[name, shape])})"

    def ratio(self, ours: str, peer: str, shape: str) -> str:
        call = self.best(peer, shape)
        if call is None or (ours, shape) not in self.rounds:
            return "not available"
        ratios = [
            mine / theirs
            for mine, theirs in zip(self.rounds[ours, shape], self.rounds[call, shape], strict=True)
        ]
        return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _range(values: list[float]) -> str:
    return f"{_short(min(values))} to {_short(max(values))}"


def repeats(shape: str) -> int:
    """How often fmtbench measures a product in each round: small ones more often."""
    m, n, k = map(int, shape.split("x"))
    return max(3, min(15, 10**10 // (2 * m * n * k)))


def ours(command: list[str], shape: str) -> dict[str, Any]:
    """The report of `fmtbench gemm` for a shape."""
    done = subprocess.run(
        [*command, "--shapes", shape, "--repeats", str(repeats(shape))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"fmtbench gemm failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure_ours(results: Results, command: list[str], shape: str) -> dict[str, Any]:
    report = ours(command, shape)
    for row in report["rows"]:
        name = row["a"] if row["a"] == row["b"] else f"{row['a']}:{row['b']}"
        results.add(name, shape, row["gops"], row["qsnr_db"])
    return report


def measure_peer(results: Results, peer: Peer, shape: str) -> None:
    for name, row in peer.rows(shape).items():
        results.add(name, shape, row["gops"], row["qsnr_db"])


def tables(results: Results, shapes: list[str], missing: dict[str, str]) -> str:
    ratios = [
        [name, peer, *(results.ratio(name, peer, shape) for shape in shapes)]
        for name, peers in COMPARED.items()
        for peer in peers
    ]
    speeds = [
        [name, f"{results.qsnr_db[name]:.1f}", *(results.speed(name, shape) for shape in shapes)]
        for name in results.names()
    ]
    parts = [
        "Ours / the peer's fastest call for that work: the median of the rounds, the lowest and the"
        " highest.\n",
        markdown_table(["Ours", "Peer", *shapes], "ll" + "r" * len(shapes), ratios),
        "\nAll calls, G/s: the median of the rounds, the lowest and the highest.\n",
        markdown_table(["Call", "QSNR, dB", *shapes], "lr" + "r" * len(shapes), speeds),
    ]
    if missing:
        parts += ["\nNot available:\n"]
        parts += [f"- {name}: {reason}" for name, reason in missing.items()]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fmtbench", type=Path, required=True)
    parser.add_argument("--level", choices=list(LIMITS), default="avx2")
    parser.add_argument("--ggml", default="", help="a build of ggml with shared libraries")
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where to write all rounds")
    options = parser.parse_args()
    shapes: list[str] = options.shapes.split(",")
    command = [
        str(options.fmtbench), "gemm", "--json", "--threads", "1", "--level", options.level,
        "--formats", ",".join(COMPARED),
    ]  # fmt: skip
    started, load = time.monotonic(), os.getloadavg()[0]
    peers = [Peer(name, options.ggml, options.level) for name in ("torch", "numpy", "ggml")]
    results = Results()
    report: dict[str, Any] = {}
    for number in range(options.rounds):
        for shape in shapes:
            print(f"round {number + 1}, {shape}", file=sys.stderr)
            # Each round begins with another side.
            sides: list[Peer | None] = [None, *peers]
            start = number % len(sides)
            for side in sides[start:] + sides[:start]:
                if side is None:
                    report = measure_ours(results, command, shape)
                else:
                    measure_peer(results, side, shape)
    for peer in peers:
        peer.close()
    missing = {peer.name: peer.failed for peer in peers if peer.failed is not None}
    for peer in peers:
        missing |= peer.missing
    facts = {name: fact for peer in peers for name, fact in peer.facts.items()}
    head = [
        f"- Date: {date.today().isoformat()}; CPU: {cpu_name()}, {cpu_count()} cores, one thread;"
        f" load before {load:.2f}, after {os.getloadavg()[0]:.2f};"
        f" {time.monotonic() - started:.0f} seconds",
        f"- Ours: fmtbench {report['version']} at level {options.level}",
        f"- Peers: {', '.join(f'{name} {fact}' for name, fact in facts.items())}",
        "- Limits of peers: "
        + (" ".join(f"{key}={value}" for key, value in LIMITS[options.level].items()) or "none"),
        f"- {options.rounds} rounds; in each, `{' '.join(['fmtbench', *command[1:]])}`, with"
        " --shapes and 3 to 15 repeats, and the peers took turns for each shape.",
        "- G/s: 10^9 operations a second, two for each multiply-add. Quantizing or converting A"
        " from FP32 is in every call of every side; B is prepared beforehand.",
        "- QSNR: the lowest over the shapes, against FP64; of peers, in the first eight rows.\n",
    ]
    print("\n".join(head))
    print(tables(results, shapes, missing))
    if options.json:
        rows = [
            {"call": name, "shape": shape, "gops": rounds, "qsnr_db": results.qsnr_db[name]}
            for (name, shape), rounds in results.rounds.items()
        ]
        document = {
            "cpu": cpu_name(), "level": options.level, "limits": LIMITS[options.level],
            "version": report["version"], "peers": facts, "command": command[1:], "rows": rows,
            "missing": missing,
        }  # fmt: skip
        options.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()

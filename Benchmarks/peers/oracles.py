"""Compares codes and values of fmtbench with references that others wrote.

    python oracles.py --fmtbench PATH [--cuda-include FOLDER --cccl-include FOLDER [--every PATTERN]]
        [--p3109 FOLDER] [--onnx] [--quark FOLDER] [--fouroversix FOLDER] > oracles.md

Each part runs where its option is given. The casts of NVIDIA's whose names the pattern of `--every`
fits are compared on all 2^32 patterns of FP32; the others at both ends of every run of equal codes and
on numbers drawn within it. `--runs FILE` keeps the runs, or reads them if the file is there.
"""

from __future__ import annotations

import argparse
import fnmatch
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from executable import Fmtbench


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fmtbench", default=".build/release/fmtbench")
    parser.add_argument("--cuda-include", type=Path)
    parser.add_argument("--cccl-include", type=Path)
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--every", default="")
    parser.add_argument("--p3109", type=Path)
    parser.add_argument("--onnx", action="store_true")
    parser.add_argument("--quark", type=Path)
    parser.add_argument("--fouroversix", type=Path)
    parser.add_argument("--blocks", type=int, default=1 << 16)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        fmtbench = Fmtbench(arguments.fmtbench, folder)
        print(f"- numpy {np.__version__}\n")
        if arguments.cuda_include:
            show("NVIDIA's host casts", cuda(fmtbench, arguments, folder))
        if arguments.p3109:
            import oracle_p3109

            show("P3109 value tables", oracle_p3109.report(fmtbench, arguments.p3109))
        if arguments.onnx:
            import oracle_onnx

            print(f"- {oracle_onnx.version()}\n")
            show("ONNX reference evaluator", oracle_onnx.report(fmtbench))
        if arguments.quark:
            import oracle_quark

            lines = oracle_quark.report(
                fmtbench, arguments.quark, arguments.compiler, arguments.blocks
            )
            show("AMD Quark's kernels", lines)
        if arguments.fouroversix:
            import oracle_fouroversix

            lines = oracle_fouroversix.report(fmtbench, arguments.fouroversix)
            show("fouroversix' golden sums", lines)


def cuda(fmtbench: Fmtbench, arguments: argparse.Namespace, folder: Path) -> list[str]:
    import oracle_cuda

    if arguments.runs and arguments.runs.exists():
        text = arguments.runs.read_text()
    else:
        includes = [arguments.cuda_include, arguments.cccl_include]
        program = oracle_cuda.compiled(includes, arguments.compiler, folder)
        text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        if arguments.runs:
            arguments.runs.write_text(text)
    runs = oracle_cuda.parse(text)
    every = set(fnmatch.filter(runs, arguments.every))
    if arguments.every and not every:
        raise SystemExit(f"no cast of NVIDIA's is called {arguments.every}")
    return oracle_cuda.report(fmtbench, runs, every)


def show(title: str, lines: list[str]) -> None:
    print(f"## {title}\n")
    print("\n".join(lines) + "\n", flush=True)


if __name__ == "__main__":
    main()

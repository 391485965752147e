"""Matrix products of fmtbench beside those of torch and torchao, in one run.

    python gemm.py --fmtbench .build/release/fmtbench > results.md

Y = A · Bᵀ of standard normal numbers. Peers get both operands as they like them, made beforehand;
fmtbench quantizes and packs A in every call.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from measuring import measure
from report import cpu_count, cpu_name, markdown_table

FORMATS = [
    "fp32", "bf16", "mxfp4", "mxint8", "mxfp6_e2m3", "mxfp6_e3m2", "mxfp8_e4m3",
    "mxfp8_e4m3:mxfp4", "nvfp4", "mx9", "mx6", "msfp12", "fp8_e4m3_tensor", "int8_row",
]  # fmt: skip


def ours(path: Path, shapes: list[str], threads: list[int]) -> dict[str, object]:
    """The report of `fmtbench gemm`."""
    command = [
        str(path), "gemm", "--json", "--shapes", ",".join(shapes), "--formats", ",".join(FORMATS),
        "--threads", ",".join(map(str, threads)),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"fmtbench gemm failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def peers(m: int, n: int, k: int) -> dict[str, Callable[[], object]]:
    """The calls of peers for a shape, by name; those that cannot run are left out, loudly."""
    import torch

    torch.manual_seed(0)
    a, b = torch.randn(m, k), torch.randn(n, k)
    a16, b16 = a.bfloat16(), b.bfloat16()
    y, y16 = torch.empty(m, n), torch.empty(m, n, dtype=torch.bfloat16)
    calls: dict[str, Callable[[], object]] = {
        "torch fp32": lambda: torch.mm(a, b.t(), out=y),
        "torch bf16": lambda: torch.mm(a16, b16.t(), out=y16),
    }
    try:
        from torchao.prototype.mx_formats.mx_tensor import MXTensor

        for name, element in (
            ("torchao mxfp8_e4m3", torch.float8_e4m3fn),
            ("torchao mxfp4", torch.float4_e2m1fn_x2),
        ):
            x = MXTensor.to_mx(a16, element, 32)
            w = MXTensor.to_mx(b16, element, 32)
            # What its emulation does: decode both and multiply.
            calls[name] = lambda x=x, w=w: torch.mm(
                x.dequantize(torch.bfloat16), w.dequantize(torch.bfloat16).t(), out=y16
            )
            calls[name]()
    except Exception as error:  # noqa: BLE001: whatever a peer throws, the others go on
        print(f"torchao is not available: {error!r}", file=sys.stderr)
    return calls


def peer_rates(shapes: list[str], threads: list[int]) -> dict[tuple[str, str, int], float]:
    """10^9 operations a second, by shape, call and threads."""
    import torch

    rates = {}
    for shape in shapes:
        m, n, k = map(int, shape.split("x"))
        calls = peers(m, n, k)
        for count in threads:
            torch.set_num_threads(count)
            for name, call in calls.items():
                rates[shape, name, count] = measure(call, 2 * m * n * k).gelements_per_s
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fmtbench", type=Path, required=True)
    parser.add_argument("--shapes", default="1024x1024x1024,2048x2048x2048,1x8192x8192")
    options = parser.parse_args()
    shapes = options.shapes.split(",")
    threads = sorted({1, cpu_count()})

    import torch

    before = ours(options.fmtbench, shapes, threads)
    rates = peer_rates(shapes, threads)
    after = ours(options.fmtbench, shapes, threads)
    names = list(dict.fromkeys(name for _, name, _ in rates))
    print(f"- CPU: {cpu_name()}, {cpu_count()} cores; torch {torch.__version__}")
    print(f"- fmtbench: level {before['kernel_level']}, mean of a run before and one after the peers")
    print("- G/s: 10^9 operations a second, two for each multiply-add; ratios are ours / peer's.\n")
    rows = []
    for row, again in zip(before["rows"], after["rows"], strict=True):
        shape = f"{row['m']}x{row['n']}x{row['k']}"
        gops = (row["gops"] + again["gops"]) / 2
        peak = (row["peak_ratio"] + again["peak_ratio"]) / 2
        ratios = [
            f"{gops / rates[shape, name, row['threads']]:.2f}"
            if (shape, name, row["threads"]) in rates
            else ""
            for name in names
        ]
        rows.append(
            [shape, row["a"], row["b"], str(row["threads"]), f"{gops:.0f}", f"{peak:.2f}", *ratios]
        )
    columns = ["Shape", "A", "B", "Threads", "G/s", "Peak ratio", *(f"/ {name}" for name in names)]
    print(markdown_table(columns, "lll" + "r" * (len(columns) - 3), rows))
    print("\n" + markdown_table(
        ["Shape", "Peer", "Threads", "G/s"], "llrr",
        [[s, name, str(count), f"{rate:.0f}"] for (s, name, count), rate in rates.items()],
    ))  # fmt: skip


if __name__ == "__main__":
    main()

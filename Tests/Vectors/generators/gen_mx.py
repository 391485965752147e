"""mx/torchao_*: MX blocks from torchao's to_mx, checked against exact rational arithmetic.

torchao 0.18 runs on the CPU through PyTorch. A block on which it agrees with mx_exact.py goes to
`blocks`; where they differ both answers go to `differences`, so that no expected value of `blocks`
rests on one tool alone.
"""

import logging
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch
from torchao.prototype.mx_formats.config import ScaleCalculationMode
from torchao.prototype.mx_formats.kernels import unpack_uint4
from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx

from mx_exact import *

DTYPE = {
    "e4m3fn": torch.float8_e4m3fn,
    "e5m2": torch.float8_e5m2,
    "e2m3fn": "fp6_e2m3",
    "e3m2fn": "fp6_e3m2",
    "e2m1fn": torch.float4_e2m1fn_x2,
}


def torchao_block(rule, name, patterns):
    dtype = DTYPE[name]
    x = torch.from_numpy(array_from(patterns).copy()).reshape(1, K)
    scale, data = to_mx(x, dtype, K, ScaleCalculationMode(rule))
    decoded = to_dtype(data, scale, dtype, K, torch.float32)
    codes = unpack_uint4(data) if name == "e2m1fn" else data.view(torch.uint8)
    return (
        int(scale.view(torch.uint8).reshape(-1)[0]),
        [int(c) for c in codes.reshape(-1)],
        array_bits(decoded.reshape(-1).numpy()),
    )


def torchao_tables():
    differing = {}
    for name in ELEMENTS:
        for rule in RULES:
            same, different = [], []
            for label, patterns in blocks(name):
                want = exact_block(rule, name, patterns)
                got = torchao_block(rule, name, patterns)
                nan_block = want[1] is None
                if rule == "floor" and not nan_block:
                    check_gfloat(name, patterns, want[2])
                agree = got[0] == want[0] and got[2] == want[2] and (nan_block or got[1] == want[1])
                if agree:
                    same.append(record(label, patterns, *got))
                    continue
                if not is_finite(max(p & 0x7FFFFFFF for p in patterns)):
                    differing.setdefault(label, []).append(f"{name}/{rule}: byte {got[0]}")
                else:
                    differing.setdefault(label, []).append(
                        f"{name}/{rule}: byte {got[0]} for {want[0]}, "
                        f"{sum(a != b for a, b in zip(got[1], want[1]))} codes"
                    )
                different.append(
                    {
                        "tool": record(label, patterns, *got),
                        "exact": record(label, patterns, *want),
                    }
                )
            comment = (
                "blocks: torchao and the exact encoder agree; a NaN or infinite input makes scale 255 "
                "and the codes of such a block carry no meaning; differences: both answers, the exact "
                "one follows the published rule (for FLOOR gfloat 0.5.2 confirms it on every finite block). torchao packs FP4 with element 2i in the low nibble "
                "of byte i and stores FP6 one per byte; codes here are unpacked."
            )
            write(
                f"mx/torchao_{name}_{rule}.json",
                {
                    "header": header(
                        "torchao (PyTorch " + torch.__version__.split("+")[0] + ", CPU)",
                        "0.18.0",
                        "OCP MX v1.0 section 6.3; torchao ScaleCalculationMode",
                        comment,
                    ),
                    "element": name,
                    "rule": rule,
                    "blockSize": K,
                    "blocks": same,
                    "differences": different,
                },
            )
    for label, items in differing.items():
        print(label)
        for item in items:
            print("   ", item)


torchao_tables()

"""A GPT in torch, trained as `fmtbench train` trains its own; one configuration in one process.

    python peer_training.py --variant "torch fp32" --steps 5 ...

Prints a line of JSON: the median seconds of a step, memory, and what ran. `training.py` starts it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import WARM_UP_CALLS, keep_freed_pages

BLOCK = 32
VOCABULARY = 128


@dataclass(frozen=True)
class Variant:
    """One way to train the model."""

    note: str
    autocast: bool = False
    compiled: bool = False
    torchao: str | None = None
    """The element of torchao's MX blocks."""
    microxcaling: str | None = None
    """The element of microxcaling's MX blocks."""


_TORCHAO = "emulated: six operands of a layer encoded, decoded and multiplied in BF16"
_MICROXCALING = "emulated: six operands of a layer rounded in FP32 and multiplied in FP32"

VARIANTS = {
    "torch fp32": Variant("eager"),
    "torch fp32, compiled": Variant("torch.compile", compiled=True),
    "torch bf16": Variant("autocast, eager", autocast=True),
    "torch bf16, compiled": Variant("autocast, torch.compile", autocast=True, compiled=True),
    "torchao mxfp8": Variant(_TORCHAO, torchao="fp8_e4m3"),
    "torchao mxfp8, compiled": Variant(
        _TORCHAO + ", torch.compile", torchao="fp8_e4m3", compiled=True
    ),
    "torchao mxfp6_e3m2": Variant(_TORCHAO, torchao="fp6_e3m2"),
    "torchao mxfp6_e2m3": Variant(_TORCHAO, torchao="fp6_e2m3"),
    "torchao mxfp4": Variant(_TORCHAO, torchao="fp4_e2m1"),
    "microxcaling mxfp8": Variant(_MICROXCALING, microxcaling="fp8_e4m3"),
    "microxcaling mxfp6_e3m2": Variant(_MICROXCALING, microxcaling="fp6_e3m2"),
    "microxcaling mxfp6_e2m3": Variant(_MICROXCALING, microxcaling="fp6_e2m3"),
    "microxcaling mxint8": Variant(_MICROXCALING, microxcaling="int8"),
    "microxcaling mxfp4": Variant(_MICROXCALING, microxcaling="fp4_e2m1"),
}


@dataclass(frozen=True)
class Extents:
    """The sizes of model and batch."""

    batch: int
    context: int
    width: int
    layers: int
    heads: int


def linear_maker(variant: Variant) -> Callable[[int, int], Any]:
    """What makes the linear layers of the blocks, from the numbers of inputs and outputs."""
    import torch

    if variant.torchao is not None:
        return torchao_linear(variant.torchao)
    if variant.microxcaling is not None:
        return microxcaling_linear(variant.microxcaling)
    return lambda inputs, outputs: torch.nn.Linear(inputs, outputs, bias=False)


def microxcaling_linear(element: str) -> Callable[[int, int], Any]:
    """Layers of microxcaling: blocks of 32, operands and results in FP32."""
    import mx  # type: ignore[import-not-found]
    from mx.specs import finalize_mx_specs  # type: ignore[import-not-found]

    specs = finalize_mx_specs(
        {
            "w_elem_format": element, "a_elem_format": element, "block_size": BLOCK,
            "scale_bits": 8, "bfloat": 0, "custom_cuda": False,
        }
    )  # fmt: skip
    return lambda inputs, outputs: mx.Linear(inputs, outputs, bias=False, mx_specs=specs)


def torchao_linear(element: str) -> Callable[[int, int], Any]:
    """Layers whose operands torchao encodes along each product's contracted axis and decodes.

    The decoded numbers are exact in BF16, in which torchao's own emulation multiplies.
    """
    import torch
    from torchao.prototype.mx_formats import constants, mx_tensor

    kind: Any = {
        "fp8_e4m3": torch.float8_e4m3fn,
        "fp6_e3m2": constants.DTYPE_FP6_E3M2,
        "fp6_e2m3": constants.DTYPE_FP6_E2M3,
        "fp4_e2m1": torch.float4_e2m1fn_x2,
    }[element]

    def cast(matrix: Any) -> Any:
        """What is left of a matrix whose rows run along the contracted axis."""
        scales, codes = mx_tensor.to_mx(matrix.contiguous(), kind, BLOCK)
        return mx_tensor.to_dtype(codes, scales, kind, BLOCK, torch.bfloat16)

    class Product(torch.autograd.Function):
        """Y = X · Wᵀ and its gradients."""

        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any) -> Any:
            ctx.save_for_backward(x, weight)
            return (cast(x) @ cast(weight).t()).float()

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            x, weight = ctx.saved_tensors
            dx = cast(dy) @ cast(weight.t()).t()
            dw = cast(dy.t()) @ cast(x.t()).t()
            return dx.float(), dw.float()

    class Linear(torch.nn.Linear):
        def forward(self, x: Any) -> Any:
            y = Product.apply(x.reshape(-1, x.shape[-1]), self.weight)
            return y.reshape(*x.shape[:-1], -1)

    return lambda inputs, outputs: Linear(inputs, outputs, bias=False)


def make_model(extents: Extents, linear: Callable[[int, int], Any]) -> Any:
    """Our GPT: learned positions, RMSNorm, no bias, GELU of tanh, a head of its own."""
    import torch
    from torch import nn
    from torch.nn import functional

    width, heads = extents.width, extents.heads

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norms = nn.ModuleList(nn.RMSNorm(width, eps=1e-5) for _ in range(2))
            self.qkv, self.output = linear(width, 3 * width), linear(width, width)
            self.up, self.down = linear(width, 4 * width), linear(4 * width, width)

        def attention(self, x: Any) -> Any:
            b, t, _ = x.shape
            q, k, v = self.qkv(x).reshape(b, t, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.output(y.transpose(1, 2).reshape(b, t, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norms[0](x))
            inner = functional.gelu(self.up(self.norms[1](x)), approximate="tanh")
            return x + self.down(inner)

    class GPT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(VOCABULARY, width)
            self.positions = nn.Embedding(extents.context, width)
            self.blocks = nn.ModuleList(Block() for _ in range(extents.layers))
            self.norm = nn.RMSNorm(width, eps=1e-5)
            self.head = nn.Linear(width, VOCABULARY, bias=False)
            for weight in self.parameters():
                if weight.dim() == 2:
                    nn.init.normal_(weight, std=0.02)

        def forward(self, tokens: Any, targets: Any) -> Any:
            x = self.embedding(tokens) + self.positions.weight[: tokens.shape[1]]
            for block in self.blocks:
                x = block(x)
            logits = self.head(self.norm(x))
            return functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())

    torch.manual_seed(0)
    return GPT()


def train(variant: Variant, extents: Extents, steps: int, threads: int) -> dict[str, object]:
    """Trains on random tokens and reports the steps after the warm-up."""
    import torch

    keep_freed_pages()
    torch.set_num_threads(threads)
    model = make_model(extents, linear_maker(variant))
    weights = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.dim() == 2], "weight_decay": 0.1},
            {"params": [w for w in weights if w.dim() == 1], "weight_decay": 0.0},
        ],
        lr=3e-3, betas=(0.9, 0.95), eps=1e-8, fused=True,
    )  # fmt: skip
    loss_of = torch.compile(model) if variant.compiled else model
    before = resident_bytes()
    times, losses = [], []
    for _ in range(WARM_UP_CALLS + steps):
        tokens = torch.randint(VOCABULARY, (extents.batch, extents.context + 1))
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16) if variant.autocast else nullcontext():
            loss = loss_of(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        times.append(time.perf_counter() - start)
    if not all(0 < loss < 100 for loss in losses):
        sys.exit(f"losses are no losses: {losses}")
    return {
        "step_seconds": statistics.median(times[WARM_UP_CALLS:]),
        "parameters": sum(weight.numel() for weight in weights),
        "bytes_before": before,
        "peak_bytes": peak_bytes(resource.getrusage(resource.RUSAGE_SELF)),
        "versions": versions(variant),
    }


def peak_bytes(usage: resource.struct_rusage) -> int:
    """The most memory that was resident; macOS counts in bytes, Linux in KiB."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident_bytes() -> int | None:
    """The memory that is resident now; none where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def versions(variant: Variant) -> dict[str, str]:
    """Of the packages that took part."""
    import torch

    found = {"torch": torch.__version__}
    if variant.torchao is not None:
        import torchao

        found["torchao"] = torchao.__version__
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS, required=True)
    for name in ("steps", "threads", "batch", "context", "width", "layers", "heads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    extents = Extents(
        options.batch, options.context, options.width, options.layers, options.heads
    )
    print(json.dumps(train(VARIANTS[options.variant], extents, options.steps, options.threads)))


if __name__ == "__main__":
    main()

"""Checkpoints of a small Llama in NVFP4, weight by weight, and what their producers round to BF16.

`checkpoints/` has a folder for each producer, with `dequantized.npz` of every weight, and the source in
BF16. ModelOpt computes in FP32, and layers that read the same activations share a tensor scale.
compressed-tensors takes the largest magnitudes in the type of the weight and divides them there. For
BF16 its reciprocal tensor scale is thus bf16(2688 · bf16(1 / A)) and its block scales are those of
bf16(a / 6), which are often not the scales of an FP32 weight with the same values; the rest is FP32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dialect_fields import Case, Floats, from_bf16, rounded_to_bf16
from dialect_safetensors import PRODUCERS
from safetensors_files import read_checkpoint

FUSED = [{"q_proj", "k_proj", "v_proj"}, {"gate_proj", "up_proj"}]
"""Layers that read the same activations."""


def checkpoint_cases(folder: Path) -> list[Case]:
    """Every quantized weight of every checkpoint."""
    found = []
    for path in sorted(folder.glob("checkpoints/*-nvfp4")):
        producer = path.name.removesuffix("-nvfp4")
        tensors, references = read_checkpoint(path), np.load(path / "dequantized.npz")
        source = read_checkpoint(folder / "checkpoints" / "original-sharded")
        weights = [name.removesuffix("_scale") for name in tensors if name.endswith(".weight_scale")]
        for weight in sorted(weights):
            layer = weight.removesuffix(".weight")
            parent, own = layer.rsplit(".", 1)
            others = {own}
            if producer == "modelopt":
                others = next((names for names in FUSED if own in names), others)
            stored = PRODUCERS[producer](
                {name: a for name, a in tensors.items() if name.startswith(f"{layer}.")}, "nvfp4",
                references[weight],
            )
            found.append(
                Case(
                    producer, "nvfp4 checkpoint", short(layer), stored, from_bf16(source[weight]),
                    [from_bf16(source[f"{parent}.{other}.weight"]) for other in sorted(others)],
                    scales_in_bf16=producer == "compressed-tensors",
                )
            )
    return found


def short(layer: str) -> str:
    """The number of the block and the layer's own name."""
    words = layer.split(".")
    return f"{words[2]}.{words[-1]}"


def with_rounded_sixths(values: Floats) -> Floats:
    """The weight whose largest magnitude a in each block of 16 is 6 · bf16(a / 6).

    fl(a / 6) is then that BF16 number, so the library finds the producer's block scale. What moves
    does so by less than one part in 200 at the end of the block's range, so its code stays that of 6
    under every scale that is a normal number.
    """
    blocks = values.reshape(-1, 16)
    amax = np.abs(blocks).max(axis=1, keepdims=True)
    limit = 6 * rounded_to_bf16(amax / np.float32(6))
    moved = (np.abs(blocks) == amax) | (np.abs(blocks) > limit)
    return np.where(moved, np.copysign(limit, blocks), blocks).reshape(values.shape)


def tensor_scale_in_bf16(values: Floats) -> Floats:
    """The decode multiplier of a weight whose reciprocal the producer finds in BF16."""
    reciprocal = rounded_to_bf16(np.float32(1) / np.abs(values).max().reshape(1))
    return np.float32(1) / rounded_to_bf16(np.float32(2688) * reciprocal)

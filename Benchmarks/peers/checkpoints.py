"""Whether files that `fmtbench quantize` writes load in the packages they are for, with our values.

Every dialect's file is made from the same random weight, read and dequantized by the dialect's own package, and
compared with what `fmtbench dequantize` says of it. Packages that are not installed are listed as such.

    python checkpoints.py --fmtbench .build/release/fmtbench
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from safetensors_files import read_safetensors, write_safetensors

NAME = "model.layers.0.proj.weight"
SHAPE = (96, 512)


def weights() -> np.ndarray:
    """A weight whose rows differ in size, with zeros."""
    random = np.random.default_rng(20261128)
    rows = np.exp2(random.integers(-6, 3, size=(SHAPE[0], 1)))
    values = (random.standard_normal(SHAPE) * rows).astype(np.float32)
    values[3, :64] = 0
    return values


# MARK: - The producers' own readers


def with_safetensors(path: Path) -> np.ndarray | None:
    from safetensors import safe_open

    with safe_open(path / "model.safetensors", "pt") as file:
        for name in file.keys():
            file.get_tensor(name)
    return None


def with_torchao(path: Path) -> np.ndarray:
    import torch
    from safetensors import safe_open
    from torchao.prototype.safetensors.safetensors_support import unflatten_tensor_state_dict

    with safe_open(path / "model.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        state, _ = unflatten_tensor_state_dict(tensors, file.metadata())
    return state[NAME].dequantize(torch.float32).numpy()


def with_compressed_tensors(path: Path) -> np.ndarray:
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationConfig
    from safetensors.torch import load_file

    told = json.loads((path / "config.json").read_text())["quantization_config"]
    scheme = QuantizationConfig(**told).config_groups["group_0"]
    state = {
        name.rsplit(".", 1)[1]: tensor
        for name, tensor in load_file(path / "model.safetensors").items()
    }
    compressor = BaseCompressor.get_value_from_registry(told["format"])
    return compressor.decompress(state, scheme)["weight"].float().numpy()


def with_mlx(path: Path) -> np.ndarray:
    import mlx.core as mx

    tensors = mx.load(str(path / "model.safetensors"))
    told = json.loads((path / "config.json").read_text())["quantization"]
    layer = NAME.removesuffix("weight")
    extra = {}
    if layer + "global_scale" in tensors:
        extra["global_scale"] = tensors[layer + "global_scale"]
    return np.array(
        mx.dequantize(
            tensors[NAME], tensors[layer + "scales"], tensors.get(layer + "biases"),
            group_size=told["group_size"], bits=told["bits"], mode=told["mode"],
            dtype=mx.float32, **extra,
        )
    )


def with_gguf(path: Path) -> np.ndarray:
    import gguf

    tensor = gguf.GGUFReader(path).tensors[0]
    return gguf.quants.dequantize(tensor.data, tensor.tensor_type)


CASES: list[tuple[str, list[str], Callable[[Path], np.ndarray | None]]] = [
    ("torchao", ["mxfp4_floor", "mxfp4_rceil", "mxfp6_e2m3_even", "mxfp8_e4m3_floor", "nvfp4"],
     with_torchao),
    ("compressed-tensors",
     ["nvfp4", "mxfp4", "mxfp8", "fp8", "fp8_channel", "fp8_block", "w4a16_g32", "w8a16_g128"],
     with_compressed_tensors),
    ("mlx", ["mxfp4", "mxfp8", "nvfp4", "nvfp4_global", "affine3", "affine4", "affine8"], with_mlx),
    ("ggml",
     ["q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "iq4_nl", "mxfp4", "nvfp4", "q2_k", "q3_k", "q4_k",
      "q5_k", "q6_k", "tq1_0", "tq2_0"], with_gguf),
    ("modelopt", ["nvfp4", "mxfp4", "mxfp8", "fp8"], with_safetensors),
    ("quark", ["mxfp4", "mxfp6_e2m3"], with_safetensors),
    ("deepseek", ["fp8"], with_safetensors),
    ("bitsandbytes", ["nf4"], with_safetensors),
]


def rounded_to_bf16(values: np.ndarray) -> np.ndarray:
    bits = values.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16).astype(np.uint32).view(np.float32)


def verdict(theirs: np.ndarray | None, ours: np.ndarray) -> str:
    if theirs is None:
        return "loads"
    if np.array_equal(theirs, ours, equal_nan=True):
        return "equal"
    if np.array_equal(theirs, rounded_to_bf16(ours), equal_nan=True):
        return "equal in BF16"
    return f"{int((theirs != ours).sum())} of {ours.size} differ"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fmtbench", required=True)
    fmtbench = parser.parse_args().fmtbench
    print("| dialect | format | its own package says |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        source = folder / "source"
        source.mkdir()
        write_safetensors(source / "model.safetensors", {NAME: weights()}, {"format": "pt"})
        (source / "config.json").write_text("{}")
        for dialect, formats, reader in CASES:
            for format in formats:
                target = folder / (f"{dialect}-{format}" + (".gguf" if dialect == "ggml" else ""))
                words = [fmtbench, "quantize", source, "--dialect", dialect, "--format", format]
                subprocess.run([*words, "-o", target, "--quiet", "--json"], check=True,
                               stdout=subprocess.DEVNULL)
                values = folder / "values.safetensors"
                subprocess.run([fmtbench, "dequantize", target, "-o", values, "--quiet"], check=True)
                ours = read_safetensors(values)[NAME]
                try:
                    result = verdict(reader(target), ours)
                except ImportError as error:
                    result = f"not installed ({error.name})"
                print(f"| {dialect} | {format} | {result} |", flush=True)


if __name__ == "__main__":
    main()

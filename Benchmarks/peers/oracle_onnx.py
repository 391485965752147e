"""The reference evaluator of ONNX against `fmtbench encode`: the operator Cast from FP32.

Inputs are all FP16 and all BF16 numbers, and around every value of the type the value itself, the
midpoint to the next and the FP32 numbers on both sides of each, with both signs.
"""

from __future__ import annotations

from collections.abc import Iterator

import ml_dtypes
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

import oracle_cuda
from executable import Fmtbench

FLOATS = {
    "FLOAT8E4M3FN": ("e4m3fn", ml_dtypes.float8_e4m3fn),
    "FLOAT8E5M2": ("e5m2", ml_dtypes.float8_e5m2),
    "FLOAT8E4M3FNUZ": ("e4m3fnuz", ml_dtypes.float8_e4m3fnuz),
    "FLOAT8E5M2FNUZ": ("e5m2fnuz", ml_dtypes.float8_e5m2fnuz),
    "FLOAT4E2M1": ("e2m1fn", ml_dtypes.float4_e2m1fn),
}
SCALE_ROUNDING = {"up": "up", "down": "toward_zero", "nearest": "nearest_away"}


def inputs(dtype: type) -> NDArray[np.float32]:
    halves = np.arange(1 << 16, dtype=np.uint16)
    bits = 8 if np.dtype(dtype) != ml_dtypes.float4_e2m1fn else 4
    values = np.arange(1 << bits, dtype=np.uint8).view(dtype).astype(np.float64)
    values = np.unique(np.abs(values[np.isfinite(values)]))
    # Beyond the largest: one step more, and where its rounding begins.
    values = np.append(values, 2 * values[-1] - values[-2])
    edges = np.concatenate([values, (values[1:] + values[:-1]) / 2]).astype(np.float32)
    around = np.concatenate(
        [edges, np.nextafter(edges, np.float32(0)), np.nextafter(edges, np.float32(np.inf))]
    )
    return np.concatenate(
        [
            halves.view(np.float16).astype(np.float32),
            halves.view(ml_dtypes.bfloat16).astype(np.float32), around, -around,
        ]
    )


def cast(values: NDArray[np.float32], to: str, **attributes: int | str) -> NDArray[np.uint8]:
    node = helper.make_node("Cast", ["x"], ["y"], to=getattr(TensorProto, to), **attributes)
    graph = helper.make_graph(
        [node], "cast", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None])],
        [helper.make_tensor_value_info("y", getattr(TensorProto, to), [None])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 24)])
    with np.errstate(all="ignore"):
        (result,) = ReferenceEvaluator(model).run(None, {"x": values})
    return np.asarray(result).view(np.uint8)


def cases() -> Iterator[tuple[str, list[str], dict[str, int | str], type]]:
    for name, (ours, dtype) in FLOATS.items():
        if name == "FLOAT4E2M1":
            yield name, ["--format", ours], {}, dtype
            continue
        for saturate, overflow in ((1, "saturate"), (0, "special")):
            yield name, ["--format", ours, f"--overflow={overflow}"], {"saturate": saturate}, dtype
    for mode, rounding in SCALE_ROUNDING.items():
        for saturate, overflow in ((1, "saturate"), (0, "special")):
            words = ["--format", "e8m0fnu", f"--rounding={rounding}", f"--overflow={overflow}"]
            attributes: dict[str, int | str] = {"saturate": saturate, "round_mode": mode}
            yield "FLOAT8E8M0", words, attributes, ml_dtypes.float8_e8m0fnu


def report(fmtbench: Fmtbench) -> list[str]:
    lines = [
        "| Type | Attributes | Our options | Numbers | Differences |",
        "| :--- | :--- | :--- | ---: | :--- |",
    ]
    for name, words, attributes, dtype in cases():
        patterns = np.unique(inputs(dtype).view(np.uint32))
        outcome = oracle_cuda.Outcome(name, words, 0)
        theirs = cast(patterns.view(np.float32), name, **attributes)
        outcome.count(patterns, theirs, oracle_cuda.encoded(fmtbench, words, patterns))
        said = " ".join(f"{key}={value}" for key, value in attributes.items()) or "-"
        lines.append(
            f"| {name} | {said} | {' '.join(words[1:])} | {outcome.compared} | "
            f"{oracle_cuda.told(outcome)} |"
        )
    return lines


def version() -> str:
    return f"onnx {onnx.__version__}, ml_dtypes {ml_dtypes.__version__}"

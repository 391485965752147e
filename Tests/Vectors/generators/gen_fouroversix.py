"""if4, nvint4 and nvfp6_e2m3: the PyTorch reference of fouroversix.

The package does not install without CUDA; FOUROVERSIX names the `src` folder of its repository, of which
only the reference quantizer and the data types are imported.
"""

import importlib.util
import os
import types

import torch

from fields import *

BLOCK = 16
VERSION = "1.1.0, commit dadfad6"
ROOT = os.path.join(os.environ["FOUROVERSIX"], "fouroversix")


def package(name, folder):
    module = types.ModuleType(name)
    module.__path__ = [folder]
    sys.modules[name] = module


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, os.path.join(ROOT, path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


package("fouroversix", ROOT)
package("fouroversix.kernels", os.path.join(ROOT, "kernels"))
package("fouroversix.quantize", os.path.join(ROOT, "quantize"))
package("fouroversix.quantize.pytorch", os.path.join(ROOT, "quantize", "pytorch"))
utils = load("fouroversix.utils", "utils.py")
load("fouroversix.kernels.constants", "kernels/constants.py")
load("fouroversix.quantize.utils", "quantize/utils.py")
load("fouroversix.quantize.pytorch.fp6", "quantize/pytorch/fp6.py")
reference = load("fouroversix.quantize.pytorch.reference", "quantize/pytorch/reference.py")
fp6 = sys.modules["fouroversix.quantize.pytorch.fp6"]

FIELDS = [
    Field("amax", 32, "fp32", 0),
    Field("scales", 8, "e4m3fn", BLOCK),
    Field("codes", 4, "table", 1),
]
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], F)
INT4 = np.array([0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1], F)


def quantized(name, x):
    data_type = utils.DataType(name)
    rule = utils.ScaleRule.mse if name == "if4" else utils.ScaleRule.static_6
    values, scales, amax = reference.quantize(
        torch.from_numpy(x.copy()).reshape(-1, BLOCK),
        fp4_format=data_type,
        scale_rule=rule,
        use_blackwell_scale_layout=False,
    )
    scales = scales.view(torch.uint8).numpy().ravel()
    values = values.view(torch.uint8).numpy().ravel()
    codes = values if name == "nvfp6_e2m3" else np.stack([values & 15, values >> 4], 1).ravel()
    return F(amax.item()), scales, codes


def decoded(name, amax, scales, codes):
    """The package's dequantization with FP32 intermediates: fl(fl(fl(q * s) * amax) / most)."""
    magnitudes = np.array(scales & 0x7F, np.uint8).view(ml_dtypes.float8_e4m3fn).astype(F)
    if name == "nvfp6_e2m3":
        elements = np.array(codes, np.uint8).view(ml_dtypes.float6_e2m3fn).astype(F)
        most = F(7.5 * 448)
    elif name == "nvint4":
        elements, most, magnitudes = INT4[codes], F(7 * 448), magnitudes
    else:
        flags = np.repeat(scales >= 128, BLOCK)
        elements = np.where(flags, INT4[codes] * F(6 / 7), E2M1[codes])
        most = F(6 * 448)
    return elements * np.repeat(magnitudes, BLOCK) * amax / most


def tensor_case(name, label, x, fields):
    x = np.ascontiguousarray(x, F).ravel()
    amax, scales, codes = quantized(name, x)
    values = {"amax": f32_patterns([amax]), "scales": scales, "codes": codes}
    return case(label, x.size // BLOCK, x, fields, values, {}, decoded(name, amax, scales, codes))


def cases(name, fields):
    rng = seeded(name)
    yield tensor_case(name, "normal data", normal_array(rng, 60 * BLOCK), fields)
    yield tensor_case(name, "uniform data", np.array([rng.uniform(-1, 1) for _ in range(40 * BLOCK)]), fields)
    heavy = normal_array(rng, 40 * BLOCK) ** 3
    yield tensor_case(name, "cubes of normal data", heavy, fields)
    yield tensor_case(name, "integers", np.array([rng.randint(-7, 7) for _ in range(20 * BLOCK)]), fields)
    yield tensor_case(name, "powers of two", scaled_groups(rng, BLOCK, range(-20, 20)), fields)
    yield tensor_case(name, "zeros and one block", np.concatenate([np.zeros(BLOCK), np.ones(BLOCK)]), fields)


COMMENT = (
    "a case has rows of one block; amax is that of the tensor, which the tool stores; decoded with FP32 "
    "intermediates, in the tool's order amax last; codes of two's complement for integers, where the tool has "
    "them; scales: bit 7 set says integer. The tool scales amax of a block by fl(fl(amax / E) * S), adds squared "
    "errors in FP32 and does not clip E2M1"
)
for name in ("if4", "nvint4", "nvfp6_e2m3"):
    fields = FIELDS if name != "nvfp6_e2m3" else FIELDS[:2] + [Field("codes", 6, "e2m3fn", 1)]
    write_fields(
        f"fouroversix/{name}.json",
        "fouroversix (PyTorch reference, CPU)",
        VERSION,
        "fouroversix.quantize.pytorch.reference.quantize",
        COMMENT,
        name,
        {"shape": "row", "length": BLOCK},
        fields,
        cases=list(cases(name, fields)),
    )

"""mxfp4_oas_mbs: the emulation of arXiv 2603.08713 in the repository of RaZeR.

RAZER names `quantize/quantizer.py` of that repository (commit in VERSION); only the function
`quant_mxfp4_meta` of it is run. It gives decoded values in BF16 and rounds ties away from zero.
"""

import ast
import os
from typing import Optional

import torch

from fields import *

VERSION = "commit " + os.environ.get("RAZER_COMMIT", "?")
TREE = ast.parse(open(os.environ["RAZER"], encoding="utf-8").read())
[FUNCTION] = [n for n in TREE.body if isinstance(n, ast.FunctionDef) and n.name == "quant_mxfp4_meta"]
FUNCTION.decorator_list = []
SCOPE = {"torch": torch, "Optional": Optional}
exec(compile(ast.Module([FUNCTION], []), "quantizer.py", "exec"), SCOPE)


def oas_case(label, x):
    x = np.ascontiguousarray(x, F).ravel()
    decoded = SCOPE["quant_mxfp4_meta"](torch.from_numpy(x.copy()).reshape(-1, 128))
    return case(label, x.size // 128, x, [], {}, {}, decoded.to(torch.float32).numpy())


def cases():
    rng = seeded("mxfp4_oas_mbs")
    yield oas_case("normal data", normal_array(rng, 12 * 128))
    yield oas_case("cubes of normal data", normal_array(rng, 8 * 128) ** 3)
    yield oas_case("integers", np.array([rng.randint(-28, 28) for _ in range(8 * 128)]))
    yield oas_case("powers of two", scaled_groups(rng, 128, (-60, -20, 0, 20, 60)))
    yield oas_case("zeros and one value", np.concatenate([np.zeros(127), [3.0], np.ones(128)]))


write_fields(
    "overflow_aware/mxfp4_oas_mbs.json",
    "quant_mxfp4_meta of yc2367/NVFP4-RaZeR (PyTorch CPU)",
    VERSION,
    "quantize/quantizer.py",
    "decoded is BF16 of the tool's FP32; elements to nearest, ties away from zero; a row is a macro block of "
    "128 of blocks of 16",
    "mxfp4_oas_mbs",
    {"shape": "row", "length": 128},
    [],
    cases=list(cases()),
)

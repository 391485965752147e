"""nvfp4: torchao's nvfp4_quantize, and the TransformerEngine arithmetic one float32 step at a time."""

import logging
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)

import torch
from torchao.prototype.mx_formats.kernels import unpack_uint4
from torchao.prototype.mx_formats.nvfp4_tensor import (
    E4M3_EPS,
    NVFP4Tensor,
    nvfp4_quantize,
    per_tensor_amax_to_scale,
)

from common import *

F = np.float32
TE_SOURCE = "TransformerEngine common/cast/nvfp4/core_nvfp4.cuh; arXiv 2509.25149"
K = 16
FLT = from_bits(FLT_MAX)
E2M1 = Grid("e2m1fn")


def e4m3_saturating(v):
    """The E4M3FN byte of float32 values, saturating at 448."""
    return np.clip(v, F(-448), F(448)).astype(ml_dtypes.float8_e4m3fn).view(np.uint8)


def e4m3_value(codes):
    return np.asarray(codes, np.uint8).view(ml_dtypes.float8_e4m3fn).astype(F)


def e2m1_codes(v):
    codes = v.astype(ml_dtypes.float4_e2m1fn).view(np.uint8)
    # The cast is checked against exact bisection: ties to even, saturating at 6, sign kept.
    for x, c in zip(v.ravel(), codes.ravel()):
        p = bits(x)
        q = exact(p & 0x7FFFFFFF) if is_finite(p) else E2M1.max
        assert E2M1.nearest_even(q, bool(p & SIGN)) == c
    return codes


def e2m1_value(codes):
    return codes.astype(np.uint8).view(ml_dtypes.float4_e2m1fn).astype(F)


# TransformerEngine arithmetic ---------------------------------------------------------------


def te_tensor(label, x):
    x = np.asarray(x, F).reshape(-1, K)
    with np.errstate(all="ignore"):
        amax = np.max(np.abs(x))
        s_enc = min(F(2688) / amax, FLT) if amax > 0 else F(1)
        if s_enc == 0:
            s_enc = F(1)
        s_enc = F(s_enc)
        s_dec = F(1) / s_enc
        sixth = s_enc * (F(1) / F(6))
        blocks = []
        for row in x:
            block_amax = np.max(np.abs(row))
            byte = int(e4m3_saturating(np.array([block_amax * sixth], F))[0])
            s = e4m3_value([byte])[0]
            enc = F(min(F(1) / (s * s_dec), FLT))
            scaled = row * enc
            assert scaled.dtype == F and enc.dtype == F
            codes = e2m1_codes(scaled)
            decoded = (e2m1_value(codes) * s) * s_dec
            blocks.append(
                {
                    "input": words(array_bits(row)),
                    "amax": words([bits(block_amax)]),
                    "scale": byte,
                    "encode": words([bits(enc)]),
                    "codes": [int(c) for c in codes],
                    "decoded": words(array_bits(decoded)),
                }
            )
    return {
        "name": label,
        "amax": words([bits(amax)]),
        "encodeScale": words([bits(s_enc)]),
        "decodeScale": words([bits(s_dec)]),
        "blocks": blocks,
    }


def normals(rng, count, sigma=1.0):
    return [rng.gauss(0, sigma) for _ in range(count)]


def example_i5():
    a = [0.1 * i * (1 if i % 2 else -1) for i in range(1, 17)]
    b = [
        0,
        0.01,
        0.02,
        -0.03,
        0.04,
        0.05,
        -0.06,
        0.07,
        0.08,
        -0.09,
        0.1,
        0.11,
        -0.12,
        0.13,
        0.14,
        -0.15,
    ]
    return [round(v, 2) for v in a + b]


def te_tensors():
    rng = seeded("nvfp4 te")
    yield "worked example", example_i5()
    yield "64 random blocks", [
        v for _ in range(64) for v in normals(rng, K, 2.0 ** rng.randint(-6, 2))
    ]
    wide = []
    for e in (0, -4, -8, -12, -16, -20, -24, 8, -9, -10, -11):
        wide += normals(rng, K, 2.0**e)
    yield "blocks that underflow to scale byte 0", wide + [0.0] * K + [-0.0, 0.0] * (K // 2)
    yield "zero tensor", [0.0, -0.0] * K
    yield "amax 2688", [2688.0] + normals(rng, 2 * K - 1, 100.0)
    yield "amax 1.6 and one ulp", [float(from_bits(bits(1.6) + 1))] + normals(rng, 2 * K - 1, 0.3)
    yield "encode scale overflows", [
        float(from_bits(1 + rng.randrange(2000))) for _ in range(2 * K)
    ]
    yield "largest finite", [float(FLT), -float(FLT)] + normals(rng, 2 * K - 2, 1e37)
    yield "one outlier", [1e4] + normals(rng, 4 * K - 1, 1.0)


def te_steps():
    tensors = [te_tensor(label, x) for label, x in te_tensors()]
    first = tensors[0]
    assert first["encodeScale"] == "44d20000"
    assert [b["scale"] for b in first["blocks"]] == [0x7E, 0x62]
    assert "".join(f"{c:X}" for c in first["blocks"][0]["codes"]) == "192B4C5D5E6E6F7F"
    assert "".join(f"{c:X}" for c in first["blocks"][1]["codes"]) == "012B34D55E66F77F"
    comment = (
        "S = min(2688/amax, FLT_MAX), 1 when amax is 0; scale = e4m3(amax_b * (S * (1/6))) saturating; "
        "encode = min(1/(scale * (1/S)), FLT_MAX); code = e2m1(x * encode); decoded = (q * scale) * (1/S); "
        "every operation one float32 operation. A block of scale 0 with nonzero input keeps its codes "
        "and decodes to zeros."
    )
    write(
        "nvfp4/te_steps.json",
        {
            "header": header(
                "numpy transcription of the published formulas", np.__version__, TE_SOURCE, comment
            ),
            "blockSize": K,
            "tensors": tensors,
        },
    )


# torchao ------------------------------------------------------------------------------------


def torchao_tensors():
    rng = seeded("nvfp4 torchao")
    yield "normal", 4, 64, normals(rng, 256)
    yield "small", 2, 32, normals(rng, 64, 1e-3)
    yield "large", 2, 32, normals(rng, 64, 1e3)
    mixed = [v for e in (0, -4, -8, -9, -10, -12, -14, -20) for v in normals(rng, K, 2.0**e)]
    yield "falling magnitudes", 2, 64, mixed
    yield "zero block", 1, 48, normals(rng, 16) + [0.0, -0.0] * 8 + normals(rng, 16)
    yield "single outlier", 1, 64, [3000.0] + normals(rng, 63)
    yield "halfway points", 1, 32, [6, 0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, -5, -0.25] + [
        -0.75
    ] * 22


def transcribed(x, scale):
    """The torchao formulas in NumPy float32: an independent reading of the same source."""
    x = x.reshape(-1, K)
    eps = F(2.0**-6)
    with np.errstate(all="ignore"):
        block = np.max(np.abs(x), axis=1) / F(6)
        if scale is None:
            byte = e4m3_saturating(np.clip(block, eps, F(448)))
            factor = F(1) / e4m3_value(byte)
        else:
            byte = e4m3_saturating(np.clip(block / scale, eps, F(448)))
            factor = (F(1) / scale) / e4m3_value(byte)
        codes = e2m1_codes(np.clip(x * factor[:, None], F(-6), F(6)))
        total = e4m3_value(byte) if scale is None else scale * e4m3_value(byte)
        return byte, codes, e2m1_value(codes) * total[:, None]


def torchao_file(path, per_tensor):
    cases = []
    for label, rows, columns, values in torchao_tensors():
        x = np.array(values, F).reshape(rows, columns)
        t = torch.from_numpy(x.copy())
        scale = per_tensor_amax_to_scale(torch.max(torch.abs(t))) if per_tensor else None
        s, data = nvfp4_quantize(t, K, scale)
        codes = unpack_uint4(data).reshape(-1).numpy()
        bytes_ = s.view(torch.uint8).reshape(-1).numpy()
        decoded = NVFP4Tensor.to_nvfp4(t, K, scale).dequantize(torch.float32).numpy()
        mine = transcribed(x, F(scale.item()) if per_tensor else None)
        assert list(mine[0]) == list(bytes_), label
        assert list(mine[1].ravel()) == list(codes), label
        assert array_bits(mine[2]) == array_bits(decoded), label
        case = {"name": label, "rows": rows, "columns": columns}
        if per_tensor:
            case["perTensorScale"] = words([bits(scale.item())])
            compare_with_te(label, x, bytes_, codes)
        case |= {
            "input": words(array_bits(x)),
            "scales": [int(b) for b in bytes_],
            "codes": [int(c) for c in codes],
            "decoded": words(array_bits(decoded)),
        }
        cases.append(case)
    comment = (
        "block scales are clamped from below to 2^-6 (byte 8), so byte 0 and subnormal scales never occur; "
        + (
            "perTensorScale = amax/2688; scale = e4m3((amax_b/6)/perTensorScale); "
            "code = e2m1(x * ((1/perTensorScale)/scale)); decoded = q * (perTensorScale * scale)"
            if per_tensor
            else "scale = e4m3(amax_b/6); code = e2m1(x * (1/scale)); decoded = q * scale"
        )
        + "; packed with the even element in the low nibble, unpacked here"
    )
    write(
        path,
        {
            "header": header(
                "torchao (PyTorch CPU)",
                "0.18.0",
                "torchao.prototype.mx_formats.nvfp4_tensor",
                comment,
            ),
            "blockSize": K,
            "cases": cases,
        },
    )


def compare_with_te(label, x, bytes_, codes):
    te = te_tensor(label, x)["blocks"]
    scales = sum(int(b) != t["scale"] for b, t in zip(bytes_, te))
    elements = sum(int(c) != d for c, d in zip(codes, [c for t in te for c in t["codes"]]))
    print(
        f"torchao against TE steps, {label}: {scales} of {len(te)} scales, {elements} codes differ"
    )


assert E4M3_EPS == 2.0**-6
te_steps()
torchao_file("nvfp4/torchao_per_tensor.json", True)
torchao_file("nvfp4/torchao_block_only.json", False)

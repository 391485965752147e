"""fp8_e4m3_1x128_ue8m0 and fp8_e4m3_128x128_ue8m0: DeepSeek's published casts as PyTorch operations.

The library that has them (DeepGEMM) needs CUDA; its helpers are a few lines over PyTorch, transcribed
here: sf = 2^ceil(log2(amax / 448)) by bits, amax at least 1e-4, x * (1 / sf) cast to E4M3.
"""

import torch

from fields import *

FIELDS = [Field("scales", 8, "e8m0fnu", 128), Field("codes", 8, "e4m3fn", 1)]


def power_of_two(sf):
    """The smallest power of two that is not below a positive float32."""
    bits_ = sf.view(torch.int32)
    exponent = (bits_ >> 23) & 0xFF
    exponent += ((bits_ & 0x7FFFFF) != 0).to(torch.int32)
    return (exponent << 23).view(torch.float32), exponent


def vector_case(label, x, columns):
    x = np.ascontiguousarray(x, F).reshape(-1, columns)
    blocks = torch.from_numpy(x.copy()).reshape(-1, 128)
    amax = blocks.abs().amax(1, keepdim=True).clamp(1e-4)
    sf, exponent = power_of_two(amax / 448.0)
    codes = (blocks * (1.0 / sf)).to(torch.float8_e4m3fn)
    decoded = codes.to(torch.float32) * sf
    values = {"scales": exponent.numpy().ravel(), "codes": codes.view(torch.uint8).numpy().ravel()}
    return case(label, x.shape[0], x, FIELDS, values, {}, decoded.numpy())


def tile_case(label, x, columns):
    x = np.ascontiguousarray(x, F).reshape(-1, columns)
    rows = x.shape[0]
    padded = torch.zeros(-(-rows // 128) * 128, -(-columns // 128) * 128)
    padded[:rows, :columns] = torch.from_numpy(x.copy())
    view = padded.view(-1, 128, padded.shape[1] // 128, 128)
    amax = view.abs().amax((1, 3), keepdim=True).clamp(1e-4)
    sf, exponent = power_of_two(amax / 448.0)
    codes = (view * (1.0 / sf)).to(torch.float8_e4m3fn)
    decoded = (codes.to(torch.float32) * sf).view_as(padded)[:rows, :columns]
    codes = codes.view(torch.uint8).view_as(padded)[:rows, :columns]
    values = {"scales": exponent.numpy().ravel(), "codes": codes.contiguous().numpy().ravel()}
    return case(label, rows, x, FIELDS, values, {}, decoded.contiguous().numpy())


def cases(make, width):
    rng = seeded(f"ue8m0 {width}")
    yield make("normal data", normal_array(rng, 4 * width), width)
    edges = np.concatenate([[F(448), np.nextafter(F(448), F(999))], normal_array(rng, width - 2)])
    yield make("around the largest element", edges, width)
    wide = normal_array(rng, 3 * width) * np.array([2.0 ** rng.randint(-12, 12) for _ in range(3 * width)])
    yield make("wide data", wide, width)
    powers = np.concatenate([normal_array(rng, 128) * F(2.0**e) for e in (-8, 0, 40, 100)])
    yield make("powers of two", powers, 128)


for name, make, width in (
    ("fp8_e4m3_1x128_ue8m0", vector_case, 256),
    ("fp8_e4m3_128x128_ue8m0", tile_case, 300),
):
    write_fields(
        f"ue8m0/{name}.json",
        "transcription over PyTorch (CPU)",
        torch.__version__,
        "DeepGEMM's per_token_cast_to_fp8 and per_block_cast_to_fp8 with use_ue8m0",
        "scales are the bytes of E8M0; every amax is above the 1e-4 below which the tool raises it",
        name,
        {"shape": "row", "length": 128},
        FIELDS,
        cases=list(cases(make, width)),
    )

"""fp4_bnb and nf4_double: bitsandbytes' FP4 table, and NF4 below quantized maxima."""

import bitsandbytes
import bitsandbytes.functional as bnb
import torch

from fields import *

RUN = 64
NESTED = 256
LEAST = F(1e-38)
FIELDS = [Field("absmax", 32, "fp32", 0), Field("codes", 4, "table", 1)]
DOUBLE = [
    Field("nested_offset", 32, "fp32", 0),
    Field("nested_absmax", 32, "fp32", 0),
    Field("absmax", 8, "table", RUN),
    Field("codes", 4, "table", 1),
]
FP4 = bnb.get_4bit_type("fp4", device="cpu").numpy()
NF4 = bnb.get_4bit_type("nf4", device="cpu").numpy()
DYNAMIC = bnb.create_dynamic_map().numpy()
# Rising values with their codes; code 0 comes before code 8 of the two zeros.
ORDER = sorted(range(16), key=lambda c: (FP4[c], c))
RISING = FP4[ORDER]
BOUNDS = (RISING[:-1] + RISING[1:]) / F(2)


def unpacked(packed, count):
    packed = packed.numpy().ravel()
    return packed, np.stack([packed >> 4, packed & 15], 1).ravel()[:count]


def transcribed(x):
    absmax, codes = [], []
    for start in range(0, x.size, RUN):
        run = x[start : start + RUN]
        a = np.abs(run).max()
        with np.errstate(all="ignore"):
            scaled = run * (F(1) / np.maximum(a, LEAST))
        absmax.append(a)
        below = (np.clip(scaled, F(-1), F(1))[:, None] > BOUNDS).sum(1)
        codes.append(np.array(ORDER)[below])
    return np.array(absmax, F), np.concatenate(codes)


def fp4_case(label, x, rows=1, is_finite=True):
    x = np.ascontiguousarray(x, F).ravel()
    packed, state = bnb.quantize_4bit(torch.from_numpy(x.copy()), blocksize=RUN, quant_type="fp4")
    decoded = bnb.dequantize_4bit(packed, state).numpy()
    absmax = state.absmax.numpy()
    packed, codes = unpacked(packed, x.size)
    if is_finite:
        mine = transcribed(x)
        assert agree(mine[0], absmax) and np.array_equal(mine[1], codes), label
        assert agree(FP4[codes] * np.repeat(absmax, RUN)[: x.size], decoded), label
    values = {"absmax": f32_patterns(absmax), "codes": codes}
    stored = {"weight": packed, "absmax": absmax.astype("<f4")}
    return case(label, rows, x, FIELDS, values, stored, decoded)


def near_bounds(step):
    """Every decision bound but that of zero moved by some ulps, in a run whose maximum is 1."""
    bounds = BOUNDS[BOUNDS != 0]
    moved = (bounds.view(np.int32) + step).view(F)
    return np.concatenate([moved, [F(1)], -moved, np.zeros(RUN - 29, F)])


def fp4_cases():
    rng = seeded("fp4_bnb")
    yield fp4_case("normal data", normal_array(rng, 256), 2)
    yield fp4_case("rows that runs cross", normal_array(rng, 4 * 48), 4)
    yield fp4_case("short last run", normal_array(rng, 100))
    yield fp4_case("odd count, runs cross rows", normal_array(rng, 5 * 27), 5)
    yield fp4_case("powers of two", scaled_groups(rng, RUN, (-120, -40, 0, 60, 120)), 5)
    yield fp4_case("every table value", np.concatenate([FP4, FP4 * F(0.5), -FP4, FP4]))
    for step in (-1, 0, 1):
        yield fp4_case(f"decision bounds, {step} ulp", near_bounds(step))
    yield fp4_case("zeros", np.array([0.0, -0.0] * 32))
    tiny = [0.0, -0.0, 1e-30, -1e-30, 1e-3, -1e-3, 2.6e-3, -2.6e-3] * 7 + [0.0] * 7 + [-1.0]
    yield fp4_case("around zero", np.array(tiny))
    yield fp4_case("one positive value", np.full(RUN, 0.3))
    yield fp4_case("one negative value", np.full(RUN, -0.3))
    wide = normal_array(rng, RUN) * np.array([2.0 ** -rng.randint(0, 20) for _ in range(RUN)], F)
    yield fp4_case("wide run", wide)
    yield fp4_case("largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 16))
    yield fp4_case("at the least maximum", np.linspace(-1, 1, RUN).astype(F) * LEAST)
    yield fp4_case("below the least maximum", np.linspace(-1, 1, RUN).astype(F) * F(0.25) * LEAST)
    yield fp4_case("smallest subnormals", array_from([1, SIGN | 1] * 32))


def fp4_outside():
    rng = seeded("fp4_bnb outside")
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, 2 * RUN)
        x[5] = value
        yield fp4_case(label, x, is_finite=False)


def double_case(label, x, rows=1):
    x = np.ascontiguousarray(x, F).ravel()
    source = torch.from_numpy(x.copy())
    packed, state = bnb.quantize_4bit(source, blocksize=RUN, quant_type="nf4", compress_statistics=True)
    plain, _ = bnb.quantize_4bit(source, blocksize=RUN, quant_type="nf4")
    assert torch.equal(packed, plain), label
    assert agree(state.state2.code.numpy(), DYNAMIC) and state.state2.blocksize == NESTED
    decoded = bnb.dequantize_4bit(packed, state).numpy()
    packed, codes = unpacked(packed, x.size)
    absmax, nested = state.absmax.numpy(), state.state2.absmax.numpy()
    offset = np.array([state.offset.numpy()], F)
    scales = DYNAMIC[absmax] * np.repeat(nested, NESTED)[: absmax.size] + offset
    assert agree(NF4[codes] * np.repeat(scales, RUN)[: x.size], decoded), label
    values = {
        "nested_offset": f32_patterns(offset),
        "nested_absmax": f32_patterns(nested),
        "absmax": absmax,
        "codes": codes,
    }
    return case(label, rows, x, DOUBLE, values, {"weight": packed}, decoded)


def double_cases():
    rng = seeded("nf4_double")
    yield double_case("normal data", normal_array(rng, 6 * 256), 6)
    yield double_case("short last group", normal_array(rng, 1000))
    spread = np.concatenate([normal_array(rng, RUN, 2.0**-k) for k in range(24)])
    yield double_case("groups of falling size", spread, 4)
    yield double_case("one group", normal_array(rng, RUN))


def all_codes():
    """Every code of the dynamic map under a scale and an offset, decoded by the tool."""
    rng = seeded("dynamic map")
    absmax = np.arange(256, dtype=np.uint8)
    nested, offset = F(1.2345), F(0.9)
    state2 = bnb.QuantState(
        absmax=torch.tensor([nested]), blocksize=NESTED, code=torch.from_numpy(DYNAMIC), dtype=torch.float32
    )
    codes = np.array([rng.randrange(16) for _ in range(256)])
    elements = np.repeat(codes, RUN)
    packed = torch.from_numpy((elements[0::2] << 4 | elements[1::2]).astype(np.uint8)).reshape(-1, 1)
    state = bnb.QuantState(
        absmax=torch.from_numpy(absmax),
        shape=torch.Size([256, RUN]),
        dtype=torch.float32,
        blocksize=RUN,
        code=torch.from_numpy(NF4),
        quant_type="nf4",
        offset=torch.tensor(offset),
        state2=state2,
    )
    decoded = bnb.dequantize_4bit(packed, state).numpy().ravel()[::RUN]
    assert agree(decoded, NF4[codes] * (DYNAMIC * nested + offset))
    return absmax.size


fp4_comment = (
    "a run is 64 consecutive elements of the flattened tensor and crosses rows; values rise in the order "
    "of table_order, in which code 0 comes before code 8 of the two zeros; code = the value whose number of "
    "bounds below x * (1 / max(absmax, 1e-38)) says so, one FP32 operation each, the product clamped to "
    "+-1; the 15 bounds are (t[i] + t[i+1]) / 2 in FP32 and a value on a bound takes the lower one; "
    "decoded = t[code] * absmax; weight: the first element in the high nibble of a byte, an odd count is "
    "padded with code 0; absmax little-endian. outside: NaN and infinities, of which the tool makes no "
    "promise"
)
write_fields(
    "fp4_bnb/bitsandbytes.json",
    "bitsandbytes (PyTorch CPU)",
    bitsandbytes.__version__,
    "bitsandbytes.functional.quantize_4bit(quant_type='fp4', blocksize=64) and dequantize_4bit",
    fp4_comment,
    "fp4_bnb",
    {"shape": "run", "length": RUN},
    FIELDS,
    table=words(f32_patterns(FP4)),
    bounds=words(f32_patterns(BOUNDS)),
    cases=list(fp4_cases()),
    outside=list(fp4_outside()),
)
double_comment = (
    "codes are those of nf4; a group of 64 has the scale t[absmax] * nested_absmax + nested_offset with t "
    "the dynamic map in table, one FP32 operation each, and 256 groups share nested_absmax; decoded = "
    "nf4[code] * scale. Only decoding and the codes of elements are promised: the tool adds the mean in FP32 "
    "in an order of its own and finds codes of maxima by its own search"
)
write_fields(
    "nf4_double/bitsandbytes.json",
    "bitsandbytes (PyTorch CPU)",
    bitsandbytes.__version__,
    "bitsandbytes.functional.quantize_4bit(quant_type='nf4', blocksize=64, compress_statistics=True) and "
    "dequantize_4bit",
    double_comment,
    "nf4_double",
    {"shape": "run", "length": RUN * NESTED},
    DOUBLE,
    table=words(f32_patterns(DYNAMIC)),
    cases=list(double_cases()),
)
print("codes of the dynamic map that decode as written:", all_codes())

"""nf4: bitsandbytes' NormalFloat4, runs of 64 over the flattened tensor, one FP32 maximum a run."""

import bitsandbytes
import bitsandbytes.functional as bnb
import torch

from fields import *

RUN = 64
FIELDS = [Field("absmax", 32, "fp32", 0), Field("codes", 4, "table", 1)]
TABLE = bnb.get_4bit_type("nf4", device="cpu").numpy()
BOUNDS = (TABLE[:-1] + TABLE[1:]) / F(2)
LEAST = F(1e-38)


def quantized(x):
    packed, state = bnb.quantize_4bit(torch.from_numpy(x.copy()), blocksize=RUN, quant_type="nf4")
    decoded = bnb.dequantize_4bit(packed, state).numpy()
    return state.absmax.numpy(), packed.numpy().ravel(), decoded


def transcribed(x, tail_divides):
    """The same in NumPy; a short last run is divided by its maximum or takes the reciprocal too."""
    absmax, codes = [], []
    for start in range(0, x.size, RUN):
        run = x[start : start + RUN]
        a = np.abs(run).max()
        floored = np.maximum(a, LEAST)
        short = run.size < RUN and tail_divides
        with np.errstate(all="ignore"):
            scaled = run / floored if short else run * (F(1) / floored)
        absmax.append(floored if short else a)
        below = (np.clip(scaled, F(-1), F(1))[:, None] > BOUNDS).sum(1)
        codes.append(np.where(np.isnan(scaled), 15, below))
    return np.array(absmax, F), np.concatenate(codes)


def nf4_case(label, x, rows=1):
    """Encodes the flattened tensor; the tool's decoder is given it flat, see the header."""
    x = np.ascontiguousarray(x, F).ravel()
    absmax, packed, decoded = quantized(x)
    codes = np.stack([packed >> 4, packed & 15], 1).ravel()
    assert x.size % 2 == 0 or codes[-1] == 7, "padding is a zero"
    codes = codes[: x.size]
    shaped = quantized(x.reshape(rows, -1))
    assert agree(shaped[0], absmax) and np.array_equal(shaped[1], packed), label
    mine = transcribed(x, True)
    assert agree(mine[0], absmax) and np.array_equal(mine[1], codes), label
    assert np.array_equal(transcribed(x, False)[1], codes), f"{label}: the two tail rules differ"
    with np.errstate(all="ignore"):
        assert agree(TABLE[codes] * np.repeat(absmax, RUN)[: x.size], decoded), label
    values = {"absmax": f32_patterns(absmax), "codes": codes}
    stored = {"weight": packed, "absmax": absmax.astype("<f4")}
    return case(label, rows, x, FIELDS, values, stored, decoded)


def near_bounds(step):
    """Every decision bound moved by some ulps, in a run whose maximum is 1."""
    moved = (BOUNDS.view(np.int32) + step).view(F)
    return np.concatenate([moved, [F(1)], -moved, np.zeros(RUN - 31, F)])


def cases():
    rng = seeded("nf4")
    yield nf4_case("normal data", normal_array(rng, 256), 2)
    yield nf4_case("rows that runs cross", normal_array(rng, 4 * 48), 4)
    yield nf4_case("short last run", normal_array(rng, 100), 1)
    yield nf4_case("odd count, runs cross rows", normal_array(rng, 5 * 27), 5)
    yield nf4_case("powers of two", scaled_groups(rng, RUN, (-120, -40, 0, 60, 120)), 5)
    yield nf4_case("every table value", np.concatenate([TABLE, TABLE * F(0.5), -TABLE, TABLE]))
    for step in (-1, 0, 1):
        yield nf4_case(f"decision bounds, {step} ulp", near_bounds(step))
    yield nf4_case("zeros", np.array([0.0, -0.0] * 32))
    yield nf4_case("zeros and one value", np.array([0.0, -0.0] * 31 + [-3.0, 0.0]))
    yield nf4_case("one positive value", np.full(RUN, 0.3))
    yield nf4_case("one negative value", np.full(RUN, -0.3))
    wide = normal_array(rng, RUN) * np.array([2.0 ** -rng.randint(0, 20) for _ in range(RUN)], F)
    yield nf4_case("wide run", wide)
    yield nf4_case("largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 16))
    yield nf4_case("at the least maximum", np.linspace(-1, 1, RUN).astype(F) * LEAST)
    below = np.linspace(-1, 1, RUN).astype(F) * F(0.25) * LEAST
    yield nf4_case("below the least maximum", below)
    yield nf4_case("smallest subnormals", array_from([1, SIGN | 1] * 32))


def outside():
    rng = seeded("nf4 outside")
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, 2 * RUN)
        x[5] = value
        yield nf4_case(label, x)
    tail = np.concatenate([normal_array(rng, RUN), np.zeros(6)])
    yield nf4_case("zeros in a short last run", tail)


comment = (
    "a run is 64 consecutive elements of the flattened tensor and crosses rows; code = number of "
    "decision bounds below x * (1 / max(absmax, 1e-38)), one FP32 operation each, the product "
    "clamped to +-1; the 15 bounds are (t[i] + t[i+1]) / 2 in FP32 and a value on a bound takes "
    "the lower code; a short last run is divided by its maximum instead, which gives the same "
    "codes in these cases, and stores a maximum of at least 1e-38; decoded = t[code] * absmax; "
    "weight: the first element in the high nibble of a byte, an odd count is padded with code 7; "
    "absmax little-endian. outside: a NaN makes absmax NaN and takes code 15 itself, an infinity "
    "makes the reciprocal 0, so that the others get code 7, and code 15 for itself. Decoded from "
    "the flat tensor: with AVX-512 the tool's CPU decoder mistakes the run where rows are no "
    "multiple of 64"
)
write_fields(
    "nf4/bitsandbytes.json",
    "bitsandbytes (PyTorch CPU)",
    bitsandbytes.__version__,
    "bitsandbytes.functional.quantize_4bit(quant_type='nf4', blocksize=64) and dequantize_4bit",
    comment,
    "nf4",
    {"shape": "run", "length": RUN},
    FIELDS,
    table=words(f32_patterns(TABLE)),
    bounds=words(f32_patterns(BOUNDS)),
    cases=list(cases()),
    outside=list(outside()),
)

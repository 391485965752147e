"""elements/decode, elements/encode (ml_dtypes, NumPy) and elements/rounding (gfloat)."""

import math

import gfloat
import ml_dtypes
import numpy as np
from gfloat import Domain, FormatInfo, RoundMode, decode_float, encode_float, round_float
from gfloat.formats import (
    format_info_bfloat16,
    format_info_binary16,
    format_info_ocp_e2m1,
    format_info_ocp_e2m3,
    format_info_ocp_e3m2,
    format_info_ocp_e4m3,
    format_info_ocp_e5m2,
    format_info_ocp_e8m0,
    format_info_ocp_int8,
)

from common import *

OVERFLOW = {
    "e4m3fn": "rounded magnitude above 448, or infinity, becomes NaN",
    "e5m2": "rounded magnitude above 57344 becomes infinity",
    "e4m3fnuz": "rounded magnitude above 240, or infinity, becomes NaN",
    "e5m2fnuz": "rounded magnitude above 57344, or infinity, becomes NaN",
    "e4m3b11fnuz": "rounded magnitude above 30, or infinity, becomes NaN",
    "e4m3": "rounded magnitude above 240 becomes infinity",
    "e3m4": "rounded magnitude above 15.5 becomes infinity",
    "e8m0fnu": "zero, negative values, infinity and overflow become NaN (255)",
    "e2m3fn": "saturates at 7.5, infinities included",
    "e3m2fn": "saturates at 28, infinities included",
    "e2m1fn": "saturates at 6, infinities included",
    "bf16": "rounded magnitude above the maximum becomes infinity",
    "fp16": "rounded magnitude above 65504 becomes infinity",
}
NAN_FREE = {"e2m3fn", "e3m2fn", "e2m1fn"}


def tool_of(name):
    if name == "fp16":
        return "numpy", np.__version__
    return "ml_dtypes", ml_dtypes.__version__


def neighbours(pattern):
    """A finite float32 and the float32 values one step either side."""
    result = [pattern]
    if pattern & 0x7FFFFFFF:
        result += [pattern - 1]
    if (pattern & 0x7FFFFFFF) < FLT_MAX:
        result += [pattern + 1]
    return result


def unique(patterns):
    return list(dict.fromkeys(patterns))


def decode_table(name):
    count = 1 << BITS[name]
    codes = list(range(count))
    if count == 65536:
        specials = [
            0,
            1,
            2,
            0x7F,
            0x80,
            0x3FF,
            0x400,
            0x401,
            0x3C00,
            0x3F80,
            0x7BFF,
            0x7C00,
            0x7C01,
        ]
        specials += [0x7E00, 0x7F7F, 0x7F80, 0x7F81, 0x7FC0, 0x7FFF]
        codes = sorted(set(range(0, count, 257)) | set(specials) | {c | 0x8000 for c in specials})
    tool, version = tool_of(name)
    write(
        f"elements/decode/{name}.json",
        {
            "header": header(
                tool,
                version,
                "OCP OFP8 v1.0, OCP MX v1.0, IEEE 754",
                "every NaN is written as 7fc00000",
            ),
            "format": name,
            "bits": BITS[name],
            "codes": codes,
            "values": words(array_bits(tool_decode(name, codes))),
        },
    )


def finite_values(name):
    with np.errstate(invalid="ignore"):
        v = tool_decode(name, range(1 << BITS[name])).astype(np.float64)
    return sorted(set(float(x) for x in v if np.isfinite(x)))


def edge_inputs(name, midpoints, nans):
    """Zeros, specials, the overflow boundary, float32 extremes and the given midpoints."""
    values = finite_values(name)
    top, step = values[-1], values[-1] - values[-2]
    out = [0, SIGN, INF, SIGN | INF] + ([NAN, SIGN | NAN] if nans else [])
    out += [1, SIGN | 1, 0x7FFFFF, 0x800000, SIGN | 0x7FFFFF, FLT_MAX, SIGN | FLT_MAX, 0x3F800000]
    boundary = [top, top + step / 2, top + step, top * (1 + 2.0**-23), top * 2]
    smallest = min(v for v in values if v > 0)
    boundary += [smallest, smallest / 2, smallest / 4, smallest * 0.75, smallest * 1.5]
    for v in boundary:
        pattern = bits(v)
        if is_finite(pattern):
            out += neighbours(pattern) + [SIGN | p for p in neighbours(pattern)]
    for v in midpoints:
        out += neighbours(bits(v))
    return out


def all_midpoints(values):
    result = [(a + b) / 2 for a, b in zip(values, values[1:])]
    return [m for m in result if float(np.float32(m)) == m]


def normal_in_range(rng, name, count):
    values = finite_values(name)
    low = math.log2(min(v for v in values if v > 0)) - 1
    high = min(math.log2(values[-1]) + 1, 127)
    out = []
    for _ in range(count):
        m = 2.0 ** rng.uniform(low, high)
        out.append(bits(m if name == "e8m0fnu" or rng.random() < 0.5 else -m))
    return out


def encode_table(name):
    rng = seeded(f"encode {name}")
    mids = all_midpoints(finite_values(name))
    if len(mids) > 300:
        keep = set(rng.sample(range(len(mids)), 250))
        mids = [m for i, m in enumerate(mids) if i in keep]
    inputs = edge_inputs(name, mids, nans=name not in NAN_FREE)
    draws = [rng.getrandbits(32) for _ in range(200)]
    inputs += [p for p in draws if not is_nan(p)] + normal_in_range(rng, name, 100)
    inputs = unique(inputs)
    differences = []
    if name == "e8m0fnu":
        # ml_dtypes rounds everything strictly between 2^-127 and 2^-126 up, not only the upper half.
        inputs = unique(inputs + [0x00480000, 0x00500000, 0x00600000, 0x00600001, 0x00700000])
        wrong = [p for p in inputs if 0x00400000 < p < 0x00600000]
        differences = [
            {"input": words([p]), "tool": c, "exact": 0}
            for p, c in zip(wrong, tool_encode(name, wrong))
        ]
        inputs = [p for p in inputs if p not in wrong]
    tool, version = tool_of(name)
    comment = (
        "round to nearest, ties to even; inputs hold all midpoints (16-bit formats: 250 of them)"
    )
    if name == "e8m0fnu":
        comment = "round to nearest in value, ties UP (ml_dtypes); midpoints are 1.5 * 2^k; differences: the "
        comment += "tool answer is not the nearest value there"
    if name in NAN_FREE:
        comment += "; NaN inputs left out, their code is undefined in the tool"
    else:
        comment += "; for a NaN result only NaN-ness is meaningful, not sign or payload"
    write(
        f"elements/encode/{name}.json",
        {
            "header": header(tool, version, "round to nearest, ties to even", comment),
            "format": name,
            "overflow": OVERFLOW[name],
            "inputs": words(inputs),
            "codes": tool_encode(name, inputs),
        }
        | ({"differences": differences} if differences else {}),
    )


# gfloat -------------------------------------------------------------------------------------

FNUZ = dict(has_nz=False, domain=Domain.Finite, num_high_nans=0, has_subnormals=True)
FNUZ |= dict(is_signed=True, is_twos_complement=False)
GFLOAT = {
    "e4m3fn": format_info_ocp_e4m3,
    "e5m2": format_info_ocp_e5m2,
    "e4m3fnuz": FormatInfo("e4m3fnuz", 8, 4, bias=8, **FNUZ),
    "e5m2fnuz": FormatInfo("e5m2fnuz", 8, 3, bias=16, **FNUZ),
    "e2m3fn": format_info_ocp_e2m3,
    "e3m2fn": format_info_ocp_e3m2,
    "e2m1fn": format_info_ocp_e2m1,
    "e8m0fnu": format_info_ocp_e8m0,
    "int8": format_info_ocp_int8,
    "bf16": format_info_bfloat16,
    "fp16": format_info_binary16,
}
MODES = ["TowardZero", "TowardPositive", "TowardNegative", "TiesToEven", "TiesToAway"]
STOCHASTIC = ["Stochastic", "StochasticFast", "StochasticFastest"]


def rounding_inputs(name, fi):
    rng = seeded(f"rounding {name}")
    if name == "int8":
        values = [i / 64 for i in range(-128, 128)]
        inputs = [0, SIGN, INF, SIGN | INF, 1, SIGN | 1, FLT_MAX, SIGN | FLT_MAX]
        for v in [
            127 / 64,
            127.5 / 64,
            -127.5 / 64,
            -2,
            -128.5 / 64,
            2,
            1 / 128,
            -1 / 128,
            3 / 128,
        ]:
            inputs += neighbours(bits(v))
        for v in rng.sample([(a + b) / 2 for a, b in zip(values, values[1:])], 20):
            inputs += neighbours(bits(v))
        inputs += [bits(rng.uniform(-2.1, 2.1)) for _ in range(40)]
        return unique(inputs)
    values = finite_values(name)
    mids = all_midpoints(values)
    mids = mids if len(mids) <= 16 else rng.sample(mids, 16)
    if name == "e8m0fnu":
        # gfloat neither floors nor clamps below 2^-127 and has no code for zero there, so the
        # vectors stay in [2^-127, FLT_MAX].
        inputs = [NAN, FLT_MAX, bits(values[-1]), 0x3F800000, 0x00400000, 0x00400001, 0x007FFFFF]
        for m in mids:
            inputs += neighbours(bits(m))
        inputs += normal_in_range(rng, name, 60)
        return unique(p for p in inputs if is_nan(p) or p >= 0x00400000)
    inputs = edge_inputs(name, mids, nans=fi.num_nans > 0) + normal_in_range(rng, name, 40)
    return unique(inputs)


def answer(fi, pattern, mode, sat, **kw):
    value = round_float(fi, float(from_bits(pattern)), RoundMode[mode], sat, **kw)
    code = encode_float(fi, value)
    back = decode_float(fi, code).fval
    assert (math.isnan(value) and math.isnan(back)) or value == back, (fi, hex(pattern), mode)
    return exact_bits(value), int(code)


def rounding_table(name):
    fi = GFLOAT[name]
    inputs = rounding_inputs(name, fi)
    cases = []
    legal = [True] if fi.num_nans == 0 and fi.domain == Domain.Finite else [False, True]
    for sat in legal:
        for mode in MODES:
            pairs = [answer(fi, p, mode, sat) for p in inputs]
            cases.append(
                {
                    "mode": mode,
                    "saturating": sat,
                    "values": words(v for v, _ in pairs),
                    "codes": [c for _, c in pairs],
                }
            )
    rng = seeded(f"stochastic {name}")
    for mode in (
        STOCHASTIC if name in {"e4m3fn", "e5m2", "e2m3fn", "e3m2fn", "e2m1fn", "bf16"} else []
    ):
        for count in (3, 8):
            random_bits = [rng.getrandbits(count) for _ in inputs]
            pairs = [
                answer(fi, p, mode, True, srbits=r, srnumbits=count)
                for p, r in zip(inputs, random_bits)
            ]
            cases.append(
                {
                    "mode": mode,
                    "saturating": True,
                    "randomBitCount": count,
                    "randomBits": random_bits,
                    "values": words(v for v, _ in pairs),
                    "codes": [c for _, c in pairs],
                }
            )
    comment = (
        "round_float then encode_float; saturating=false gives infinity or NaN on overflow; "
        "Stochastic = P3109 variant C, StochasticFast = B, StochasticFastest = A"
    )
    if name == "int8":
        comment += "; gfloat uses code 128 (-2), also as the saturation limit"
    if name == "e8m0fnu":
        comment += "; inputs limited to [2^-127, FLT_MAX] and NaN, see README"
    write(
        f"elements/rounding/{name}.json",
        {
            "header": header(
                "gfloat", "0.5.2", "gfloat round_float; IEEE P3109 stochastic variants", comment
            ),
            "format": name,
            "inputs": words(inputs),
            "cases": cases,
        },
    )


for element in DTYPES:
    decode_table(element)
    encode_table(element)
for element in GFLOAT:
    rounding_table(element)

"""affine: MLX's quantize mode affine, groups along rows with a factor and an offset."""

import mlx.core as mx

from fields import *

BITS_OF = {"float32": 32, "bfloat16": 16, "float16": 16}


def stored(array, kind):
    """Bit patterns of an MLX array."""
    unsigned = mx.uint32 if kind == "float32" else mx.uint16
    return np.array(mx.view(array, unsigned)).ravel()


def transcribed(x, width):
    """The CPU kernel in NumPy, one FP32 operation at a time; x holds one group a row."""
    top = F(2**width - 1)
    high, low = np.full(len(x), -np.inf, F), np.full(len(x), np.inf, F)
    for column in x.T:  # comparisons that pass over NaN
        high, low = np.where(high < column, column, high), np.where(column < low, column, low)
    with np.errstate(all="ignore"):
        step = (high - low) / top
        step = np.where(step < F(1e-7), F(1e-7), step)
        from_low = abs(low) > abs(high)
        step, edge = np.where(from_low, step, -step), np.where(from_low, low, high)
        steps = np.rint(edge / step)
        scale = np.where(steps != 0, edge / steps, step).astype(F)
        bias = np.where(steps != 0, edge, F(0)).astype(F)
        q = np.rint((x - bias[:, None]) / scale[:, None])
        q = np.where(np.isnan(q), 0, np.minimum(np.maximum(q, 0), top))
    return scale, bias, q.astype(np.uint8)


def affine_case(label, x, width, group, rows=1, kind="float32"):
    dtype = getattr(mx, kind)
    x = np.ascontiguousarray(x, F).reshape(rows, -1)
    source = mx.array(x).astype(dtype)
    x = np.array(source.astype(mx.float32))
    w, scales, biases = mx.quantize(source, group_size=group, bits=width, mode="affine")
    y = mx.dequantize(w, scales, biases, group_size=group, bits=width, mode="affine")
    y = np.array(y.astype(mx.float32)).ravel()
    codes = from_low_first(np.array(w).view(np.uint8), width, x.size)
    scale, bias, q = transcribed(x.reshape(-1, group), width)
    assert np.array_equal(q.ravel(), codes), label
    as_dtype = lambda a: stored(mx.array(a).astype(dtype), kind)
    values = {"scale": stored(scales, kind), "bias": stored(biases, kind), "codes": codes}
    finite = np.isfinite(scale)
    assert np.array_equal(as_dtype(scale)[finite], values["scale"][finite]), label
    assert np.array_equal(as_dtype(bias), values["bias"]), label
    if kind == "float32":
        with np.errstate(all="ignore"):
            assert agree(q * scale[:, None] + bias[:, None], y), label
    packed = {
        "weight": np.array(w).astype("<u4"),
        "scales": values["scale"].astype(f"<u{BITS_OF[kind] // 8}"),
        "biases": values["bias"].astype(f"<u{BITS_OF[kind] // 8}"),
    }
    return case(label, rows, x, fields(width, group, kind), values, packed, y)


def fields(width, group, kind="float32"):
    number = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}[kind]
    return [
        Field("scale", BITS_OF[kind], number, 0),
        Field("bias", BITS_OF[kind], number, 0),
        Field("codes", width, "uint", 1),
    ]


def inputs(rng, width, group):
    """Names, rows and values."""
    pattern = lambda *v: np.resize(np.array(v, F), group)
    yield "normal data", 2, normal_array(rng, 4 * group)
    yield "powers of two", 1, scaled_groups(rng, group, (-20, -12, 12, 100))
    yield "small spread", 1, normal_array(rng, group, 0.01) + F(3)
    yield "positive", 1, abs(normal_array(rng, group)) + F(0.25)
    yield "negative", 1, -abs(normal_array(rng, group)) - F(0.25)
    yield "integers", 1, pattern(*range(2**width))
    halfway = pattern(*(np.arange(2**width - 1) + 0.5))
    yield "halfway", 1, np.append(halfway[: group - 1], 2**width - 1)
    yield "zeros", 1, pattern(0.0, -0.0)
    yield "zeros and one value", 1, np.append(pattern(0.0, -0.0)[: group - 1], -2.5)
    yield "one positive value", 1, pattern(0.3)
    yield "one negative value", 1, pattern(-0.3)
    yield "equal magnitudes", 1, pattern(1.0, -1.0)
    yield "one ulp apart", 1, pattern(1.0, np.nextafter(F(1), F(2)))
    yield "below the least step", 1, pattern(1e-8, -1e-8, 3e-8)
    yield "subnormal", 1, array_from([rng.randrange(1 << 23) for _ in range(group)])


def few(rng, width, group):
    yield "normal data", 1, normal_array(rng, 4 * group)
    yield "zeros", 1, np.zeros(group)
    yield "one negative value", 1, np.full(group, -0.3)


def outside(rng, group):
    big = np.array([1.7e38, -1.7e38, 1.0, -3e37], F)
    yield "widest finite range", np.resize(big, group)
    yield "range overflows", np.resize(big * F(2), group)
    yield "one huge value", np.full(group, 3e38)
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, group)
        x[5] = value
        yield label, x


COMMENT = (
    "step = max((max - min) / (2^bits - 1), 1e-7), edge = min if |min| > |max| else max, step "
    "negated for max; n = rint(edge / step); scale = edge / n and bias = edge, or step and 0 "
    "where n is 0; code = rint((x - bias) / scale) clamped; every operation FP32, rint to even, "
    "max and min pass over NaN; decoded = code * scale + bias, two roundings; weight: "
    "little-endian words of a row's stream of codes, first code in the lowest bits"
)
LOWER = "; scale and bias are rounded to the tensor's type last, and decoding runs in that type"


def file(width, group, source, kind="float32"):
    rng = seeded(f"affine {width} {group} {kind}")
    cases = [affine_case(n, x, width, group, r, kind) for n, r, x in source(rng, width, group)]
    beyond = outside(rng, group) if (width, group, kind) == (4, 64, "float32") else []
    suffix = "" if kind == "float32" else f"_{kind}"
    write_fields(
        f"affine/mlx_affine{width}_g{group}{suffix}.json",
        "mlx (CPU)",
        mx.__version__,
        f"mlx.core.quantize(bits={width}, group_size={group}, mode='affine') of {kind}, dequantize",
        COMMENT + ("" if kind == "float32" else LOWER),
        f"affine{width}",
        {"shape": "row", "length": group},
        fields(width, group, kind),
        cases=cases,
        outside=[affine_case(n, x, width, group) for n, x in beyond],
    )


for width in (2, 3, 4, 5, 6, 8):
    file(width, 64, inputs)
for group in (32, 128):
    file(4, group, few)
for kind in ("bfloat16", "float16"):
    file(4, 64, few, kind)

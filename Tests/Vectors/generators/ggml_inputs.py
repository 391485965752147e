"""What the blocks of ggml are shown with: labels and values, in range and outside."""

from fields import *


def special(rng, length):
    for label, value in (("infinity", np.inf), ("negative infinity", -np.inf), ("NaN", np.nan)):
        x = normal_array(rng, length)
        x[5] = value
        yield label, x
    x = normal_array(rng, length)
    x[0] = np.nan
    yield "NaN first", x


def signed_inputs(rng, least):
    """Types in which the first value of the largest magnitude becomes `least`."""
    yield "normal data", normal_array(rng, 96)
    yield "powers of two", scaled_groups(rng, 32, (-16, -8, 8, 16))
    wide = normal_array(rng, 32) * np.array([2.0 ** -rng.randint(0, 12) for _ in range(32)], F)
    yield "wide block", wide
    steps = np.arange(31) % (2 * least - 1)
    yield "halfway, greatest value negative", np.append(steps - (least - 0.5), -float(least))
    yield "halfway, greatest value positive", np.append(steps - (least - 1.5), float(least))
    yield "first of equal magnitudes is positive", np.array([1.0, 4.0, -4.0, 4.0] * 8)
    yield "first of equal magnitudes is negative", np.array([1.0, -4.0, 4.0, -4.0] * 8)
    yield "zeros", np.array([0.0, -0.0] * 16)
    yield "zeros and one value", np.append(np.array([-0.0] * 16 + [0.0] * 15), 2.5)
    yield "one positive value", np.full(32, 0.3)
    yield "one negative value", np.full(32, -0.3)
    yield "subnormal scale", normal_array(rng, 32, 2.0**-18)
    yield "scale that rounds to zero", normal_array(rng, 32, 2.0**-30)
    yield "scale that rounds to minus zero", np.append(np.full(31, -1e-9), 1e-8)
    ends = np.linspace(-1, 1, 31) * 62500 * least
    yield "largest scale", np.append(ends, -65504.0 * least)


def signed_outside(rng, least):
    ends = np.linspace(-1, 1, 31) * 62500 * least
    yield "scale beyond FP16", np.append(ends, -65520.0 * least)
    yield "largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 8)
    yield "reciprocal overflows", array_from([0x00800000, SIGN | 0x00800000, 0, 1] * 8)
    yield from special(rng, 32)


def range_inputs(rng, greatest):
    """Types whose codes span the values of a block."""
    yield "normal data", normal_array(rng, 96)
    yield "powers of two", scaled_groups(rng, 32, (-16, -8, 3, 12))
    yield "halfway", np.append(np.arange(31) % greatest + 0.5, [0.0])[::-1] * greatest
    yield "halves of a step", np.concatenate([[0.0, greatest], np.arange(30) % greatest + 0.5])
    yield "below a half", np.concatenate([[0, greatest], np.full(30, 0.49999997)])
    yield "positive", abs(normal_array(rng, 32)) + F(2)
    yield "negative", -abs(normal_array(rng, 32)) - F(2)
    yield "small spread", normal_array(rng, 32, 2.0**-12) + F(100)
    yield "zeros", np.array([0.0, -0.0] * 16)
    yield "minus zeros first", np.array([-0.0, 0.0] * 16)
    yield "one positive value", np.full(32, 0.3)
    yield "one negative value", np.full(32, -0.3)
    yield "subnormal scale", normal_array(rng, 32, 2.0**-20)
    yield "scale that rounds to zero", normal_array(rng, 32, 2.0**-30)
    yield "largest minimum", np.linspace(-65504, 65504, 32)
    yield "largest scale", np.linspace(-60000, 65504.0 * greatest - 60000, 32)


def range_outside(rng, greatest):
    yield "minimum beyond FP16", np.linspace(-65520, 0, 32)
    yield "scale beyond FP16", np.linspace(0, 65520.0 * greatest, 32)
    yield "largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 8)
    yield "reciprocal overflows", array_from([0, 20, 3, 1] * 8)
    yield from special(rng, 32)


def amax_inputs(rng, length, greatest):
    """Types in which the largest magnitude becomes `greatest`."""
    yield "normal data", normal_array(rng, length)
    ties = np.arange(length) % (2 * greatest) - greatest + 0.5
    yield "halfway", np.append(ties[:-1], float(greatest))
    yield "just off halfway", np.append(np.nextafter(ties[:-1].astype(F), F(0)), -float(greatest))
    yield "zeros", np.array([0.0, -0.0] * (length // 2))
    yield "largest scale", np.linspace(-65504, 65504, length) * greatest
    if length == 32:
        yield "powers of two", scaled_groups(rng, 32, (-16, -8, 8, 14))
        yield "one value", np.append(np.zeros(31), -0.3)
        yield "scale that rounds to zero", normal_array(rng, 32, 2.0**-30)
    yield "subnormal scale", normal_array(rng, length, 2.0**-22 * greatest)


def amax_outside(rng, length, greatest):
    yield "scale beyond FP16", np.linspace(-65520, 65520, length) * greatest
    yield "largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * (length // 4))
    if length == 32:
        yield from special(rng, length)


def table_inputs(rng):
    yield "normal data", normal_array(rng, 96)
    yield "powers of two", scaled_groups(rng, 32, (-16, -8, 8, 12))
    wide = normal_array(rng, 32) * np.array([2.0 ** -rng.randint(0, 12) for _ in range(32)], F)
    yield "wide block", wide
    table = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
    yield "the table", np.array(table * 2) * F(0.25)
    middles = [(a + b) / 2 for a, b in zip(table, table[1:])]
    yield "halfway", np.array([-127.0] + middles + [127.0] + middles)
    yield "first of equal magnitudes is negative", np.array([1.0, -4.0, 4.0, -4.0] * 8)
    yield "one positive value", np.full(32, 0.3)
    yield "one negative value", np.full(32, -0.3)
    yield "zeros and one value", np.append(np.zeros(31), 2.5)
    yield "subnormal scale", normal_array(rng, 32, 2.0**-14)
    yield "scale that rounds to zero", normal_array(rng, 32, 2.0**-30)
    yield "just above 1e-15", normal_array(rng, 32, 2e-15)
    yield "largest scale", np.linspace(-60000, 60000, 32) * 127


def table_outside(rng):
    yield "scale beyond FP16", np.linspace(-66000, 66000, 32) * 127
    yield "largest finite", array_from([FLT_MAX, FLT_MAX | SIGN, 0x7F000000, 0] * 8)
    yield from special(rng, 32)


def line_inputs(rng, greatest):
    """Types with a factor and an offset for each part."""
    yield "normal data", normal_array(rng, 256)
    yield "powers of two", scaled_groups(rng, 32, (-6, -3, 0, 3, -2, 5, 1, -8))
    yield "small spread", normal_array(rng, 256, 0.01) + F(3)
    yield "integers", np.array([rng.randrange(greatest + 1) for _ in range(256)])
    yield "one kind a part", kinds_of_parts()
    yield "subnormal scales", normal_array(rng, 256, 2.0**-18)
    yield "scales that round to zero", normal_array(rng, 256, 2.0**-30)


def kinds_of_parts():
    kinds = [np.zeros(32), np.full(32, 0.7), np.full(32, -0.7), np.array([1.0, -1.0] * 16)]
    kinds += [np.append(np.zeros(31), 5.0), np.append(np.zeros(31), -5.0)]
    return np.concatenate(kinds + [np.linspace(0, 1, 32), np.full(32, 1e-6)])


def factor_inputs(rng, reach):
    """Types with a factor for each part."""
    yield "normal data", normal_array(rng, 256)
    yield "powers of two", scaled_groups(rng, 32, (-6, -3, 0, 3, -2, 5, 1, -8))
    yield "integers", np.array([rng.randrange(-reach, reach) for _ in range(256)])
    yield "one kind a part", kinds_of_parts()
    yield "zeros", np.array([0.0, -0.0] * 128)
    yield "subnormal scale", normal_array(rng, 256, 2.0**-14)
    yield "scale that rounds to zero", normal_array(rng, 256, 2.0**-30)
    yield "around 1e-15", scaled_groups(rng, 32, (-52, -51, -50, -49, -48, -47, -46, -45))


def q4_k_inputs(rng):
    yield "normal data", normal_array(rng, 512)
    yield "powers of two", scaled_groups(rng, 32, (-6, -3, 0, 3, -2, 5, 1, -8))
    yield "positive", abs(normal_array(rng, 256))
    yield "negative", -abs(normal_array(rng, 256))
    yield "small spread", normal_array(rng, 256, 0.01) + F(3)
    yield "integers", np.array([rng.randrange(16) for _ in range(256)])
    yield "zeros", np.array([0.0, -0.0] * 128)
    yield "one kind a sub-block", kinds_of_parts()
    yield "subnormal scales", normal_array(rng, 256, 2.0**-18)
    yield "scales that round to zero", normal_array(rng, 256, 2.0**-30)
    yield "large scale", np.append(np.linspace(-0.05, 1, 255), 1.0) * 5.5e7


def part_outside(rng):
    yield "scale beyond FP16", normal_array(rng, 256, 1e9)
    yield from special(rng, 256)

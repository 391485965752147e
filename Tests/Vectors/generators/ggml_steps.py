"""Fields that ggml's encoders store, in NumPy, one FP32 operation at a time, for rows of blocks.

Written from the definitions, for finite values whose scales FP16 holds.
"""

import numpy as np
from ggml_blocks import TABLE

F = np.float32
LEAST_MAGNITUDE = F(1e-15)


def nearest_int(x):
    """Nearest even by adding 1.5 * 2^23, exact for magnitudes below 2^22."""
    return ((x + F(12582912)).view(np.int32) & 0x7FFFFF).astype(np.int64) - 0x400000


def truncated(x, greatest):
    """Without the fraction; what C leaves undefined gives 0, as on x86-64."""
    return np.minimum(greatest, np.trunc(np.where(abs(x) < 2.0**31, x, 0)).astype(np.int64))


def half(x):
    return x.astype(np.float16).view(np.uint16)


def reciprocal(d):
    return np.where(d != 0, F(1) / d, F(0)).astype(F)[:, None]


def first_greatest(x):
    """The first value of the largest magnitude of every row."""
    extreme, greatest = np.zeros(len(x), F), np.zeros(len(x), F)
    for column in x.T:
        above = greatest < abs(column)
        extreme, greatest = np.where(above, column, extreme), np.where(above, abs(column), greatest)
    return extreme


def ends(x):
    """The least and the largest value of every row; of two zeros the first one."""
    low, high = x[:, 0], x[:, 0]
    for column in x.T[1:]:
        low, high = np.where(column < low, column, low), np.where(column > high, column, high)
    return low, high


def sums(*terms):
    """Sums over the elements of rows in their order."""
    totals = [np.zeros(len(t), F) for t in terms]
    for i in range(terms[0].shape[1]):
        totals = [total + t[:, i] for total, t in zip(totals, terms)]
    return totals


# One level ------------------------------------------------------------------------------------


def signed(x, least):
    d = first_greatest(x) / F(-least)
    codes = truncated(x * reciprocal(d) + F(least + 0.5), 2 * least - 1)
    return {"scale": half(d), "codes": codes}


def ranged(x, greatest):
    low, high = ends(x)
    d = (high - low) / F(greatest)
    codes = truncated((x - low[:, None]) * reciprocal(d) + F(0.5), greatest)
    return {"scale": half(d), "min": half(low), "codes": codes}


def amax(x, greatest, offset):
    d = abs(x).max(1) / F(greatest)
    y = (x * reciprocal(d)).astype(np.float64)
    codes = (np.sign(y) * np.floor(abs(y) + 0.5)).astype(np.int64) + offset
    return {"scale": half(d), "codes": codes & 255 if offset == 0 else codes}


def table_index(x):
    """The nearest entry, halves up."""
    return np.searchsorted((TABLE[:-1] + TABLE[1:]) / F(2), x, side="right")


def best_factor(x, multipliers, integers, terms):
    """The factor that the integers of the best multiplier give, and which one that is."""
    scale, gain, best = None, None, np.zeros(len(x), np.int64)
    for trial, multiplier in enumerate(multipliers):
        q = integers(multiplier[:, None] * x)
        products, squares = sums(terms(x * x, x, q), x * x * q * q)
        if scale is None:
            scale = np.where(squares > 0, products / squares, F(0)).astype(F)
            gain = scale * products
            continue
        better = (squares > 0) & (products * products > gain * squares)
        scale = np.where(better, products / squares, scale).astype(F)
        gain, best = np.where(better, scale * products, gain), np.where(better, trial, best)
    return scale, best


def table(x, is_search):
    m = first_greatest(x)
    zero = abs(m) < LEAST_MAGNITUDE
    end = -TABLE[0] if is_search else TABLE[0]
    first = F(1) / (m / end)
    trials = [(F(t) + TABLE[0]) / m for t in range(-7, 8)] if is_search else []
    scale, _ = best_factor(
        x, [first, *trials], lambda y: TABLE[table_index(y)], lambda w, x, q: w * q * x
    )
    scale = np.where(zero, F(0), scale)
    multiplier = reciprocal(scale) if is_search else np.where(zero, F(0), first)[:, None]
    return {"scale": half(scale), "codes": table_index(x * multiplier)}


# Lines on two levels --------------------------------------------------------------------------


def line_search(x, w, greatest, measure, first_trial, further):
    """Scale, minus minimum and codes of rows: the least weighted error of several trials."""
    top = F(greatest)
    low, high = ends(x)
    low = np.where(low > 0, F(0), low)
    sum_w, sum_x = sums(w, w * x)
    flat, flat_low = high == low, low

    def codes_at(factor):
        return np.clip(nearest_int(factor[:, None] * (x - low[:, None])), 0, greatest)

    def error(scale, offset, codes):
        off = scale[:, None] * codes.astype(F) + offset[:, None] - x
        return sums(w * measure(off))[0]

    factor = top / (high - low)
    scale = F(1) / factor
    codes = codes_at(factor)
    least = error(scale, low, codes)
    for step in range(further + 1):
        # A trial starts from the minimum of the best one so far.
        trial = codes_at((F(first_trial) + F(0.1) * F(step) + top) / (high - low))
        wl = w * trial.astype(F)
        sum_l, sum_ll, sum_xl = sums(wl, wl * trial.astype(F), wl * x)
        determinant = sum_w * sum_ll - sum_l * sum_l
        new_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant
        new_low = (sum_ll * sum_x - sum_l * sum_xl) / determinant
        positive = new_low > 0
        new_scale = np.where(positive, sum_xl / sum_ll, new_scale)
        new_low = np.where(positive, F(0), new_low)
        new_error = error(new_scale, new_low, trial)
        better = (determinant > 0) & (new_error < least)
        codes = np.where(better[:, None], trial, codes)
        least, scale = np.where(better, new_error, least), np.where(better, new_scale, scale)
        low = np.where(better, new_low, low)
    scale, low = np.where(flat, F(0), scale), np.where(flat, flat_low, low)
    return scale, -low, np.where(flat[:, None], 0, codes)


def multiples(parts, greatest):
    """Numbers of parts as multiples of their largest over an integer, and that quotient."""
    largest = np.zeros(len(parts), F)
    for column in parts.T:
        largest = np.where(column > largest, column, largest)
    factor = np.where(largest > 0, F(greatest) / largest, F(0)).astype(F)
    integers = np.minimum(greatest, nearest_int(factor[:, None] * parts) & 0xFF)
    return (largest / F(greatest)).astype(np.float16), integers


def lines(blocks, bits, part, part_greatest, raised, measure, first_trial, further):
    greatest = 2**bits - 1
    x = blocks.reshape(-1, part)
    weights = abs(x)
    if raised:
        weights = np.sqrt(sums(x * x)[0] / F(part))[:, None] + weights
    found = line_search(x, weights, greatest, measure, first_trial, further)
    scales, offsets, codes = found
    d, subscales = multiples(scales.reshape(len(blocks), -1), part_greatest)
    m, submins = multiples(offsets.reshape(len(blocks), -1), part_greatest)
    factor = (d.astype(F)[:, None] * subscales.astype(F)).reshape(-1, 1)
    offset = (m.astype(F)[:, None] * submins.astype(F)).reshape(-1, 1)
    again = np.clip(nearest_int((x + offset) / factor), 0, greatest)
    return {
        "scale": d.view(np.uint16),
        "min": m.view(np.uint16),
        "subscales": subscales,
        "submins": submins,
        "codes": np.where(factor != 0, again, codes),
    }


# Factors on two levels ------------------------------------------------------------------------


def trial_factors(x, reach):
    """Of nineteen multipliers, the best."""
    m = first_greatest(x)
    trials = [F(0)] + [F(0.1) * F(t) for t in range(-9, 10) if t != 0]
    multipliers = [-(F(reach) + t) / m for t in trials]

    def integers(y):
        return np.clip(nearest_int(y), -reach, reach - 1).astype(F)

    scale, best = best_factor(x, multipliers, integers, lambda w, x, q: w * x * q)
    codes = integers(np.choose(best, multipliers)[:, None] * x).astype(np.int64)
    zero = abs(m) < LEAST_MAGNITUDE
    return np.where(zero, F(0), scale), np.where(zero[:, None], -reach, codes)


def descent_factors(x, reach):
    """Codes changed one at a time."""
    results = [descent(row, m, reach) for row, m in zip(x, first_greatest(x))]
    return np.array([r[0] for r in results], F), np.array([r[1] for r in results])


def descent(row, m, reach):
    if abs(m) < LEAST_MAGNITUDE:
        return F(0), [-reach] * len(row)

    def integer(y):
        return F(np.clip(nearest_int(np.array([y], F))[0], -reach, reach - 1))

    codes = [integer(F(-reach) / m * x) for x in row]
    products = squares = F(0)
    for x, q in zip(row, codes):
        products, squares = products + x * x * x * q, squares + x * x * q * q
    for _ in range(5):
        changed = False
        for i, x in enumerate(row):
            w = x * x
            p, s = products - w * x * codes[i], squares - w * codes[i] * codes[i]
            if p > 0 and (q := integer(x * s / p)) != codes[i]:
                p, s = p + w * x * q, s + w * q * q
                if s > 0 and p * p * squares > products * products * s:
                    codes[i], products, squares, changed = q, p, s, True
        if not changed:
            break
    return (products / squares if squares > 0 else F(0)), [int(q) for q in codes]


def factors(blocks, reach, part_reach, part_offset, search, least):
    x = blocks.reshape(-1, 16)
    scales, codes = search(x, reach)
    scales = scales.reshape(len(blocks), -1)
    largest = first_greatest(scales)
    zero = abs(largest) < least
    f = F(-part_reach) / largest
    d = np.where(zero, F(0), F(1) / f).astype(np.float16)
    parts = np.clip(nearest_int(f[:, None] * scales), -part_reach, part_reach - 1)
    parts = np.where(zero[:, None], -part_offset, parts)
    factor = (d.astype(F)[:, None] * parts.astype(F)).reshape(-1, 1)
    again = np.clip(nearest_int(x / factor), -reach, reach - 1)
    codes = np.where(factor != 0, again, codes) + reach
    if part_offset == 0:
        codes = np.where(np.repeat(zero, len(x) // len(blocks))[:, None], 0, codes)
    stored = parts + part_offset if part_offset else parts & 255
    return {"scale": d.view(np.uint16), "subscales": stored, "codes": codes}


ENCODERS = {
    "q4_0": lambda x: signed(x, 8),
    "q4_1": lambda x: ranged(x, 15),
    "q5_0": lambda x: signed(x, 16),
    "q5_1": lambda x: ranged(x, 31),
    "q8_0": lambda x: amax(x, 127, 0),
    "iq4_nl": lambda x: table(x, True),
    "iq4_nl_ref": lambda x: table(x, False),
    "tq1_0": lambda x: amax(x, 1, 1),
    "tq2_0": lambda x: amax(x, 1, 1),
    "q2_k": lambda x: lines(x, 2, 16, 15, False, abs, -0.5, 15),
    "q3_k": lambda x: factors(x, 4, 32, 32, descent_factors, F(1e-45)),
    "q4_k": lambda x: lines(x, 4, 32, 63, True, np.square, -1, 20),
    "q5_k": lambda x: lines(x, 5, 32, 63, True, np.square, -0.5, 15),
    "q6_k": lambda x: factors(x, 32, 128, 0, trial_factors, LEAST_MAGNITUDE),
}

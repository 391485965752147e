"""Fields that ggml's encoders of Q5_0 and Q4_K store, in NumPy, one FP32 operation at a time."""

import numpy as np

F = np.float32


def q5_0(blocks):
    """Rows of 32 values. What C leaves undefined gives 0, as on x86-64."""
    extreme, greatest = np.zeros(len(blocks), F), np.zeros(len(blocks), F)
    for x in blocks.T:
        above = greatest < abs(x)
        extreme, greatest = np.where(above, x, extreme), np.where(above, abs(x), greatest)
    d = extreme / F(-16)
    inverse = np.where(d != 0, F(1) / d, F(0)).astype(F)
    shifted = blocks * inverse[:, None] + F(16.5)
    codes = np.trunc(np.where(abs(shifted) < 2.0**31, shifted, 0)).astype(np.int64)
    return {"scale": d.astype(np.float16).view(np.uint16), "codes": np.minimum(31, codes)}


def nearest_int(x):
    """Nearest even by adding 1.5 * 2^23, exact for magnitudes below 2^22."""
    return ((x + F(12582912)).view(np.int32) & 0x7FFFFF).astype(np.int64) - 0x400000


def sums(*terms):
    """Sums over 32 elements in their order."""
    totals = [np.zeros(len(t), F) for t in terms]
    for i in range(32):
        totals = [total + t[:, i] for total, t in zip(totals, terms)]
    return totals


def search(x, w):
    """Scale, minus minimum and codes of rows of 32 values: 22 trials, the least weighted error."""
    top = F(15)
    low, high = x[:, 0], x[:, 0]
    for column in x.T[1:]:
        low, high = np.where(column < low, column, low), np.where(column > high, column, high)
    low = np.where(low > 0, F(0), low)
    sum_w, sum_x = sums(w, w * x)
    flat, flat_low = high == low, low

    def codes_at(factor):
        return np.clip(nearest_int(factor[:, None] * (x - low[:, None])), 0, 15)

    def error(scale, offset, codes):
        off = scale[:, None] * codes.astype(F) + offset[:, None] - x
        return sums(w * (off * off))[0]

    factor = top / (high - low)
    scale = F(1) / factor
    codes = codes_at(factor)
    least = error(scale, low, codes)
    for step in range(21):
        # A trial starts from the minimum of the best one so far.
        trial = codes_at((F(-1) + F(0.1) * F(step) + top) / (high - low))
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


def six_bits(numbers):
    """Numbers of eight sub-blocks as multiples of their greatest over 63, and that quotient."""
    greatest = np.zeros(len(numbers), F)
    for column in numbers.T:
        greatest = np.where(column > greatest, column, greatest)
    factor = np.where(greatest > 0, F(63) / greatest, F(0)).astype(F)
    multiples = np.minimum(63, nearest_int(factor[:, None] * numbers) & 0xFF)
    return (greatest / F(63)).astype(np.float16), multiples


def q4_k(blocks):
    """Rows of 256 values."""
    x = blocks.reshape(-1, 32)
    weights = np.sqrt(sums(x * x)[0] / F(32))[:, None] + abs(x)
    scales, offsets, found = search(x, weights)
    d, subscales = six_bits(scales.reshape(-1, 8))
    m, submins = six_bits(offsets.reshape(-1, 8))
    factor = (d.astype(F)[:, None] * subscales.astype(F)).reshape(-1, 1)
    offset = (m.astype(F)[:, None] * submins.astype(F)).reshape(-1, 1)
    again = np.clip(nearest_int((x + offset) / factor), 0, 15)
    return {
        "scale": d.view(np.uint16),
        "min": m.view(np.uint16),
        "subscales": subscales,
        "submins": submins,
        "codes": np.where(factor != 0, again, found),
    }

// Rows of values to rows of codes.

// LANES values to codes.
INLINE vu codes_at(
    const Rounder *r, BKRounding rounding, BKElementKind kind, bool is_tame, vf values,
    vf multipliers, bool is_scaled, vu random, vu *over) {
  vu bits = bits_of(is_scaled ? values * multipliers : values);
  // Where scaling is exact a value above zero may leave FP32 but does not become zero.
  vu source = r->e.is_scaling_exact ? bits_of(values) : bits;
  vi is_zero = (source & MAGNITUDE) == 0;
  if (is_tame) return tame_codes(r, rounding, kind, bits, is_zero, random, over);
  vi is_poisoned = is_scaled ? (bits_of(multipliers) & MAGNITUDE) > INFINITE : (vi)all_u(0);
  return any_codes(r, rounding, bits, is_zero, is_poisoned, random, over);
}

INLINE size_t encode_row(
    const BKElement *element, BKRounding rounding, BKElementKind kind, bool is_tame,
    const float *values, size_t count, const float *multipliers, GroupFit fit, size_t unit,
    const uint32_t *random, size_t prefetch, uint8_t *codes) {
  Rounder r = make_rounder(element);
  vu lanes = group_lanes(fit, unit), over = 0;
  bool is_scaled = fit != GROUP_NONE, is_random = rounding == BK_STOCHASTIC;
  size_t i = 0;
  if (fit == GROUP_WHOLE) {
    for (size_t group = 0; i + LANES <= count; group++) {
      vf multiplier = all_f(multipliers[group]);
      size_t end = count - i < unit ? count : i + unit;
      for (; i + LANES <= end; i += LANES) {
        if (prefetch) PREFETCH((const char *)(values + i) + prefetch);
        vu word = is_random ? load_u(random + i) : all_u(0);
        store_b(codes + i, narrow_b(codes_at(
            &r, rounding, kind, is_tame, load_f(values + i), multiplier, true, word, &over)));
      }
    }
  }
  for (; i + LANES <= count; i += LANES) {
    if (prefetch) PREFETCH((const char *)(values + i) + prefetch);
    vf multiplier = group_values(fit, multipliers, i, unit, lanes, count);
    vu word = is_random ? load_u(random + i) : all_u(0);
    store_b(codes + i, narrow_b(codes_at(
        &r, rounding, kind, is_tame, load_f(values + i), multiplier, is_scaled, word, &over)));
  }
  if (i < count) {
    size_t left = count - i;
    vf multiplier = group_values(fit, multipliers, i, unit, lanes, count);
    vu word = is_random ? load_some_u(random + i, left) : all_u(0);
    store_some_b(codes + i, narrow_b(codes_at(
        &r, rounding, kind, is_tame, load_some_f(values + i, left), multiplier, is_scaled, word,
        &over)), left);
  }
  return sum_lanes(over);
}

// One instance for each way in which groups meet vectors, and for the usual lengths.
INLINE size_t encode_fitted(
    const BKElement *e, BKRounding rounding, BKElementKind kind, bool is_tame, const float *x,
    size_t n, const float *m, size_t unit, const uint32_t *random, size_t prefetch, uint8_t *codes) {
  switch (fit_of(m, unit)) {
    case GROUP_NONE:
      return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_NONE, 1, random, prefetch, codes);
    case GROUP_WHOLE:
      if (unit == 32)
        return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_WHOLE, 32, random, prefetch, codes);
      if (unit == 16)
        return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_WHOLE, 16, random, prefetch, codes);
      return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_WHOLE, unit, random, prefetch, codes);
    case GROUP_PARTS:
      return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_PARTS, unit, random, prefetch, codes);
    case GROUP_ANY:
      return encode_row(e, rounding, kind, is_tame, x, n, m, GROUP_ANY, unit, random, prefetch, codes);
  }
}

#define ENCODER(name, rounding, kind, is_tame)                                              \
  static NOINLINE size_t name(                                                                \
      const BKElement *e, const float *x, size_t n, const float *m, size_t unit,              \
      const uint32_t *random, size_t prefetch, uint8_t *codes) {                              \
    return encode_fitted(e, rounding, kind, is_tame, x, n, m, unit, random, prefetch, codes); \
  }

ENCODER(encode_nearest_float, BK_NEAREST_EVEN, BK_FLOAT, true)
ENCODER(encode_nearest_integer, BK_NEAREST_EVEN, BK_INTEGER, true)
ENCODER(encode_stochastic_float, BK_STOCHASTIC, BK_FLOAT, true)
ENCODER(encode_stochastic_integer, BK_STOCHASTIC, BK_INTEGER, true)
// The others decide in the loop.
ENCODER(encode_tame, e->rounding, e->kind, true)
ENCODER(encode_any, e->rounding, e->kind, false)

static size_t encode(
    const BKElement *e, bool is_tame, const float *values, size_t count,
    const float *multipliers, size_t unit, const uint32_t *random, size_t prefetch,
    uint8_t *codes) {
  if (!is_tame || !e->saturates)
    return encode_any(e, values, count, multipliers, unit, random, prefetch, codes);
  bool is_integer = e->kind == BK_INTEGER;
  if (e->rounding == BK_NEAREST_EVEN && e->fraction_bits > 0)
    return (is_integer ? encode_nearest_integer : encode_nearest_float)(
        e, values, count, multipliers, unit, random, prefetch, codes);
  if (e->rounding == BK_STOCHASTIC)
    return (is_integer ? encode_stochastic_integer : encode_stochastic_float)(
        e, values, count, multipliers, unit, random, prefetch, codes);
  return encode_tame(e, values, count, multipliers, unit, random, prefetch, codes);
}

static size_t encode_wide(
    const BKElement *element, const float *values, size_t count, const float *multipliers,
    size_t unit, const uint32_t *random, uint32_t *codes) {
  Rounder r = make_rounder(element);
  GroupFit fit = fit_of(multipliers, unit);
  vu lanes = group_lanes(fit, unit), over = 0;
  for (size_t i = 0; i < count; i += LANES) {
    size_t left = count - i < LANES ? count - i : LANES;
    vf value = left == LANES ? load_f(values + i) : load_some_f(values + i, left);
    vu word = random ? load_some_u(random + i, left) : all_u(0);
    vf multiplier = group_values(fit, multipliers, i, unit, lanes, count);
    vu code = codes_at(
        &r, element->rounding, element->kind, false, value, multiplier, fit != GROUP_NONE, word,
        &over);
    store_some_u(codes + i, code, left);
  }
  return sum_lanes(over);
}

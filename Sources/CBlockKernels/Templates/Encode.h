// Rows of values to rows of codes.

#define QUAD (4 * LANES)

INLINE size_t encode_tame(
    const BKElement *element, TameWay way, BKRounding rounding, const float *values, size_t count,
    const float *multipliers, GroupFit fit, size_t unit, const uint32_t *random, size_t prefetch,
    uint8_t *codes) {
  Rounder r = make_rounder(element);
  bool is_fixed = way == TAME_NEAREST_MAGNITUDE || way == TAME_NEAREST_INTEGER;
  float factor = is_fixed ? element->spacings_of_one : 1;
  vu lanes = group_lanes(fit, unit);
  OverflowCount over = {0, 0, 0, 0};
  vf x[4], m[4];
  vu word[4] = {0, 0, 0, 0};
  size_t i = 0;
  for (; i + QUAD <= count; i += QUAD) {
    for (int j = 0; j < 4; j++) {
      const float *at = values + i + j * LANES;
      if (j * LANES % 16 == 0) PREFETCH((const char *)at + prefetch);
      x[j] = load_f(at);
      if (rounding == BK_STOCHASTIC) word[j] = load_u(random + i + j * LANES);
    }
    if (fit == GROUP_NONE) {
      for (int j = 0; j < 4; j++) m[j] = all_f(factor);
    } else {
      quad_values(fit, multipliers, i, unit, lanes, factor, m);
    }
    vq quad = tame_codes(&r, way, rounding, x, m, word, &over);
    memcpy(codes + i, &quad, sizeof quad);
    if (++over.steps == 0xFF) flush_overflows(&over);
  }
  if (i < count) {
    float rest[QUAD] = {0}, scale[QUAD];
    uint32_t words[QUAD] = {0};
    uint8_t bytes[QUAD];
    for (size_t lane = 0; lane < QUAD; lane++) {
      size_t at = i + lane < count ? i + lane : count - 1;
      scale[lane] = factor * (fit == GROUP_NONE ? 1 : multipliers[at / unit]);
    }
    memcpy(rest, (const char *)(values + i), (count - i) * sizeof(float));
    if (rounding == BK_STOCHASTIC) memcpy(words, random + i, (count - i) * sizeof(uint32_t));
    for (int j = 0; j < 4; j++) {
      x[j] = load_f(rest + j * LANES);
      m[j] = load_f(scale + j * LANES);
      word[j] = load_u(words + j * LANES);
    }
    vq quad = tame_codes(&r, way, rounding, x, m, word, &over);
    memcpy(bytes, &quad, sizeof quad);
    memcpy(codes + i, bytes, count - i);
  }
  flush_overflows(&over);
  return over.total;
}

// One instance for each way in which groups meet vectors, and for the usual lengths.
INLINE size_t encode_fitted(
    const BKElement *e, TameWay way, BKRounding rounding, const float *x, size_t n, const float *m,
    size_t unit, const uint32_t *random, size_t prefetch, uint8_t *codes) {
#define WITH(fit, unit) encode_tame(e, way, rounding, x, n, m, fit, unit, random, prefetch, codes)
  switch (fit_of(m, unit, n)) {
    case GROUP_NONE: return WITH(GROUP_NONE, 1);
    case GROUP_ONE: return WITH(GROUP_ONE, unit);
    case GROUP_LONG: return WITH(GROUP_LONG, unit);
    case GROUP_WHOLE:
      switch (unit) {
        case LANES: return WITH(GROUP_WHOLE, LANES);
        default: return WITH(GROUP_WHOLE, 2 * LANES);
      }
    case GROUP_PARTS:
      switch (unit) {
        case 1: return WITH(GROUP_PARTS, 1);
        case 2: return WITH(GROUP_PARTS, 2);
        default: return WITH(GROUP_PARTS, unit);
      }
    case GROUP_ANY: return WITH(GROUP_ANY, unit);
  }
#undef WITH
}

#define ENCODER(name, way, rounding)                                                    \
  static NOINLINE size_t name(                                                          \
      const BKElement *e, const float *x, size_t n, const float *m, size_t unit,        \
      const uint32_t *random, size_t prefetch, uint8_t *codes) {                        \
    return encode_fitted(e, way, rounding, x, n, m, unit, random, prefetch, codes);     \
  }

ENCODER(encode_nearest_float, TAME_NEAREST_FLOAT, BK_NEAREST_EVEN)
ENCODER(encode_nearest_magnitude, TAME_NEAREST_MAGNITUDE, BK_NEAREST_EVEN)
ENCODER(encode_nearest_integer, TAME_NEAREST_INTEGER, BK_NEAREST_EVEN)
ENCODER(encode_table, TAME_TABLE, BK_NEAREST_EVEN)
ENCODER(encode_stochastic, TAME_ANY, BK_STOCHASTIC)
// The others decide in the loop.
ENCODER(encode_directed, TAME_ANY, e->rounding)

// Codes of sixteen bits of unscaled tame values, as little-endian words at any address.
INLINE size_t encode_half_words(
    const BKElement *element, TameWay way, BKRounding rounding, const float *values, size_t count,
    const uint32_t *random, size_t prefetch, uint8_t *codes) {
  Rounder r = make_rounder(element);
  OverflowCount over = {0, 0, 0, 0};
  const vf ones[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < count; i += QUAD) {
    size_t left = count - i < QUAD ? count - i : QUAD;
    vf x[4];
    vu word[4] = {0, 0, 0, 0};
    for (size_t j = 0; j < 4; j++) {
      size_t first = j * LANES, n = left > first ? left - first : 0;
      const float *at = values + i + first;
      if (first % 16 == 0) PREFETCH((const char *)at + prefetch);
      x[j] = load_some_f(at, n);
      if (rounding == BK_STOCHASTIC) word[j] = load_some_u(random + i + first, n);
    }
    vw words[2];
    tame_words(&r, way, rounding, x, ones, word, &over, words);
    for (int pair = 0; pair < 2; pair++) words[pair] = ordered_words(words[pair]);
    memcpy(codes + 2 * i, words, left == QUAD ? sizeof words : 2 * left);
    if (++over.steps == 0x7FFF) flush_overflows(&over);
  }
  flush_overflows(&over);
  return over.total;
}

static NOINLINE size_t encode_nearest_half(
    const BKElement *e, const float *values, size_t count, size_t prefetch, uint8_t *codes) {
  return encode_half_words(
      e, TAME_NEAREST_FLOAT, BK_NEAREST_EVEN, values, count, NULL, prefetch, codes);
}
static NOINLINE size_t encode_nearest_pattern(
    const BKElement *e, const float *values, size_t count, size_t prefetch, uint8_t *codes) {
  BKElement pattern = *e;
  pattern.kind = BK_PATTERN;
  return encode_half_words(
      &pattern, TAME_ANY, BK_NEAREST_EVEN, values, count, NULL, prefetch, codes);
}
static NOINLINE size_t encode_any_half(
    const BKElement *e, const float *values, size_t count, const uint32_t *random,
    size_t prefetch, uint8_t *codes) {
  return encode_half_words(e, TAME_ANY, e->rounding, values, count, random, prefetch, codes);
}

static size_t encode_halves(
    const BKElement *e, const float *values, size_t count, const uint32_t *random,
    size_t prefetch, uint8_t *codes) {
  if (e->rounding != BK_NEAREST_EVEN)
    return encode_any_half(e, values, count, random, prefetch, codes);
  return (e->kind == BK_PATTERN ? encode_nearest_pattern : encode_nearest_half)(
      e, values, count, prefetch, codes);
}

// The codes of values that may be anything, with all choices of the policy. Finite values whose
// products leave FP32 overflow like the largest number.
INLINE vu codes_at(
    const Rounder *r, vf values, vf multipliers, bool is_scaled, vu random, vu *over) {
  vu bits = bits_of(is_scaled ? values * multipliers : values);
  bits += (vu)(((bits & MAGNITUDE) == INFINITE) & ((bits_of(values) & MAGNITUDE) < INFINITE));
  vu source = r->e.is_scaling_exact ? bits_of(values) : bits;
  vi is_zero = (source & MAGNITUDE) == 0;
  vi is_poisoned = is_scaled ? (bits_of(multipliers) & MAGNITUDE) > INFINITE : (vi)all_u(0);
  return any_codes(r, r->e.rounding, bits, is_zero, is_poisoned, random, over);
}

// One of `bytes` and `words` receives the codes.
INLINE size_t encode_with_care(
    const BKElement *element, const float *values, size_t count, const float *multipliers,
    size_t unit, const uint32_t *random, uint8_t *bytes, uint32_t *words) {
  Rounder r = make_rounder(element);
  GroupFit fit = fit_of(multipliers, unit, count);
  vu lanes = group_lanes(fit, unit), over = 0;
  for (size_t i = 0; i < count; i += LANES) {
    size_t left = count - i;
    vu word = random ? load_some_u(random + i, left) : all_u(0);
    vf multiplier = group_values(fit, multipliers, i, unit, lanes, count);
    vu over_here = 0;
    vu code = codes_at(
        &r, load_some_f(values + i, left), multiplier, fit != GROUP_NONE, word, &over_here);
    // Even zeros behind the end may lie beyond a table.
    if (left < LANES) over_here &= (vu)(lane_numbers() < (uint32_t)left);
    over += over_here;
    if (bytes) {
      store_some_b(bytes + i, narrow_b(code), left);
    } else {
      store_some_u(words + i, code, left);
    }
  }
  return sum_lanes(over);
}

static size_t encode_wide(
    const BKElement *element, const float *values, size_t count, const float *multipliers,
    size_t unit, const uint32_t *random, uint32_t *codes) {
  return encode_with_care(element, values, count, multipliers, unit, random, NULL, codes);
}

static NOINLINE size_t encode_untamed(
    const BKElement *element, const float *values, size_t count, const float *multipliers,
    size_t unit, const uint32_t *random, uint8_t *codes) {
  return encode_with_care(element, values, count, multipliers, unit, random, codes, NULL);
}

static size_t encode(
    const BKElement *e, bool is_tame, const float *values, size_t count, const float *multipliers,
    size_t unit, const uint32_t *random, size_t prefetch, uint8_t *codes) {
  if (!is_tame || !e->saturates || (e->kind == BK_FLOAT && !e->has_negative_zero))
    return encode_untamed(e, values, count, multipliers, unit, random, codes);
  // Thresholds have the rounding in them.
  if (e->kind == BK_TABLE)
    return encode_table(e, values, count, multipliers, unit, random, prefetch, codes);
  if (e->rounding == BK_STOCHASTIC)
    return encode_stochastic(e, values, count, multipliers, unit, random, prefetch, codes);
  if (e->rounding == BK_NEAREST_EVEN && e->kind == BK_INTEGER)
    return encode_nearest_integer(e, values, count, multipliers, unit, random, prefetch, codes);
  if (e->rounding == BK_NEAREST_EVEN && e->is_fixed_point)
    return encode_nearest_magnitude(e, values, count, multipliers, unit, random, prefetch, codes);
  // Rounding sums to even is rounding codes to even where codes and sums alternate together, which
  // takes a fraction bit. Codes of a few binades beyond the largest must fit a byte.
  if (e->rounding == BK_NEAREST_EVEN && e->fraction_bits > 0 && e->fraction_bits <= 5)
    return encode_nearest_float(e, values, count, multipliers, unit, random, prefetch, codes);
  return encode_directed(e, values, count, multipliers, unit, random, prefetch, codes);
}

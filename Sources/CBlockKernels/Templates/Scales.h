// Scales of blocks from their largest magnitudes, LANES blocks at a time.

// The rule's exponents for magnitudes that are finite; far below every scale for zero.
INLINE vi shared_exponents(const BKSharedScale *rule, vu maxima) {
  vu product = maxima;
  if (rule->product != 1) product = bits_of(floats_of(maxima) * rule->product);
  // A subnormal magnitude gets a full significand.
  vi is_subnormal = product < 0x800000;
  vu normal = pick(is_subnormal, bits_of(floats_of(product) * 0x1p32f), product);
  vi exponent = (vi)(normal >> 23) - 127 - (vi)((vu)is_subnormal & 32) + rule->offset;
  vu fraction = normal & 0x7FFFFF;
  exponent -= (vi)(fraction >= rule->threshold[0]);
  exponent -= (vi)(fraction >= rule->threshold[1]);
  exponent = (vi)pick(product == 0, (vu)all_u((uint32_t)rule->zero_exponent), (vu)exponent);
  return (vi)pick(maxima == 0, all_u((uint32_t)-4096), (vu)exponent);
}

// 2^exponent for exponents of -149 to 127.
INLINE vf powers_of_two(vi exponent) {
  vu subnormal = all_u(1) << ((vu)(exponent + 149) & 31);
  return floats_of(pick(exponent < -126, subnormal, (vu)(exponent + 127) << 23));
}

static bool shared_scales(
    const BKSharedScale *rule, const uint32_t *maxima, size_t count, int32_t exponent_step,
    uint8_t *codes, float *multipliers) {
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n);
    vi is_poisoned = maximum >= INFINITE;
    vi exponent = shared_exponents(rule, maximum);
    vi code = max_i(
        min_i(exponent + exponent_step + rule->bias, (vi)all_u(rule->greatest_code)),
        (vi)all_u(0));
    code = (vi)pick(maximum == 0, all_u(rule->zero_code), (vu)code);
    vf multiplier = powers_of_two(rule->bias - code);
    code = (vi)pick(is_poisoned, all_u(rule->nan_code), (vu)code);
    multiplier = pick_f(is_poisoned, floats_of(all_u(CANONICAL_NAN)), multiplier);
    tame &= is_tame(maximum, multiplier);
    store_some_b(codes + i, narrow_b((vu)code), n);
    store_some_f(multipliers + i, multiplier, n);
  }
  return all_lanes(tame, LANES);
}

// The block codes of LANES sub-blocks.
INLINE vi spread_codes(const uint8_t *codes, size_t index, size_t spread, size_t count) {
  vu v = 0;
  if (spread == 1) return (vi)widen_b(load_some_b(codes + index, count));
  if (spread % LANES == 0) return (vi)all_u(codes[index / spread]);
  if (is_power_of_two(spread) && count == LANES) {
    vu some = widen_b(load_some_b(codes + (index >> log_two(spread)), LANES >> log_two(spread)));
    return (vi)bits_of(permute(floats_of(some), lane_numbers() >> log_two(spread)));
  }
  for (size_t lane = 0; lane < count; lane++) v[lane] = codes[(index + lane) / spread];
  return (vi)v;
}

static bool shared_subscales(
    const BKSharedScale *rule, const uint32_t *maxima, size_t count, size_t spread,
    const uint8_t *block_codes, uint8_t *codes, float *multipliers) {
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n);
    vi block = spread_codes(block_codes, i, spread, n);
    vi is_poisoned = block == (vi)all_u(rule->nan_code);
    vi own = shared_exponents(rule, min_u(maximum, all_u(INFINITE - 1)));
    // The scale of a block of zeros is lowest whatever code it stores.
    vi lowering = min_i(
        max_i(block - rule->bias - own, (vi)all_u(0)), (vi)all_u(rule->greatest_subscale));
    vi exponent = lowering - block + rule->bias;
    vi is_reachable = (exponent <= 127) | (maximum == 0);
    vf multiplier = powers_of_two(min_i(exponent, (vi)all_u(127)));
    lowering = (vi)pick(is_poisoned, all_u(0), (vu)lowering);
    multiplier = pick_f(is_poisoned, floats_of(all_u(CANONICAL_NAN)), multiplier);
    tame &= (is_tame(maximum, multiplier) & is_reachable) | lanes_from(n);
    store_some_b(codes + i, narrow_b((vu)lowering), n);
    store_some_f(multipliers + i, multiplier, n);
  }
  return all_lanes(tame, LANES);
}

static void shared_values(
    const BKSharedScale *rule, const uint8_t *block_codes, const uint8_t *subscales, size_t count,
    size_t spread, float *values) {
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vi block = spread_codes(block_codes, i, spread, n);
    vi exponent = block - rule->bias;
    if (subscales) exponent -= (vi)widen_b(load_some_b(subscales + i, n));
    vf value = powers_of_two(exponent);
    vi is_nan = block == (vi)all_u(rule->nan_code);
    store_some_f(values + i, pick_f(is_nan, floats_of(all_u(CANONICAL_NAN)), value), n);
  }
}

static bool float_scales(
    const BKFloatScale *rule, const uint32_t *maxima, size_t count, uint32_t *scales,
    float *multipliers) {
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n);
    vi is_poisoned = maximum >= INFINITE;
    vu quotient = bits_of(all_f(rule->greatest) / floats_of(maximum));
    vu multiplier = pick(maximum == 0, bits_of(all_f(1)), min_u(quotient, all_u(INFINITE - 1)));
    if (rule->is_power_of_two) multiplier = max_u(multiplier & INFINITE, all_u(0x400000));
    vu scale = min_u(bits_of(all_f(1) / floats_of(multiplier)), all_u(INFINITE - 1));
    multiplier = pick(is_poisoned, all_u(CANONICAL_NAN), multiplier);
    scale = pick(is_poisoned, all_u(CANONICAL_NAN), scale);
    tame &= is_tame(maximum, floats_of(multiplier));
    store_some_u(scales + i, scale, n);
    store_some_f(multipliers + i, floats_of(multiplier), n);
  }
  return all_lanes(tame, LANES);
}

static void two_level_scales(
    const BKTwoLevelScale *rule, const uint32_t *maxima, size_t count, uint8_t *codes) {
  Rounder r = make_rounder(&rule->scale);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n), over = 0;
    vi is_poisoned = maximum >= INFINITE;
    vu bits = bits_of(floats_of(maximum) * rule->factor);
    vu code = any_codes(&r, BK_NEAREST_EVEN, bits, bits == 0, is_poisoned, all_u(0), &over);
    code = max_u(code, all_u(rule->floor_code));
    code = pick(maximum == 0, all_u(rule->zero_code), code);
    code = pick(is_poisoned, all_u(rule->scale.nan), code);
    store_some_b(codes + i, narrow_b(code), n);
  }
}

static bool two_level_multipliers(
    const BKTwoLevelScale *rule, const uint32_t *maxima, size_t count, const uint8_t *codes,
    float *multipliers) {
  Decoder d = make_decoder(&rule->scale);
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vf scale = element_values(&d, widen_b(load_some_b(codes + i, n)));
    vf quotient = 1 / (scale * rule->tensor_reciprocal);
    vu multiplier = min_u(bits_of(quotient), all_u(INFINITE - 1));
    vi is_unusable = ~(scale > 0);
    multiplier = pick(is_unusable, all_u(CANONICAL_NAN), multiplier);
    tame &= is_tame(load_some_u(maxima + i, n), floats_of(multiplier)) | lanes_from(n);
    store_some_f(multipliers + i, floats_of(multiplier), n);
  }
  return all_lanes(tame, LANES);
}

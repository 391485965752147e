// Scales of blocks from their largest magnitudes, LANES blocks at a time.

// What stands for the exponent of zero: far below those of FP32 numbers, which begin at -149,
// whatever a rule adds, and far from where sums of exponents overflow.
#define ZERO_EXPONENT (-4096)

// The rule's exponents for magnitudes that are finite; far below every scale for zero.
INLINE vi shared_exponents(const BKSharedScale *rule, vu maxima) {
  vu product = maxima;
  if (rule->product != 1) product = bits_of(floats_of(maxima) * rule->product);
  vu normal = product;
  vi exponent = (vi)all_u((uint32_t)(rule->offset - 127));
  if (any_lane(product < 0x800000)) {
    // A subnormal magnitude gets a full significand.
    vi is_subnormal = product < 0x800000;
    normal = pick(is_subnormal, bits_of(floats_of(product) * 0x1p32f), product);
    exponent -= (vi)((vu)is_subnormal & 32);
  }
  exponent += (vi)(normal >> 23);
  if (rule->threshold[0] <= 0x7FFFFF) {
    vu fraction = normal & 0x7FFFFF;
    exponent -= (vi)(fraction >= rule->threshold[0]);
    exponent -= (vi)(fraction >= rule->threshold[1]);
  }
  if (rule->product != 1)
    exponent = (vi)pick(product == 0, all_u((uint32_t)rule->zero_exponent), (vu)exponent);
  return (vi)pick(maxima == 0, all_u((uint32_t)ZERO_EXPONENT), (vu)exponent);
}

// 2^exponent for exponents of -127 to 127; of -127 for those below.
INLINE vf high_powers_of_two(vi exponent) {
  return floats_of(max_u((vu)max_i(exponent + 127, (vi)all_u(0)) << 23, all_u(0x400000)));
}

// 2^exponent for exponents of -149 to 127.
INLINE vf powers_of_two(vi exponent) {
  if (!any_lane(exponent < -127)) return high_powers_of_two(exponent);
  vu subnormal = all_u(1) << ((vu)(exponent + 149) & 31);
  return floats_of(pick(exponent < -126, subnormal, (vu)(exponent + 127) << 23));
}

// The codes of the blocks that the units `index` and on lie in, for `spread` units a block.
INLINE vi spread_codes(const uint8_t *codes, size_t index, size_t spread, size_t count) {
  if (spread == 1) return (vi)widen_b(load_some_b(codes + index, count));
  if (is_power_of_two(spread) && count == LANES) {
    uint32_t shift = log_two(spread);
    if (spread >= LANES) return (vi)all_u(codes[index >> shift]);
    vu some = widen_b(load_some_b(codes + (index >> shift), LANES >> shift));
    return (vi)bits_of(permute(floats_of(some), lane_numbers() >> shift));
  }
  vu v = 0;
  for (size_t lane = 0; lane < count; lane++) v[lane] = codes[(index + lane) / spread];
  return (vi)v;
}

// LANES blocks: their codes and multipliers; whether they are tame.
INLINE vi shared_scales_at(
    const BKSharedScale *rule, vu maximum, int32_t exponent_step, vi *codes, vf *multipliers) {
  vi is_poisoned = maximum >= INFINITE;
  vi exponent = shared_exponents(rule, maximum);
  vi code = max_i(
      min_i(exponent + exponent_step + rule->bias, (vi)all_u(rule->greatest_code)),
      (vi)all_u(0));
  code = (vi)pick(maximum == 0, all_u(rule->zero_code), (vu)code);
  // Zeros need no multiplier, and the lowest scale's is not tame.
  vf multiplier = high_powers_of_two((vi)pick(maximum == 0, all_u(0), (vu)(rule->bias - code)));
  *codes = (vi)pick(is_poisoned, all_u(rule->nan_code), (vu)code);
  *multipliers = pick_f(is_poisoned, floats_of(all_u(CANONICAL_NAN)), multiplier);
  return is_tame(maximum, *multipliers, rule->tame_limit, rule->least_multiplier);
}

// Magnitudes from `first` on, `length` patterns of them, whose exponent fields and `to_code` are
// scale codes, where neither these nor the multipliers are clamped.
typedef struct { uint32_t first, length; int32_t to_code; } PlainMagnitudes;

INLINE PlainMagnitudes plain_magnitudes(const BKSharedScale *rule, int32_t exponent_step) {
  int32_t to_code = rule->offset - 127 + exponent_step + rule->bias;
  if (rule->product != 1 || rule->threshold[0] <= 0x7FFFFF) return (PlainMagnitudes){0, 0, to_code};
  int32_t low = rule->bias > 127 ? rule->bias - 127 : 0, high = rule->bias + 126;
  if (high > (int32_t)rule->greatest_code) high = (int32_t)rule->greatest_code;
  low = low - to_code > 1 ? low - to_code : 1;
  high = high - to_code < 254 ? high - to_code : 254;
  return low > high ? (PlainMagnitudes){0, 0, to_code}
                    : (PlainMagnitudes){
                        (uint32_t)low << 23, (uint32_t)(high - low + 1) << 23, to_code};
}

static bool shared_scales(
    const BKSharedScale *shared_rule, const uint32_t *maxima, size_t count, int32_t exponent_step,
    uint8_t *codes, float *multipliers) {
  // A copy of its own, which no store can change.
  const BKSharedScale own_rule = *shared_rule, *rule = &own_rule;
  const PlainMagnitudes plain = plain_magnitudes(rule, exponent_step);
  const uint32_t of_multiplier = (uint32_t)(rule->bias - plain.to_code + 127) << 23;
  vi tame = (vi)all_u(~0u), code;
  vf multiplier;
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    if (n == LANES) {
      vu maximum = load_u(maxima + i);
      if (!any_lane(maximum - plain.first >= plain.length)) {
        multiplier = floats_of(of_multiplier - (maximum & INFINITE));
        tame &= is_tame(maximum, multiplier, rule->tame_limit, rule->least_multiplier);
        store_b(codes + i, narrow_b((maximum >> 23) + (uint32_t)plain.to_code));
        store_f(multipliers + i, multiplier);
        continue;
      }
    }
    tame &= shared_scales_at(
        rule, load_some_u(maxima + i, n), exponent_step, &code, &multiplier);
    store_some_b(codes + i, narrow_b((vu)code), n);
    store_some_f(multipliers + i, multiplier, n);
  }
  return all_lanes(tame, LANES);
}

// The codes of the blocks of 4 * LANES sub-blocks, which have one or eight each.
INLINE vq block_codes_at(const uint8_t *codes, size_t index, size_t spread) {
  vq some = 0;
  if (spread == 1) {
    memcpy(&some, codes + index, sizeof some);
    return some;
  }
  memcpy(&some, codes + index / 8, LANES / 2);
  return __builtin_shufflevector(some, some, EIGHTFOLD);
}

// The powers of two with given exponent fields.
INLINE void store_fields(float *values, vq fields) {
  uint8_t bytes[4 * LANES];
  memcpy(bytes, &fields, sizeof bytes);
  for (int j = 0; j < 4; j++)
    store_f(values + j * LANES, floats_of(widen_b(load_b(bytes + j * LANES)) << 23));
}

// LANES sub-blocks: their sub-scales, multipliers and tameness.
INLINE vi subscales_at(
    const BKSharedScale *rule, vu maximum, vi block, vi *lowering, vf *multiplier) {
  vi is_poisoned = block == (vi)all_u(rule->nan_code);
  vi own = shared_exponents(rule, min_u(maximum, all_u(INFINITE - 1)));
  vi low = min_i(
      max_i(block - rule->bias - own, (vi)all_u(0)), (vi)all_u(rule->greatest_subscale));
  vi exponent = low - block + rule->bias;
  // Zeros take any multiplier: the one of `plain_subscales`, where it is tame.
  exponent = (vi)pick(maximum == 0, (vu)min_i(exponent, (vi)all_u(95)), (vu)exponent);
  vf m = high_powers_of_two(min_i(exponent, (vi)all_u(127)));
  *lowering = (vi)pick(is_poisoned, all_u(0), (vu)low);
  *multiplier = pick_f(is_poisoned, floats_of(all_u(CANONICAL_NAN)), m);
  return is_tame(maximum, *multiplier, rule->tame_limit, rule->least_multiplier)
         & (exponent <= 127);
}

// The same for 4 * LANES sub-blocks in bytes: a block's exponent field less the sub-block's own, at
// most the greatest sub-scale. Fields of zero, and of subnormal magnitudes, are low enough for the
// greatest. `field` is the exponent field of a magnitude over its scale code.
INLINE void plain_subscales(
    const BKSharedScale *rule, const uint32_t *maxima, vq blocks, uint8_t field, uint8_t *codes,
    float *multipliers) {
  vu own[4];
  for (int j = 0; j < 4; j++) own[j] = load_u(maxima + j * LANES) >> 23;
  vq fields = ordered_bytes(
      paired_low_words(own[0], own[1]), paired_low_words(own[2], own[3]));
  vq lowering = __builtin_elementwise_min(
      __builtin_elementwise_sub_sat(blocks + field, fields), (vq)(uint8_t)rule->greatest_subscale);
  memcpy(codes, &lowering, sizeof lowering);
  store_fields(multipliers, (uint8_t)(127 + rule->bias) - blocks + lowering);
}

// Whether the scale codes of blocks lie where nothing is clamped, every power of two is a normal
// number and no value infinite.
INLINE bool are_plain_blocks(const BKSharedScale *rule, vq codes) {
  uint32_t lowest = (uint32_t)(rule->bias - 95) + rule->greatest_subscale;
  return __builtin_reduce_min(codes) >= lowest
         && __builtin_reduce_max(codes) < rule->plain_end;
}

INLINE bool shared_subscales_of(
    const BKSharedScale *shared_rule, const uint32_t *maxima, size_t count, size_t spread,
    const uint8_t *block_codes, uint8_t *codes, float *multipliers) {
  // A copy of its own, which no store can change.
  const BKSharedScale own_rule = *shared_rule, *rule = &own_rule;
  bool is_floor = rule->product == 1 && rule->threshold[0] > 0x7FFFFF && rule->bias > 95;
  int32_t field = 127 - rule->bias - rule->offset;
  vi tame = (vi)all_u(~0u), lowering;
  vf multiplier;
  size_t i = 0;
  if ((spread == 1 || spread == 8) && is_floor && rule->is_unstepped && field >= 0 && field < 128) {
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
      vq blocks = block_codes_at(block_codes, i, spread);
      if (!are_plain_blocks(rule, blocks)) break;
      plain_subscales(rule, maxima + i, blocks, (uint8_t)field, codes + i, multipliers + i);
    }
  }
  for (; i + LANES <= count; i += LANES) {
    vi block = spread_codes(block_codes, i, spread, LANES);
    tame &= subscales_at(rule, load_u(maxima + i), block, &lowering, &multiplier);
    store_b(codes + i, narrow_b((vu)lowering));
    store_f(multipliers + i, multiplier);
  }
  if (i < count) {
    size_t n = count - i;
    vi block = spread_codes(block_codes, i, spread, n);
    tame &= subscales_at(rule, load_some_u(maxima + i, n), block, &lowering, &multiplier)
            | lanes_from(n);
    store_some_b(codes + i, narrow_b((vu)lowering), n);
    store_some_f(multipliers + i, multiplier, n);
  }
  return all_lanes(tame, LANES);
}

static bool shared_subscales(
    const BKSharedScale *rule, const uint32_t *maxima, size_t count, size_t spread,
    const uint8_t *block_codes, uint8_t *codes, float *multipliers) {
  if (spread == 1)
    return shared_subscales_of(rule, maxima, count, 1, block_codes, codes, multipliers);
  if (spread == 8)
    return shared_subscales_of(rule, maxima, count, 8, block_codes, codes, multipliers);
  return shared_subscales_of(rule, maxima, count, spread, block_codes, codes, multipliers);
}

// Whether blocks of 16 with sub-blocks of pairs, lowered by one at most, may go the quick way.
INLINE bool has_plain_pairs(const BKSharedScale *rule, size_t block, size_t unit) {
  return block == 16 && unit == 2 && rule->greatest_subscale == 1 && rule->product == 1
         && rule->threshold[0] > 0x7FFFFF && rule->bias > 95 && rule->is_unstepped;
}

// Scales, sub-scales and multipliers of whole sets of LANES such blocks, as long as no scale is
// clamped and every power of two is a normal number; how many values are done. All are tame.
//
// A sub-block is lowered where it stays below the power of two that its block reaches.
INLINE size_t plain_pair_scales(
    const BKSharedScale *shared_rule, const float *values, size_t count, uint8_t *codes,
    uint8_t *subscales, float *multipliers) {
  // A copy of its own, which no store can change.
  const BKSharedScale own_rule = *shared_rule, *rule = &own_rule;
  const size_t each = 16 / LANES;  // vectors of a block
  const uint32_t lowest = (uint32_t)(rule->bias - 95) + 1;
  const int32_t to_code = rule->offset - 127 + rule->bias;
  const uint32_t one = 1u << 23, to_multiplier = (uint32_t)(254 - rule->offset) << 23;
  size_t i = 0;
  for (; i + 16 * LANES <= count; i += 16 * LANES) {
    vu blocks[LANES], pairs[8];
#pragma clang loop unroll(full)
    for (size_t b = 0; b < LANES; b++) {
      vu v[4];
      for (size_t j = 0; j < each; j++) v[j] = magnitude_at(values + i + 16 * b + j * LANES);
      blocks[b] = v[0];
      for (size_t j = 1; j < each; j++) blocks[b] = max_u(blocks[b], v[j]);
      for (size_t j = 0; j + 1 < each; j += 2)
        pairs[(b * each + j) / 2] = fold_pairs(v[j], v[j + 1]);
      if (each == 1 && b % 2 == 1) pairs[b / 2] = fold_pairs(blocks[b - 1], v[0]);
    }
    vu binade = fold_vectors(blocks) & INFINITE;
    vu code = (vu)((vi)(binade >> 23) + to_code);
    if (any_lane(code - lowest >= rule->plain_end - lowest)) break;
    store_b(codes + i / 16, narrow_b(code));
#pragma clang loop unroll(full)
    for (size_t p = 0; p < 8; p++) {
      // The blocks of the lanes of two vectors, whose halves may have one each.
      vu lanes = ((uint32_t)(2 * p) + (each == 1 ? lane_numbers() >> log_two(LANES / 2) : all_u(0)))
                 / (uint32_t)each;
      vu own = ordered_pairs(pairs[p]), block = bits_of(permute(floats_of(binade), lanes));
      vi is_lowered = own < block;
      store_u((uint32_t *)multipliers + i / 2 + p * LANES,
              to_multiplier - block + ((vu)is_lowered & one));
      store_b(subscales + i / 2 + p * LANES, narrow_b((vu)is_lowered & 1));
    }
  }
  return i;
}

INLINE vf shared_values_at(const BKSharedScale *rule, vi block, vi subscales) {
  vf value = powers_of_two(block - rule->bias - subscales);
  return pick_f(block == (vi)all_u(rule->nan_code), floats_of(all_u(CANONICAL_NAN)), value);
}

INLINE void shared_values_of(
    const BKSharedScale *shared_rule, const uint8_t *block_codes, const uint8_t *subscales,
    size_t count, size_t spread, float *values) {
  // A copy of its own, which no store can change.
  const BKSharedScale own_rule = *shared_rule, *rule = &own_rule;
  size_t i = 0;
  if (spread == 1 && !subscales && rule->bias == 127 && rule->nan_code == 255) {
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
      vq blocks;
      memcpy(&blocks, block_codes + i, sizeof blocks);
      // Codes are the fields of normal numbers but for the first and the last one.
      if (__builtin_reduce_or((vq)(blocks - 1 >= 254)) != 0) break;
      store_fields(values + i, blocks);
    }
  }
  if ((spread == 1 || spread == 8) && subscales && rule->bias > 95) {
    for (; i + 4 * LANES <= count; i += 4 * LANES) {
      vq blocks = block_codes_at(block_codes, i, spread), lowering;
      if (!are_plain_blocks(rule, blocks)) break;
      memcpy(&lowering, subscales + i, sizeof lowering);
      store_fields(values + i, blocks + (uint8_t)(127 - rule->bias) - lowering);
    }
  }
  for (; i + LANES <= count; i += LANES) {
    vi block = spread_codes(block_codes, i, spread, LANES);
    vi lowering = subscales ? (vi)widen_b(load_b(subscales + i)) : (vi)all_u(0);
    store_f(values + i, shared_values_at(rule, block, lowering));
  }
  if (i < count) {
    size_t n = count - i;
    vi block = spread_codes(block_codes, i, spread, n);
    vi lowering = subscales ? (vi)widen_b(load_some_b(subscales + i, n)) : (vi)all_u(0);
    store_some_f(values + i, shared_values_at(rule, block, lowering), n);
  }
}

static void shared_values(
    const BKSharedScale *rule, const uint8_t *block_codes, const uint8_t *subscales, size_t count,
    size_t spread, float *values) {
  switch (spread) {
    case 1: shared_values_of(rule, block_codes, subscales, count, 1, values); return;
    case 8: shared_values_of(rule, block_codes, subscales, count, 8, values); return;
    default: shared_values_of(rule, block_codes, subscales, count, spread, values); return;
  }
}

INLINE bool float_scales_by(
    const BKFloatScale *rule, bool has_unit, const uint32_t *maxima, size_t count,
    uint32_t *scales, float *multipliers) {
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n), scale, quotient;
    vi is_poisoned = maximum >= INFINITE;
    if (has_unit) {
      // Patterns of magnitudes have the order of their values.
      scale = min_u(bits_of(floats_of(maximum) / rule->unit), all_u(INFINITE - 1));
      quotient = bits_of(all_f(1) / floats_of(max_u(scale, bits_of(all_f(rule->least)))));
    } else {
      quotient = bits_of(all_f(rule->greatest) / floats_of(maximum));
    }
    vu multiplier = pick(maximum == 0, bits_of(all_f(1)), min_u(quotient, all_u(INFINITE - 1)));
    if (rule->is_power_of_two) multiplier = max_u(multiplier & INFINITE, all_u(0x400000));
    if (!has_unit) scale = min_u(bits_of(all_f(1) / floats_of(multiplier)), all_u(INFINITE - 1));
    multiplier = pick(is_poisoned, all_u(CANONICAL_NAN), multiplier);
    scale = pick(is_poisoned, all_u(CANONICAL_NAN), scale);
    tame &= is_tame(maximum, floats_of(multiplier), rule->tame_limit, rule->least_multiplier);
    store_some_u(scales + i, scale, n);
    store_some_f(multipliers + i, floats_of(multiplier), n);
  }
  return all_lanes(tame, LANES);
}

static bool float_scales(
    const BKFloatScale *shared_rule, const uint32_t *maxima, size_t count, uint32_t *scales,
    float *multipliers) {
  // A copy of its own, which no store can change.
  const BKFloatScale rule = *shared_rule;
  return rule.unit != 0 ? float_scales_by(&rule, true, maxima, count, scales, multipliers)
                        : float_scales_by(&rule, false, maxima, count, scales, multipliers);
}

static void two_level_scales(
    const BKTwoLevelScale *shared_rule, const uint32_t *maxima, size_t count, uint8_t *codes) {
  // A copy of its own, which no store can change.
  const BKTwoLevelScale own_rule = *shared_rule, *rule = &own_rule;
  Rounder r = make_rounder(&rule->scale);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu maximum = load_some_u(maxima + i, n);
    vi is_poisoned = maximum >= INFINITE;
    // Whatever is too large for the scale stays too large, and everything else is tame.
    vu bits = min_u(
        bits_of(floats_of(maximum) * rule->factor), bits_of(all_f(rule->scale.tame_limit)));
    vu sum = nearest_sums(&r, floats_of(bits));
    vu binade = max_u(bits & INFINITE, all_u(r.lowest_bits));
    vu code = (sum & 0x7FFFFF) + (binade >> r.field_shift) - r.lowest_code;
    code = min_u(code, all_u(rule->scale.greatest));
    code = max_u(code, all_u(rule->floor_code));
    code = pick(maximum == 0, all_u(rule->zero_code), code);
    if (any_lane(is_poisoned)) code = pick(is_poisoned, all_u(rule->scale.nan), code);
    store_some_b(codes + i, narrow_b(code), n);
  }
}

// `unusable` is the multiplier of scales of zero; that of NaN is NaN. NaN is not tame.
INLINE bool two_level_multipliers_or(
    const BKTwoLevelScale *shared_rule, const uint32_t *maxima, size_t count,
    const uint8_t *codes, float unusable, float *multipliers) {
  // A copy of its own, which no store can change.
  const BKTwoLevelScale own_rule = *shared_rule, *rule = &own_rule;
  Decoder d = make_decoder(&rule->scale);
  vi tame = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vu code = widen_b(load_some_b(codes + i, n));
    vf scale;
    if (rule->scale.kind == BK_INTEGER) {
      scale = __builtin_convertvector((vi)code, vf) * rule->scale.unit;
    } else {
      scale = floats_of(code << d.field_shift) * rule->scale.unit;
    }
    vf quotient = 1 / (scale * rule->tensor_reciprocal);
    vu multiplier = min_u(bits_of(quotient), all_u(INFINITE - 1));
    multiplier = pick(code == 0, bits_of(all_f(unusable)), multiplier);
    // Codes above the largest value are NaN, or below zero, which no block has.
    multiplier = pick(code > rule->scale.greatest, all_u(CANONICAL_NAN), multiplier);
    tame &= is_tame(
                load_some_u(maxima + i, n), floats_of(multiplier), rule->tame_limit,
                rule->least_multiplier)
            | lanes_from(n);
    store_some_f(multipliers + i, floats_of(multiplier), n);
  }
  return all_lanes(tame, LANES);
}

static bool two_level_multipliers(
    const BKTwoLevelScale *rule, const uint32_t *maxima, size_t count, const uint8_t *codes,
    float *multipliers) {
  return two_level_multipliers_or(rule, maxima, count, codes, __builtin_nanf(""), multipliers);
}

// Blocks with a scale, a bit for each eight values and one for each four, which double.
//
// Magnitudes meet limits that the caller finds by the definition, and products keep what rounding
// would take from them as far as codes can tell: no decision rests on a rounded product.

#define DOUBLED_FOURS (BK_DOUBLED_BLOCK / 4)

// The most blocks of a part that is encoded, and of one that is decoded.
#define ENCODED_BLOCKS (ENCODED_PART / BK_DOUBLED_BLOCK)
#define DECODED_BLOCKS (PART / BK_DOUBLED_BLOCK)
_Static_assert(ENCODED_BLOCKS % LANES == 0, "the blocks of a part fill vectors");

// One of four numbers for each lane.
INLINE vu one_of_four(const uint32_t *numbers, vu places) {
  return bits_of(permute(floats_of(load_some_u(numbers, 4)), places));
}

INLINE vu neighbours(vu v) { return bits_of(permute(floats_of(v), lane_numbers() ^ 1)); }

// Scales of LANES blocks; for each the least magnitude that doubles eight values, and the patterns
// of the multiplier and of the scale where nothing doubles.
typedef struct { vu code, limit, multiplier, scale; } DoubledScales;

INLINE DoubledScales doubled_scales(const BKDoublings *rule, vu maximum) {
  vu fraction = maximum & 0x7FFFFF;
  vi code = (vi)(maximum >> 23 << 2) + rule->offset;
  for (int step = 0; step < 4; step++) code -= (vi)(fraction >= rule->steps[step]);
  code = min_i(max_i(code, (vi)all_u(0)), (vi)all_u(rule->greatest_code));
  vu place = (vu)code & 3, exponent = (vu)code >> 2 << 23;
  return (DoubledScales){
      (vu)code, one_of_four(rule->limits, place) + exponent,
      one_of_four(rule->multipliers, place) - exponent, rule->least_scale + ((vu)code << 21)};
}

// What doubles where one exponent goes up, and where two do.
#define DOUBLED (1u << 23)

// Whether fours double, whose eights reach a limit or not.
INLINE vu doubled_fours(vu maxima, vu is_eight, vu limit) {
  return (vu)(maxima >= limit - (DOUBLED & ~is_eight));
}

// What blocks of a part store, bits as bytes of 0 and 1, with multipliers and scales of their
// fours. The bits of eights lie behind those of fours.
//
// Returns how many values lie in front of the first block that is not usual.
INLINE size_t find_doublings(
    const BKDoublings *rule, const float *values, size_t count, Part *p) {
  size_t blocks = (count + BK_DOUBLED_BLOCK - 1) / BK_DOUBLED_BLOCK, usual = blocks;
  uint32_t limits[ENCODED_BLOCKS], multipliers[ENCODED_BLOCKS], scales[ENCODED_BLOCKS];
  row_magnitudes_of(values, count, 4, p->maxima);
  for (size_t four = (count + 3) / 4; four < ENCODED_BLOCKS * DOUBLED_FOURS; four++)
    p->maxima[four] = 0;
  row_magnitudes_of(
      (const float *)p->maxima, ENCODED_BLOCKS * DOUBLED_FOURS, DOUBLED_FOURS, p->block_maxima);
  for (size_t b = 0; b < ENCODED_BLOCKS; b += LANES) {
    vu maximum = load_u(p->block_maxima + b);
    DoubledScales found = doubled_scales(rule, maximum);
    store_u(limits + b, found.limit);
    store_u(multipliers + b, found.multiplier);
    store_u(scales + b, found.scale);
    store_b(p->scales + b, narrow_b(found.code));
    vi is_unusual_block = maximum >= rule->reach;
    if (!any_lane(is_unusual_block)) continue;
    for (size_t lane = 0; lane < LANES; lane++)
      if (is_unusual_block[lane] && b + lane < usual) usual = b + lane;
  }
  uint8_t *fours = p->subscales, *eights = p->subscales + PART / 2;
  for (size_t i = 0; i < usual * DOUBLED_FOURS; i += 2 * LANES) {
    vu eight[2];
    for (size_t half = 0; half < 2; half++) {
      size_t at = i + half * LANES, block = at / DOUBLED_FOURS;
      vu own = load_u(p->maxima + at), limit = all_u(limits[block]);
      vu is_eight = (vu)(max_u(own, neighbours(own)) >= limit);
      vu is_four = doubled_fours(own, is_eight, limit);
      vu power = (is_eight & DOUBLED) + (is_four & DOUBLED);
      store_u(p->multipliers + at, multipliers[block] - power);
      store_u(p->scale_values + at, scales[block] + power);
      store_b(fours + at, narrow_b(is_four & 1));
      eight[half] = is_eight & 1;
    }
    store_b(eights + i / 2, narrow_b(even_lanes(eight[0], eight[1])));
  }
  return usual == blocks ? count : usual * BK_DOUBLED_BLOCK;
}

// Products of magnitudes, cut off toward zero. What a rounded product of numbers of 24 and of eight
// bits lacks is an FP32 number, unless it is far below every element; where it is below zero, the
// product was rounded up.
INLINE vu truncated_products(vf magnitude, vf multiplier, vu *is_inexact) {
  vf product = magnitude * multiplier, rest = fma_f(magnitude, multiplier, -product);
  *is_inexact = (vu)(rest != 0);
  return bits_of(product) + (vu)((vi)bits_of(rest) >> 31);
}

// Codes of 4 * LANES usual values. To nearest, ties away, multipliers count in halves of a spacing:
// as many whole ones as there are, and one more, make one code for every two. To even, they count
// in spacings. Of what was cut off, the last bit of a product tells a rounding enough.
INLINE vq doubled_codes(
    const Rounder *r, BKRounding rounding, const vf *values, const vf *multipliers,
    OverflowCount *over) {
  vu whole[4], is_inexact;
  for (int j = 0; j < 4; j++) {
    vf magnitude = floats_of(bits_of(values[j]) & MAGNITUDE);
    vu product = truncated_products(magnitude, multipliers[j], &is_inexact);
    if (rounding == BK_NEAREST_AWAY) {
      whole[j] = (vu)__builtin_convertvector(floats_of(product), vi);
      continue;
    }
    product |= is_inexact & 1;
    if (rounding == BK_NEAREST_EVEN) {
      whole[j] = round_to_integers(floats_of(product));
    } else {
      product |= bits_of(values[j]) & SIGN;
      vu code = any_magnitudes(r, rounding, values[j], floats_of(product), all_u(0));
      whole[j] = min_u(code, all_u(255));
    }
  }
  vq magnitudes_of_codes = magnitude_bytes(whole);
  if (rounding == BK_NEAREST_AWAY) magnitudes_of_codes = (magnitudes_of_codes + 1) >> 1;
  vq codes = finish_bytes(r, magnitudes_of_codes, sign_bytes(values), false, over);
  if (!r->e.has_negative_zero) codes &= ~(vq)(codes == (uint8_t)r->sign_bit);
  return ordered_quad(codes);
}

INLINE size_t encode_doubled_by(
    const BKElement *element, BKRounding rounding, const float *values, size_t count,
    const float *multipliers, size_t unit, uint8_t *codes) {
  Rounder r = make_rounder(element);
  float factor = rounding == BK_NEAREST_AWAY   ? 2 * element->spacings_of_one
                 : rounding == BK_NEAREST_EVEN ? element->spacings_of_one
                                               : 1;
  GroupFit fit = unit < LANES ? GROUP_PARTS : GROUP_WHOLE;
  vu lanes = group_lanes(fit, unit);
  OverflowCount over = {0, 0, 0, 0};
  vf x[4], m[4];
  size_t i = 0;
  for (; i + QUAD <= count; i += QUAD) {
    quad_values(fit, multipliers, i, unit, lanes, factor, m);
    for (size_t j = 0; j < 4; j++) {
      const float *at = values + i + j * LANES;
      if (j * LANES % 16 == 0) PREFETCH((const char *)at + FETCH_DISTANCE);
      x[j] = load_f(at);
    }
    vq quad = doubled_codes(&r, rounding, x, m, &over);
    memcpy(codes + i, &quad, sizeof quad);
    if (++over.steps == 0xFF) flush_overflows(&over);
  }
  if (i < count) {
    float rest[QUAD] = {0}, scale[QUAD];
    for (size_t lane = 0; lane < QUAD; lane++) {
      size_t at = i + lane < count ? i + lane : count - 1;
      scale[lane] = factor * multipliers[at / unit];
    }
    memcpy(rest, (const char *)(values + i), (count - i) * sizeof(float));
    for (int j = 0; j < 4; j++) {
      x[j] = load_f(rest + j * LANES);
      m[j] = load_f(scale + j * LANES);
    }
    vq quad = doubled_codes(&r, rounding, x, m, &over);
    memcpy(codes + i, &quad, count - i);
  }
  flush_overflows(&over);
  return over.total;
}

// One instance for each usual rounding and place of blocks; the others decide in the loop.
#define DOUBLED_ENCODER(name, rounding, unit)                                                 \
  static NOINLINE size_t name(                                                                \
      const BKElement *e, const float *x, size_t n, const float *multipliers, uint8_t *codes) { \
    return encode_doubled_by(e, rounding, x, n, multipliers, unit, codes);                    \
  }
DOUBLED_ENCODER(encode_away_by_fours, BK_NEAREST_AWAY, 4)
DOUBLED_ENCODER(encode_even_by_fours, BK_NEAREST_EVEN, 4)
DOUBLED_ENCODER(encode_any_by_fours, e->rounding, 4)
DOUBLED_ENCODER(encode_away_by_ones, BK_NEAREST_AWAY, 1)
DOUBLED_ENCODER(encode_even_by_ones, BK_NEAREST_EVEN, 1)
DOUBLED_ENCODER(encode_any_by_ones, e->rounding, 1)

static size_t encode_by_fours(
    const BKElement *e, const float *x, size_t n, const float *multipliers, uint8_t *codes) {
  switch (e->rounding) {
    case BK_NEAREST_AWAY: return encode_away_by_fours(e, x, n, multipliers, codes);
    case BK_NEAREST_EVEN: return encode_even_by_fours(e, x, n, multipliers, codes);
    default: return encode_any_by_fours(e, x, n, multipliers, codes);
  }
}

// The same with scales for each four values, all of them normal numbers.
static NOINLINE void decode_by_fours(
    const BKElement *e, const uint8_t *codes, size_t count, const float *scales, bool streams,
    float *values) {
  const GroupFit fit = LANES > 4 ? GROUP_PARTS : GROUP_WHOLE;
  if (e->width > 4) {
    decode_to(e, BK_SCALE_BLOCK, codes, count, scales, 4, 1, streams, values);
  } else if (streams) {
    decode_codes(
        e, DECODE_TABLE, BK_SCALE_BLOCK, codes, count, scales, NULL, fit, 4, 1, true, values);
  } else {
    decode_codes(
        e, DECODE_TABLE, BK_SCALE_BLOCK, codes, count, scales, NULL, fit, 4, 1, false, values);
  }
}

// Codes of the usual values in front of a part; how many these are.
INLINE size_t encode_doubled_part(
    const BKElement *e, const BKDoublings *rule, const float *values, size_t count, Part *p,
    size_t *overflows) {
  size_t usual = find_doublings(rule, values, count, p);
  *overflows += encode_by_fours(e, values, usual, p->multipliers, p->codes);
  return usual;
}

static size_t encode_doubled(
    const BKElement *e, const BKDoublings *shared_rule, const float *values, size_t count,
    uint8_t *codes, uint8_t *scales, uint8_t *eights, uint8_t *fours, size_t *overflows,
    void *workspace) {
  // A copy of its own, which no store can change.
  const BKDoublings rule = *shared_rule;
  Part *p = workspace;
  size_t done = 0;
  while (done < count) {
    size_t n = count - done < ENCODED_PART ? count - done : ENCODED_PART;
    uint8_t *bytes = codes + done * e->width / 8;
    claim_next(bytes, n * e->width / 8);
    size_t usual = encode_doubled_part(e, &rule, values + done, n, p, overflows);
    size_t block = done / BK_DOUBLED_BLOCK;
    pack(p->codes, usual, e->width, bytes);
    memcpy(scales + block, p->scales, (usual + BK_DOUBLED_BLOCK - 1) / BK_DOUBLED_BLOCK);
    pack(p->subscales, (usual + 3) / 4, 1, fours + 2 * block);
    pack(p->subscales + PART / 2, (usual + 7) / 8, 1, eights + block);
    done += usual;
    if (usual < n) break;
  }
  return done;
}

static size_t quantize_doubled(
    const BKElement *e, const BKDoublings *shared_rule, const float *values, size_t count,
    float *result, bool streams, uint8_t *inexact, size_t *overflows, void *workspace) {
  const BKDoublings rule = *shared_rule;
  Part *p = workspace;
  Streamer streamer = {result, 0};
  streams = streams && (uintptr_t)result % sizeof(float) == 0;
  size_t done = 0;
  while (done < count) {
    size_t n = count - done < ENCODED_PART ? count - done : ENCODED_PART;
    size_t usual = encode_doubled_part(e, &rule, values + done, n, p, overflows);
    if (usual > 0) {
      float *target = streams ? p->decoded + streamer.waiting : result + done;
      decode_by_fours(e, p->codes, usual, p->scale_values, false, target);
      if (inexact)
        mark_inexact(
            values + done, target, usual, BK_DOUBLED_BLOCK, inexact + done / BK_DOUBLED_BLOCK);
      if (streams) stream_part(&streamer, p->decoded, usual, false);
    }
    done += usual;
    if (usual < n) break;
  }
  if (streams) stream_part(&streamer, p->decoded, 0, true);
  return done;
}

// The scales of the fours of some blocks; whether they are numbers.
INLINE bool doubled_values(
    const BKDoublings *rule, const uint8_t *scales, const uint8_t *eights, const uint8_t *fours,
    size_t count, float *values) {
  size_t last = (count + 7) / 8;  // bytes of fours
  bool is_finite = true;
  for (size_t block = 0; block * DOUBLED_FOURS < count; block++) {
    uint32_t code = scales[block], bits = fours[2 * block];
    if (2 * block + 1 < last) bits |= (uint32_t)fours[2 * block + 1] << 8;
    bool is_nan = code == rule->nan_code;
    is_finite &= !is_nan;
    // The bits of a NaN say nothing.
    vu scale = all_u(is_nan ? CANONICAL_NAN : rule->least_scale + (code << 21));
    vu eight = all_u(is_nan ? 0 : eights[block]), four = all_u(is_nan ? 0 : bits);
    UNROLLED
    for (uint32_t i = 0; i < DOUBLED_FOURS; i += LANES) {
      vu lane = lane_numbers() + i;
      vu power = (four << (23 - lane) & DOUBLED) + (eight << (23 - (lane >> 1)) & DOUBLED);
      store_u(values + block * DOUBLED_FOURS + i, scale + power);
    }
  }
  return is_finite;
}

static void decode_doubled(
    const BKElement *e, const BKDoublings *shared_rule, const uint8_t *codes,
    const uint8_t *scales, const uint8_t *eights, const uint8_t *fours, size_t count,
    float *result, bool streams, void *workspace) {
  const BKDoublings rule = *shared_rule;
  Part *p = workspace;
  Streamer streamer = {result, 0};
  streams = streams && (uintptr_t)result % sizeof(float) == 0;
  bool is_buffered = streams && (uintptr_t)result % sizeof(vf) != 0;
  for (size_t done = 0; done < count; done += PART) {
    size_t n = count - done < PART ? count - done : PART, block = done / BK_DOUBLED_BLOCK;
    const uint8_t *bytes = codes + done * e->width / 8;
    // Codes are few bytes for many values, too slow a stream for processors to run ahead of it.
    size_t length = n * e->width / 8;
    for (size_t line = 0; line < length; line += 64)
      PREFETCH((const char *)bytes + 2 * length + line);
    unpack(bytes, n, e->width, p->codes);
    bool is_finite = doubled_values(
        &rule, scales + block, eights + block, fours + 2 * block, (n + 3) / 4, p->scale_values);
    float *target = is_buffered ? p->decoded + streamer.waiting : result + done;
    if (is_finite) {
      decode_by_fours(e, p->codes, n, p->scale_values, streams && !is_buffered, target);
    } else {
      decode_to(
          e, BK_SCALE_BLOCK, p->codes, n, p->scale_values, 4, 1, streams && !is_buffered,
          target);
    }
    if (is_buffered) stream_part(&streamer, p->decoded, n, done + n == count);
  }
  if (streams && !is_buffered) STORE_FENCE();
}

// Columns with a block each, whose fours are rows.

static bool double_columns(
    const BKDoublings *shared_rule, const uint32_t *maxima, size_t rows, size_t count,
    uint8_t *scales, uint8_t *eights, uint8_t *fours, float *multipliers, float *values,
    uint8_t *unusual) {
  const BKDoublings rule = *shared_rule;
  vi any_unusual = (vi)all_u(0);
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i;
    vu maximum = all_u(0);
    for (size_t row = 0; row < rows; row++)
      maximum = max_u(maximum, load_some_u(maxima + row * count + i, n));
    DoubledScales found = doubled_scales(&rule, maximum);
    vi is_unusual_block = maximum >= rule.reach;
    any_unusual |= is_unusual_block;
    store_some_b(scales + i, narrow_b(found.code), n);
    store_some_b(unusual + i, narrow_b((vu)is_unusual_block & 1), n);
    for (size_t row = 0; row < rows; row += 2) {
      vu own[2] = {load_some_u(maxima + row * count + i, n), all_u(0)};
      if (row + 1 < rows) own[1] = load_some_u(maxima + (row + 1) * count + i, n);
      vu is_eight = (vu)(max_u(own[0], own[1]) >= found.limit);
      store_some_b(eights + row / 2 * count + i, narrow_b(is_eight & 1), n);
      for (size_t half = 0; half < 2 && row + half < rows; half++) {
        size_t at = (row + half) * count + i;
        vu is_four = doubled_fours(own[half], is_eight, found.limit);
        vu power = (is_eight & DOUBLED) + (is_four & DOUBLED);
        store_some_b(fours + at, narrow_b(is_four & 1), n);
        store_some_f(multipliers + at, floats_of(found.multiplier - power), n);
        store_some_f(values + at, floats_of(found.scale + power), n);
      }
    }
  }
  return !any_lane(any_unusual);
}

static size_t encode_doubled_columns(
    const BKElement *e, const float *values, size_t count, const float *multipliers,
    uint8_t *codes) {
  switch (e->rounding) {
    case BK_NEAREST_AWAY: return encode_away_by_ones(e, values, count, multipliers, codes);
    case BK_NEAREST_EVEN: return encode_even_by_ones(e, values, count, multipliers, codes);
    default: return encode_any_by_ones(e, values, count, multipliers, codes);
  }
}

static void doubled_column_values(
    const BKDoublings *shared_rule, const uint8_t *scales, const uint8_t *eights,
    const uint8_t *fours, size_t rows, size_t count, float *values) {
  const BKDoublings rule = *shared_rule;
  for (size_t row = 0; row < rows; row++) {
    const uint8_t *eight = eights + row / 2 * count, *four = fours + row * count;
    for (size_t i = 0; i < count; i += LANES) {
      size_t n = count - i;
      vu code = widen_b(load_some_b(scales + i, n));
      vu power = widen_b(load_some_b(eight + i, n)) + widen_b(load_some_b(four + i, n));
      vu value = rule.least_scale + (code << 21) + (power << 23);
      value = pick(code == rule.nan_code, all_u(CANONICAL_NAN), value);
      store_some_f(values + row * count + i, floats_of(value), n);
    }
  }
}

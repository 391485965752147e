// Whole blocks to codes, where scales follow from more than a largest magnitude.
//
// A group of LANES blocks is worked on at once: its least and largest values, a lane each; the
// numbers that it stores; its codes.

// How codes follow from a value and the numbers of its block.
typedef enum {
  // (x - shift) / factor, rounded by the element.
  CODED_QUOTIENTS,
  // The whole part of x * factor + shift.
  CODED_SUMS,
  // The whole part of (x - shift) * factor + 1/2.
  CODED_DIFFERENCES,
  // x * factor, an integer in two's complement: rounded to nearest, ties to even or away, which
  // leads nowhere beyond the greatest, or by the element.
  CODED_NEAREST_EVEN,
  CODED_NEAREST_AWAY,
  CODED_INTEGERS,
  // x * factor, by a table's thresholds.
  CODED_TABLE,
} CodedWay;

// The codes of a vector of values; of a table, their places in it.
INLINE vu coded_at(
    const Rounder *r, CodedWay way, BKRounding rounding, vf value, vf shift, vf factor,
    vu random, vu *over) {
  vu greatest = all_u(r->e.greatest), code;
  vi is_negative = 0;
  switch (way) {
    case CODED_QUOTIENTS: {
      vf quotient = (value - shift) / factor;
      quotient = pick_f(quotient > 0, quotient, all_f(0));
      code = rounding == BK_NEAREST_EVEN ? round_to_integers(quotient)
                                         : any_magnitudes(r, rounding, value, quotient, random);
      break;
    }
    // Sums are far from where integers end, and not below zero.
    case CODED_SUMS: code = (vu)__builtin_convertvector(value * factor + shift, vi); break;
    case CODED_DIFFERENCES:
      code = (vu)__builtin_convertvector((value - shift) * factor + 0.5f, vi);
      break;
    case CODED_NEAREST_EVEN: return round_to_integers(value * factor);
    case CODED_NEAREST_AWAY: return round_away_from_zero(value * factor);
    case CODED_INTEGERS: {
      vf product = value * factor;
      is_negative = (vi)bits_of(product) >> 31;
      code = any_magnitudes(r, rounding, value, product, random);
      break;
    }
    case CODED_TABLE: {
      vi keys = ordered_keys(bits_of(value * factor));
      *over -= (vu)((keys < r->e.least_key) | (keys > r->e.greatest_key));
      return table_places(r, keys) & 15;
    }
  }
  *over -= (vu)(code > greatest);
  code = min_u(code, greatest);
  return ((code ^ (vu)is_negative) - (vu)is_negative) & r->width_mask;
}

// The same of four vectors.
INLINE vq coded_quad(const Rounder *r, CodedWay way, const vu *codes) {
  if (way == CODED_NEAREST_EVEN || way == CODED_NEAREST_AWAY)
    return ordered_quad(integer_bytes(codes));
  vq quad = ordered_quad(magnitude_bytes(codes));
  if (way != CODED_TABLE) return quad;
  return (vq)nibble_values(byte_table_of((const int8_t *)r->e.codes), (vu)quad);
}

INLINE void encode_group_of(
    GroupFit fit, size_t unit, CodedWay way, BKRounding rounding, const Rounder *r, const Group *g,
    const float *values, size_t count, const uint32_t *random, uint8_t *codes, vu *over) {
  vu lanes = group_lanes(fit, unit);
  size_t i = 0;
  for (; i + QUAD <= count; i += QUAD) {
    vf shift[4], factor[4];
    vu whole[4];
    quad_values(fit, g->shifts, i, unit, lanes, 1, shift);
    quad_values(fit, g->factors, i, unit, lanes, 1, factor);
    for (int j = 0; j < 4; j++) {
      const float *at = values + i + j * LANES;
      vu word = rounding == BK_STOCHASTIC ? load_u(random + i + j * LANES) : all_u(0);
      whole[j] = coded_at(r, way, rounding, load_f(at), shift[j], factor[j], word, over);
    }
    vq quad = coded_quad(r, way, whole);
    memcpy(codes + i, &quad, sizeof quad);
  }
  for (; i < count; i += LANES) {
    size_t left = count - i;
    vu word = rounding == BK_STOCHASTIC ? load_some_u(random + i, left) : all_u(0), beyond = 0;
    vf shift = group_values(fit, g->shifts, i, unit, lanes, count);
    vf factor = group_values(fit, g->factors, i, unit, lanes, count);
    vu code = coded_at(
        r, way, rounding, load_some_f(values + i, left), shift, factor, word, &beyond);
    if (way == CODED_TABLE)
      for (int lane = 0; lane < LANES; lane++) code[lane] = r->e.codes[code[lane]];
    store_some_b(codes + i, narrow_b(code), left);
    *over += beyond & (vu)(lane_numbers() < (uint32_t)(left < LANES ? left : LANES));
  }
}

INLINE void encode_group(
    const BKBlockCoder *coder, CodedWay way, BKRounding rounding, const Rounder *r, const Group *g,
    const float *values, size_t count, const uint32_t *random, uint8_t *codes, vu *over) {
#define WITH(fit, unit) \
  encode_group_of(fit, unit, way, rounding, r, g, values, count, random, codes, over)
  // A group holds at least a vector; a part of one whose values end early is met lane by lane.
  GroupFit fit = coder->block >= count ? GROUP_ONE : fit_of(g->factors, coder->block, count);
  // The usual length is known to the compiler.
  const GroupFit usual = 32 < 4 * LANES ? GROUP_WHOLE : GROUP_LONG;
  if (fit == usual && coder->block == 32) {
    WITH(usual, 32);
  } else if (fit == GROUP_LONG) {
    WITH(GROUP_LONG, coder->block);
  } else {
    WITH(fit, coder->block);
  }
#undef WITH
}

// The numbers that a group stores, and what its codes follow from.
INLINE void find_numbers(
    const BKBlockCoder *coder, BKCoderKind kind, const float *values, size_t count, Group *g,
    vf *scale, vf *offset) {
  vf multiplier;
  *offset = all_f(0);
  switch (kind) {
    case BK_CODER_EDGE:
      find_edges(coder, g, scale, offset);
      store_f(g->shifts, *offset);
      store_f(g->factors, *scale);
      return;
    case BK_CODER_RANGE:
      find_ranges(coder, values, count, g, scale, offset, &multiplier);
      store_f(g->shifts, *offset);
      break;
    case BK_CODER_FIRST:
      find_firsts(coder, values, count, g, scale, &multiplier);
      store_f(g->shifts, all_f(coder->greatest + 0.5f));
      break;
    case BK_CODER_AMAX: find_amax(coder, g, scale, &multiplier); break;
    case BK_CODER_FIT: find_fits(coder, values, count, g, scale, &multiplier); break;
  }
  store_f(g->factors, multiplier);
}

INLINE void store_numbers(BKScalar type, vf numbers, size_t count, uint8_t *bytes) {
  switch (type) {
    case BK_FLOAT32: store_some_f((float *)(void *)bytes, numbers, count); return;
    case BK_FLOAT16: store_narrowed(BK_FLOAT16, numbers, count, bytes); return;
    case BK_BFLOAT16: store_narrowed(BK_BFLOAT16, numbers, count, bytes); return;
  }
}

INLINE size_t encode_blocks_by(
    const BKBlockCoder *shared_coder, BKCoderKind kind, CodedWay way, BKRounding rounding,
    const float *values, size_t count, const uint32_t *random, uint8_t *codes, void *scales,
    void *offsets, size_t *overflows) {
  // A copy of its own, which no store can change.
  BKBlockCoder coder = *shared_coder;
  Rounder r = make_rounder(&coder.element);
  size_t step = LANES * coder.block, width = coder.stored == BK_FLOAT32 ? 4 : 2, done = 0;
  vu over = 0;
  for (; done < count; done += step) {
    size_t n = count - done < step ? count - done : step;
    size_t blocks = (n + coder.block - 1) / coder.block;
    Group g = {0};
    vf scale, offset;
    if (kind == BK_CODER_AMAX) {
      find_group_amax(values + done, n, coder.block, &g);
    } else {
      find_group_extremes(values + done, n, coder.block, &g);
    }
    find_numbers(&coder, kind, values + done, n, &g, &scale, &offset);
    if (any_lane(~g.is_usual)) break;
    encode_group(
        &coder, way, rounding, &r, &g, values + done, n, random ? random + done : NULL,
        codes + done, &over);
    size_t place = done / coder.block * width;
    store_numbers(coder.stored, scale, blocks, (uint8_t *)scales + place);
    if (offsets) store_numbers(coder.stored, offset, blocks, (uint8_t *)offsets + place);
  }
  *overflows += sum_lanes(over);
  return done < count ? done : count;
}

// One instance for the usual roundings; the others decide in the loop.
#define BLOCK_ENCODER(name, kind, way, rounding)                                               \
  static NOINLINE size_t name(                                                                 \
      const BKBlockCoder *c, const float *x, size_t n, const uint32_t *random, uint8_t *codes, \
      void *scales, void *offsets, size_t *overflows) {                                        \
    return encode_blocks_by(                                                                   \
        c, kind, way, rounding, x, n, random, codes, scales, offsets, overflows);              \
  }

BLOCK_ENCODER(encode_nearest_edges, BK_CODER_EDGE, CODED_QUOTIENTS, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_any_edges, BK_CODER_EDGE, CODED_QUOTIENTS, c->element.rounding)
BLOCK_ENCODER(encode_firsts, BK_CODER_FIRST, CODED_SUMS, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_ranges, BK_CODER_RANGE, CODED_DIFFERENCES, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_even_amax, BK_CODER_AMAX, CODED_NEAREST_EVEN, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_away_amax, BK_CODER_AMAX, CODED_NEAREST_AWAY, BK_NEAREST_AWAY)
BLOCK_ENCODER(encode_any_amax, BK_CODER_AMAX, CODED_INTEGERS, c->element.rounding)
BLOCK_ENCODER(encode_table_amax, BK_CODER_AMAX, CODED_TABLE, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_fits, BK_CODER_FIT, CODED_TABLE, BK_NEAREST_EVEN)

static size_t encode_blocks(
    const BKBlockCoder *c, const float *x, size_t n, const uint32_t *random, uint8_t *codes,
    void *scales, void *offsets, size_t *overflows) {
  BKRounding rounding = c->element.rounding;
#define RUN(name) return name(c, x, n, random, codes, scales, offsets, overflows)
  switch (c->kind) {
    case BK_CODER_EDGE:
      if (rounding == BK_NEAREST_EVEN) RUN(encode_nearest_edges);
      RUN(encode_any_edges);
    case BK_CODER_FIRST: RUN(encode_firsts);
    case BK_CODER_RANGE: RUN(encode_ranges);
    case BK_CODER_AMAX:
      if (c->element.kind == BK_TABLE) RUN(encode_table_amax);
      if (rounding == BK_NEAREST_EVEN) RUN(encode_even_amax);
      if (rounding == BK_NEAREST_AWAY) RUN(encode_away_amax);
      RUN(encode_any_amax);
    case BK_CODER_FIT: RUN(encode_fits);
  }
#undef RUN
}

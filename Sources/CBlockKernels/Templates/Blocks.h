// Whole blocks to codes, where scales follow from more than a largest magnitude.
//
// A group of LANES blocks is worked on at once: its least and largest values, a lane each; the numbers
// that it stores; its codes.

// Patterns whose order as unsigned integers is that of the values, -0 below +0: infinities and NaN lie
// outside those of finite numbers.
INLINE vu rising(vf v) { return bits_of(v) ^ ((vu)((vi)bits_of(v) >> 31) | SIGN); }
INLINE vf of_rising(vu u) { return floats_of(u ^ (~(vu)((vi)u >> 31) | SIGN)); }

// The extremes of LANES blocks, as rising patterns; those of the least values are inverted.
typedef struct { vu largest[LANES], least[LANES]; } Extremes;

INLINE void find_extremes(const float *values, size_t length, vu *largest, vu *least) {
  vu high = 0, low = 0;
  size_t i = 0;
  for (; i + LANES <= length; i += LANES) {
    vu u = rising(load_f(values + i));
    high = max_u(high, u);
    low = max_u(low, ~u);
  }
  if (i < length) {
    vu here = (vu)(lane_numbers() < (uint32_t)(length - i));
    vu u = rising(load_some_f(values + i, length - i));
    high = max_u(high, u & here);
    low = max_u(low, ~u & here);
  }
  *largest = high;
  *least = low;
}

// A group of blocks.
typedef struct {
  vf least, largest;
  vi is_usual;
  // What codes follow from, for each block: what is subtracted or added, and what then divides or
  // multiplies.
  float shifts[LANES], factors[LANES];
} Group;

INLINE void find_group_extremes(
    const float *values, size_t count, size_t block, Group *g) {
  Extremes e;
  size_t whole = count / block;
  for (size_t b = 0; b < LANES; b++) {
    // Blocks that are not there are zero.
    e.largest[b] = all_u(SIGN);
    e.least[b] = all_u(~SIGN);
    size_t first = b * block;
    if (b < whole) {
      find_extremes(values + first, block, &e.largest[b], &e.least[b]);
    } else if (first < count) {
      find_extremes(values + first, count - first, &e.largest[b], &e.least[b]);
    }
  }
  vu largest = fold_vectors(e.largest), least = ~fold_vectors(e.least);
  const uint32_t infinity = INFINITE | SIGN;
  g->is_usual = (largest < infinity) & (least > ~infinity);
  g->largest = of_rising(largest);
  g->least = of_rising(least);
}

INLINE vf magnitudes(vf v) { return floats_of(bits_of(v) & MAGNITUDE); }

// The nearest whole numbers, ties to even, whatever their size; zeros may lose their sign.
INLINE vf whole_numbers(vf v) {
  vf magnitude = magnitudes(v), rounded = (magnitude + 0x1p23f) - 0x1p23f;
  vu bits = bits_of(pick_f(magnitude < 0x1p23f, rounded, magnitude));
  return floats_of(bits | (bits_of(v) & SIGN));
}

// The scales and offsets of a group; which blocks are usual.
INLINE void find_edges(const BKBlockCoder *coder, Group *g, vf *scales, vf *offsets) {
  vi starts_at_least = magnitudes(g->least) > magnitudes(g->largest);
  vf edge = pick_f(starts_at_least, g->least, g->largest);
  vf step = (g->largest - g->least) / coder->greatest;
  step = pick_f(step < coder->least_step, all_f(coder->least_step), step);
  step = floats_of(bits_of(step) ^ (~(vu)starts_at_least & SIGN));
  vf count = whole_numbers(edge / step);
  vi has_none = count == 0;
  *scales = pick_f(has_none, step, edge / count);
  *offsets = pick_f(has_none, all_f(0), edge);
  g->is_usual &= (magnitudes(*scales) <= coder->reach) & (magnitudes(*offsets) <= coder->reach);
}

// The first values of the largest magnitude, where both ends have it.
static NOINLINE void find_first(
    const float *values, size_t count, size_t block, vi is_open, vf *greatest) {
  for (size_t b = 0; b < LANES; b++) {
    if (!is_open[b]) continue;
    for (size_t i = b * block; i < count; i++) {
      float value = float_at(values + i);
      if (__builtin_fabsf(value) == __builtin_fabsf((*greatest)[b])) {
        (*greatest)[b] = value;
        break;
      }
    }
  }
}

// The scales of a group by its values of the largest magnitude, and what multiplies values.
INLINE void find_firsts(
    const BKBlockCoder *coder, const float *values, size_t count, Group *g, vf *scales,
    vf *multipliers) {
  vf low = magnitudes(g->least), high = magnitudes(g->largest);
  vf greatest = pick_f(low > high, g->least, g->largest);
  vi is_open = (low == high) & (low != 0) & (g->least != g->largest);
  if (any_lane(is_open)) find_first(values, count, coder->block, is_open, &greatest);
  // Zeros of any sign count as +0.
  greatest = greatest + 0.0f;
  *scales = greatest / -coder->greatest;
  vf reciprocal = 1 / *scales;
  *multipliers = pick_f(magnitudes(reciprocal) < __builtin_inff(), reciprocal, all_f(0));
  g->is_usual &= magnitudes(*scales) <= coder->reach;
}

// The codes of a vector of values.
INLINE vu coded_at(
    const Rounder *r, BKCoderKind kind, BKRounding rounding, vf value, vf shift, vf factor,
    vu random, vu *over) {
  uint32_t greatest = r->e.greatest;
  vu code;
  if (kind == BK_CODER_EDGE) {
    vf quotient = (value - shift) / factor;
    quotient = pick_f(quotient > 0, quotient, all_f(0));
    code = rounding == BK_NEAREST_EVEN ? round_to_integers(quotient)
                                       : any_magnitudes(r, rounding, value, quotient, random);
  } else {
    vf sum = value * factor + shift;
    // Sums are far from zero and from where integers end.
    code = (vu)__builtin_convertvector(sum, vi);
  }
  *over -= (vu)(code > greatest);
  return min_u(code, all_u(greatest));
}

INLINE void encode_group(
    const BKBlockCoder *coder, BKRounding rounding, const Rounder *r, const Group *g,
    const float *values, size_t count, const uint32_t *random, uint8_t *codes, vu *over) {
  size_t unit = coder->block;
  // A group holds at least a vector; a part of one whose values end early is met lane by lane.
  GroupFit fit = unit >= count ? GROUP_ONE : fit_of(g->factors, unit, count);
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
      whole[j] =
          coded_at(r, coder->kind, rounding, load_f(at), shift[j], factor[j], word, over);
    }
    vq quad = ordered_quad(magnitude_bytes(whole));
    memcpy(codes + i, &quad, sizeof quad);
  }
  for (; i < count; i += LANES) {
    size_t left = count - i;
    vu word = rounding == BK_STOCHASTIC ? load_some_u(random + i, left) : all_u(0), beyond = 0;
    vf shift = group_values(fit, g->shifts, i, unit, lanes, count);
    vf factor = group_values(fit, g->factors, i, unit, lanes, count);
    vu code = coded_at(
        r, coder->kind, rounding, load_some_f(values + i, left), shift, factor, word, &beyond);
    store_some_b(codes + i, narrow_b(code), left);
    *over += beyond & (vu)(lane_numbers() < (uint32_t)(left < LANES ? left : LANES));
  }
}

INLINE size_t encode_blocks_by(
    const BKBlockCoder *shared_coder, BKCoderKind kind, BKRounding rounding, const float *values,
    size_t count, const uint32_t *random, uint8_t *codes, void *scales, void *offsets,
    size_t *overflows) {
  // A copy of its own, which no store can change.
  BKBlockCoder coder = *shared_coder;
  coder.kind = kind;
  Rounder r = make_rounder(&coder.element);
  size_t step = LANES * coder.block, width = coder.stored == BK_FLOAT32 ? 4 : 2, done = 0;
  vu over = 0;
  for (; done < count; done += step) {
    size_t n = count - done < step ? count - done : step;
    size_t blocks = (n + coder.block - 1) / coder.block;
    Group g;
    vf scale, offset = 0;
    float numbers[LANES];
    find_group_extremes(values + done, n, coder.block, &g);
    if (kind == BK_CODER_EDGE) {
      find_edges(&coder, &g, &scale, &offset);
      store_f(g.shifts, offset);
      store_f(g.factors, scale);
    } else {
      vf multiplier;
      find_firsts(&coder, values + done, n, &g, &scale, &multiplier);
      store_f(g.shifts, all_f(coder.greatest + 0.5f));
      store_f(g.factors, multiplier);
    }
    if (any_lane(~g.is_usual)) break;
    encode_group(
        &coder, rounding, &r, &g, values + done, n, random ? random + done : NULL, codes + done,
        &over);
    size_t place = done / coder.block * width;
    store_f(numbers, scale);
    narrow(coder.stored, numbers, blocks, (uint8_t *)scales + place);
    if (offsets) {
      store_f(numbers, offset);
      narrow(coder.stored, numbers, blocks, (uint8_t *)offsets + place);
    }
  }
  *overflows += sum_lanes(over);
  return done < count ? done : count;
}

// One instance for the usual rounding; the others decide in the loop.
#define BLOCK_ENCODER(name, kind, rounding)                                                    \
  static NOINLINE size_t name(                                                                 \
      const BKBlockCoder *c, const float *x, size_t n, const uint32_t *random, uint8_t *codes, \
      void *scales, void *offsets, size_t *overflows) {                                        \
    return encode_blocks_by(                                                                   \
        c, kind, rounding, x, n, random, codes, scales, offsets, overflows);                   \
  }

BLOCK_ENCODER(encode_nearest_edges, BK_CODER_EDGE, BK_NEAREST_EVEN)
BLOCK_ENCODER(encode_any_edges, BK_CODER_EDGE, c->element.rounding)
BLOCK_ENCODER(encode_firsts, BK_CODER_FIRST, BK_NEAREST_EVEN)

static size_t encode_blocks(
    const BKBlockCoder *c, const float *x, size_t n, const uint32_t *random, uint8_t *codes,
    void *scales, void *offsets, size_t *overflows) {
  switch (c->kind) {
    case BK_CODER_EDGE:
      if (c->element.rounding == BK_NEAREST_EVEN)
        return encode_nearest_edges(c, x, n, random, codes, scales, offsets, overflows);
      return encode_any_edges(c, x, n, random, codes, scales, offsets, overflows);
    case BK_CODER_FIRST: return encode_firsts(c, x, n, random, codes, scales, offsets, overflows);
  }
}

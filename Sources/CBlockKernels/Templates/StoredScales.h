// The numbers that groups of LANES blocks store, a lane for each block.

// Patterns whose order as unsigned integers is that of the values, -0 below +0: infinities and NaN
// lie outside those of finite numbers.
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
  vf least, largest;  // or the largest magnitudes alone
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

// The first values that have the magnitudes of some, where others of theirs may come before.
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

// The first values of the largest magnitude; zeros of any sign count as +0.
INLINE vf first_greatest(
    const BKBlockCoder *coder, const float *values, size_t count, const Group *g) {
  vf low = magnitudes(g->least), high = magnitudes(g->largest);
  vf greatest = pick_f(low > high, g->least, g->largest);
  vi is_open = (low == high) & (low != 0) & (g->least != g->largest);
  if (any_lane(is_open)) find_first(values, count, coder->block, is_open, &greatest);
  return greatest + 0.0f;
}

// 1 / d, or 0 where that is infinite.
INLINE vf finite_reciprocals(vf d) {
  vf reciprocal = 1 / d;
  return pick_f(magnitudes(reciprocal) < __builtin_inff(), reciprocal, all_f(0));
}

// The scales of a group by its values of the largest magnitude, and what multiplies values.
INLINE void find_firsts(
    const BKBlockCoder *coder, const float *values, size_t count, Group *g, vf *scales,
    vf *multipliers) {
  *scales = first_greatest(coder, values, count, g) / -coder->greatest;
  *multipliers = finite_reciprocals(*scales);
  g->is_usual &= magnitudes(*scales) <= coder->reach;
}

// The largest magnitudes of a group.
INLINE void find_group_amax(const float *values, size_t count, size_t block, Group *g) {
  // Blocks that are not there are zero.
  uint32_t maxima[LANES] = {0};
  row_magnitudes(values, count, block, maxima);
  vu largest = load_u(maxima);
  g->is_usual = largest < INFINITE;
  g->largest = floats_of(largest);
}

// The scales of a group by its largest magnitudes, and what multiplies values. Three roundings, of
// a scale that may be subnormal but not below 2^-128, bring no product to half a spacing above the
// greatest.
INLINE void find_amax(const BKBlockCoder *coder, Group *g, vf *scales, vf *multipliers) {
  *scales = g->largest / coder->greatest;
  *multipliers = finite_reciprocals(*scales);
  g->is_usual &= *scales <= coder->reach;
}

// The scales and offsets of a group by its ranges, and what multiplies differences.
INLINE void find_ranges(
    const BKBlockCoder *coder, const float *values, size_t count, Group *g, vf *scales,
    vf *offsets, vf *multipliers) {
  // A least value of -0 says that there are zeros; the first of them has the sign.
  vi has_zero = bits_of(g->least) == SIGN;
  if (any_lane(has_zero)) find_first(values, count, coder->block, has_zero, &g->least);
  // A difference of zeros is +0.
  *scales = (g->largest - g->least + 0.0f) / coder->greatest;
  *offsets = g->least;
  *multipliers = finite_reciprocals(*scales);
  g->is_usual &= (*scales <= coder->reach) & (magnitudes(*offsets) <= coder->reach);
}

// Sums over the values of each block, in their order, for the table's values q nearest to products
// with a multiplier: of x * x * q * x, and of x * x * q * q.
INLINE void add_fits(
    const Rounder *r, const float *by_place, const vf *columns, size_t count, vf multiplier,
    vf *products, vf *squares) {
  vf table = table_of(by_place);
  *products = *squares = all_f(0);
  for (size_t i = 0; i < count; i++) {
    vf x = columns[i];
    vu place = table_places(r, ordered_keys(bits_of(x * multiplier))) & 15;
    vf q = look_up(table, by_place, place), weighted = x * x * q;
    *products = *products + weighted * x;
    *squares = *squares + weighted * q;
  }
}

// The scales of a group by the best of several fits, and what multiplies values.
static NOINLINE void find_fits(
    const BKBlockCoder *coder, const float *values, size_t count, Group *g, vf *scales,
    vf *multipliers) {
  Rounder r = make_rounder(&coder->search);
  size_t block = coder->block;
  float by_place[16];
  for (int place = 0; place < 16; place++)
    by_place[place] = coder->search.values[coder->search.codes[place]];
  // Value i of every block; those that are not there add zeros.
  vf columns[BK_LONGEST_FIT];
  for (size_t i = 0; i < block; i++) {
    vf column = 0;
    for (size_t b = 0; b < LANES && b * block + i < count; b++)
      column[b] = float_at(values + b * block + i);
    columns[i] = column;
  }
  vf greatest = first_greatest(coder, values, count, g);
  bool is_search = coder->trials > 0;
  vf first = 1 / ((is_search ? -greatest : greatest) / coder->least);
  vf products, squares;
  add_fits(&r, by_place, columns, block, first, &products, &squares);
  vf scale = pick_f(squares > 0, products / squares, all_f(0)), gain = scale * products;
  for (int trial = -coder->trials; is_search && trial <= coder->trials; trial++) {
    vf multiplier = ((float)trial + coder->least) / greatest;
    add_fits(&r, by_place, columns, block, multiplier, &products, &squares);
    vi is_better = (squares > 0) & (products * products > gain * squares);
    scale = pick_f(is_better, products / squares, scale);
    gain = pick_f(is_better, scale * products, gain);
  }
  scale = pick_f(magnitudes(scale) < __builtin_inff(), scale, 1 / first);
  // Smaller values count as zeros.
  vi is_small = magnitudes(greatest) < coder->least_magnitude;
  *scales = pick_f(is_small, all_f(0), scale);
  *multipliers = is_search ? finite_reciprocals(*scales) : pick_f(is_small, all_f(0), first);
  g->is_usual &= magnitudes(*scales) <= coder->reach;
}

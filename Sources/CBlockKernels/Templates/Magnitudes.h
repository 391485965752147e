// The largest magnitudes of groups of values. Patterns of magnitudes are ordered like their values,
// with infinity above every finite value and NaN above infinity.

INLINE vu magnitude_at(const float *values) { return bits_of(load_f(values)) & MAGNITUDE; }

INLINE vu fold_pairs(vu a, vu b) { return max_u(even_pairs(a, b), odd_pairs(a, b)); }

// One vector of the maxima of LANES groups, from LANES vectors with one group each. Quarters of
// vectors are folded on their own as long as they can be, which is quicker.
INLINE vu fold_vectors(vu *v) {
  size_t count = LANES;
  for (; count > LANES / 4; count /= 2)
    for (size_t i = 0; i < count / 2; i++) v[i] = fold_pairs(v[2 * i], v[2 * i + 1]);
#if LANES > 4
  for (; count > 1; count /= 2)
    for (size_t i = 0; i < count / 2; i++)
      v[i] = max_u(even_quarters(v[2 * i], v[2 * i + 1]), odd_quarters(v[2 * i], v[2 * i + 1]));
#endif
  return v[0];
}

// The same from `count` vectors that hold the groups in order.
INLINE vu fold_maxima(vu *v, size_t count) {
  if (count == LANES) return fold_vectors(v);
  if (count == 2) return ordered_pairs(fold_pairs(v[0], v[1]));
  for (; count > 1; count /= 2)
    for (size_t i = 0; i < count / 2; i++)
      v[i] = max_u(even_lanes(v[2 * i], v[2 * i + 1]), odd_lanes(v[2 * i], v[2 * i + 1]));
  return v[0];
}

INLINE uint32_t group_maximum(const float *values, size_t count) {
  vu lanes = 0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) lanes = max_u(lanes, magnitude_at(values + i));
  if (i < count) lanes = max_u(lanes, bits_of(load_some_f(values + i, count - i)) & MAGNITUDE);
  uint32_t maximum = 0;
  for (int lane = 0; lane < LANES; lane++) maximum = lanes[lane] > maximum ? lanes[lane] : maximum;
  return maximum;
}

INLINE void row_magnitudes_of(
    const float *values, size_t count, size_t unit, uint32_t *maxima) {
  size_t groups = count / unit, group = 0;
  if (unit % LANES == 0) {
    for (; group + LANES <= groups; group += LANES) {
      vu v[LANES];
#pragma clang loop unroll(full)
      for (size_t i = 0; i < LANES; i++) {
        const float *start = values + (group + i) * unit;
        v[i] = magnitude_at(start);
        for (size_t j = LANES; j < unit; j += LANES) v[i] = max_u(v[i], magnitude_at(start + j));
      }
      store_u(maxima + group, fold_maxima(v, LANES));
    }
  } else if (unit < LANES && is_power_of_two(unit)) {
    for (; group + LANES <= groups; group += LANES) {
      vu v[LANES];
      for (size_t i = 0; i < unit; i++) v[i] = magnitude_at(values + group * unit + i * LANES);
      store_u(maxima + group, fold_maxima(v, unit));
    }
  }
  for (; group < groups; group++) maxima[group] = group_maximum(values + group * unit, unit);
  if (groups * unit < count)
    maxima[groups] = group_maximum(values + groups * unit, count - groups * unit);
}

static void row_magnitudes(const float *values, size_t count, size_t unit, uint32_t *maxima) {
  // Usual lengths are known to the compiler.
  switch (unit) {
    case 2: row_magnitudes_of(values, count, 2, maxima); return;
    case 8: row_magnitudes_of(values, count, 8, maxima); return;
    case 16: row_magnitudes_of(values, count, 16, maxima); return;
    case 32: row_magnitudes_of(values, count, 32, maxima); return;
    default: row_magnitudes_of(values, count, unit, maxima); return;
  }
}

// The largest magnitudes of the columns of a few rows, or of them and the maxima so far.
INLINE void fold_rows(
    const float *values, size_t rows, size_t stride, size_t columns, bool continues,
    uint32_t *maxima) {
  size_t column = 0;
  for (; column + LANES <= columns; column += LANES) {
    vu v = magnitude_at(values + column);
    for (size_t row = 1; row < rows; row++)
      v = max_u(v, magnitude_at(values + row * stride + column));
    if (continues) v = max_u(v, load_u(maxima + column));
    store_u(maxima + column, v);
  }
  if (column < columns) {
    size_t n = columns - column;
    vu v = continues ? load_some_u(maxima + column, n) : all_u(0);
    for (size_t row = 0; row < rows; row++)
      v = max_u(v, bits_of(load_some_f(values + row * stride + column, n)) & MAGNITUDE);
    store_some_u(maxima + column, v, n);
  }
}

// Four rows at a time, each read from end to end.
static void column_magnitudes(
    const float *values, size_t rows, size_t stride, size_t columns, uint32_t *maxima) {
  size_t row = 0;
  for (; row + 4 <= rows; row += 4)
    fold_rows(values + row * stride, 4, stride, columns, row > 0, maxima);
  if (row + 2 <= rows) {
    fold_rows(values + row * stride, 2, stride, columns, row > 0, maxima);
    row += 2;
  }
  if (row < rows) fold_rows(values + row * stride, 1, stride, columns, row > 0, maxima);
}

static void finite_magnitudes(
    const float *values, size_t rows, size_t stride, size_t columns, size_t unit,
    uint32_t *maxima, uint8_t *flags) {
  for (size_t first = 0, group = 0; first < columns; first += unit, group++) {
    size_t length = unit < columns - first ? unit : columns - first;
    vu maximum = 0, infinite = 0, not_a_number = 0;
    for (size_t row = 0; row < rows; row++) {
      for (size_t i = 0; i < length; i += LANES) {
        size_t n = length - i < LANES ? length - i : LANES;
        vu v = bits_of(load_some_f(values + row * stride + first + i, n)) & MAGNITUDE;
        infinite |= (vu)(v == INFINITE);
        not_a_number |= (vu)(v > INFINITE);
        maximum = max_u(maximum, v & (vu)(v < INFINITE));
      }
    }
    uint32_t greatest = 0, any_infinite = 0, any_nan = 0;
    for (int lane = 0; lane < LANES; lane++) {
      greatest = maximum[lane] > greatest ? maximum[lane] : greatest;
      any_infinite |= infinite[lane];
      any_nan |= not_a_number[lane];
    }
    maxima[group] = greatest;
    flags[group] = (uint8_t)((any_infinite ? 1 : 0) | (any_nan ? 2 : 0));
  }
}

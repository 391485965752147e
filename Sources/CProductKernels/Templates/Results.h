// From sums to results.

INLINE vf load_part(const float *p, size_t n) {
  if (n >= LANES) return load_f(p);
  vf v = (vf)0.0f;
  for (size_t i = 0; i < n; i++) v[i] = float_at((const char *)p + 4 * i);
  return v;
}

INLINE void store_part(float *p, vf v, size_t n) {
  if (n >= LANES) {
    store_f(p, v);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    float x = v[i];
    memcpy((char *)p + 4 * i, &x, sizeof x);
  }
}

// Asks for the lines of some rows of the result, which lie far apart, while their sums are at work.
INLINE void claim_rows(const BKResult *result, size_t row, const int rows) {
  UNROLLED for (int r = 0; r < rows; r++) {
    const char *line = (const char *)result->values + 4 * (row + (size_t)r) * result->stride;
    UNROLLED for (int byte = 0; byte < 4 * BK_PANEL; byte += 64) {
      // Only addresses inside the row.
      if ((size_t)byte < 4 * result->columns) __builtin_prefetch(line + byte, 1);
    }
  }
}

INLINE void store_result(const BKResult *result, size_t row, size_t column, vf y) {
  if (column >= result->columns) return;
  size_t n = result->columns - column;
  float *target = (float *)((char *)result->values + 4 * (row * result->stride + column));
  if (result->tensor_scale != 1) y = times_unlimited(y, result->tensor_scale);
  if (result->alpha != 1) y *= (vf)result->alpha;
  if (result->bias) y += load_part(result->bias + column, n);
  if (result->beta != 0) y = fma_f((vf)result->beta, load_part(target, n), y);
  vu is_nan = (vu)(y != y);
  store_part(target, floats_of((bits_of(y) & ~is_nan) | (CANONICAL_NAN & is_nan)), n);
}

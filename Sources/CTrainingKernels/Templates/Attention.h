// Softmax of rows, their loss, and rotary positions.

INLINE size_t row_length(const BKRowShape *shape, size_t first_length, size_t growth, size_t row) {
  // Without overflow for any lengths.
  size_t missing = first_length < shape->columns ? shape->columns - first_length : 0;
  if (growth == 0 || missing == 0) return shape->columns - missing;
  return row < missing / growth + 1 && row * growth < missing ? first_length + row * growth
                                                              : shape->columns;
}

// The largest of scale x over n columns. NaN is passed over.
INLINE float greatest_product(const float *x, size_t n, float scale) {
  vf greatest = all_f(-__builtin_inff());
  EACH_VECTOR(i, n) {
    vf v = first_lanes(load_part(x + i, n - i) * scale, n - i, -__builtin_inff());
    greatest = max_f(v, greatest);
  }
  return max_lanes(greatest);
}

// exp(scale x - m), stored where y is given; returns the sum.
INLINE float exponentials(const float *x, size_t n, float scale, float m, float *y) {
  vf sum = all_f(0.0f);
  EACH_VECTOR(i, n) {
    vf e = exp_f(fma_f(load_part(x + i, n - i), all_f(scale), all_f(-m)));
    sum += first_lanes(e, n - i, 0.0f);
    if (y) store_part(y + i, e, n - i);
  }
  return sum_lanes(sum);
}

INLINE void fill_zeros(float *y, size_t from, size_t to) {
  if (from < to) memset((char *)(y + from), 0, (to - from) * sizeof(float));
}

static void softmax(
    const BKRowShape *shape, size_t first_length, size_t growth, float scale, const float *s,
    float *p) {
  for (size_t r = 0; r < shape->rows; r++) {
    const float *x = s + r * shape->stride;
    float *y = p + r * shape->stride;
    size_t n = row_length(shape, first_length, growth, r);
    float m = greatest_product(x, n, scale);
    float factor = 1.0f / exponentials(x, n, scale, m, y);
    EACH_VECTOR(i, n) { put_part(y + i, load_part(y + i, n - i) * factor, n - i); }
    fill_zeros(y, n, shape->columns);
  }
}

static void softmax_backward(
    const BKRowShape *shape, size_t first_length, size_t growth, float scale, const float *p,
    const float *dp, float *ds) {
  for (size_t r = 0; r < shape->rows; r++) {
    const float *x = p + r * shape->stride, *dx = dp + r * shape->stride;
    float *y = ds + r * shape->stride;
    size_t n = row_length(shape, first_length, growth, r);
    vf sum = all_f(0.0f);
    EACH_VECTOR(i, n) { sum = fma_f(load_part(x + i, n - i), load_part(dx + i, n - i), sum); }
    float mean = sum_lanes(sum);
    EACH_VECTOR(i, n) {
      vf difference = load_part(dx + i, n - i) - mean;
      put_part(y + i, load_part(x + i, n - i) * scale * difference, n - i);
    }
    fill_zeros(y, n, shape->columns);
  }
}

static void cross_entropy(
    const BKRowShape *shape, const float *x, const int32_t *targets, float weight,
    float *losses, float *dx) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride;
    float *y = dx ? dx + r * shape->stride : NULL;
    int32_t target;
    memcpy(&target, (const char *)(targets + r), sizeof target);
    if (target < 0) {
      put_float(losses + r, 0.0f);
      if (y) fill_zeros(y, 0, n);
      continue;
    }
    float m = greatest_product(row, n, 1.0f), own = float_at(row + target);
    float sum = exponentials(row, n, 1.0f, m, y);
    float loss = log_f(all_f(sum)).x + (m - own);
    put_float(losses + r, canonical_scalar(loss));
    if (!y) continue;
    float factor = 1.0f / sum;
    float own_probability = float_at(y + target) * factor;
    EACH_VECTOR(i, n) {
      put_part(y + i, load_part(y + i, n - i) * factor * weight, n - i);
    }
    put_float(y + target, canonical_scalar((own_probability - 1.0f) * weight));
  }
}

static void rotate(
    const BKRotation *shape, bool is_inverse, const float *x, const float *cosines,
    const float *sines, float *y) {
  size_t half = shape->size / 2;
  vu flip = (vu)(is_inverse ? SIGN : 0);
  for (size_t r = 0; r < shape->rows; r++) {
    const float *c = cosines + r * shape->table_stride, *s = sines + r * shape->table_stride;
    for (size_t h = 0; h < shape->heads; h++) {
      size_t place = r * shape->stride + h * shape->size;
      EACH_VECTOR(i, half) {
        size_t n = half - i, first = place + i, second = first + half;
        vf a = load_part(x + first, n), b = load_part(x + second, n);
        vf cosine = load_part(c + i, n);
        vf sine = floats_of(bits_of(load_part(s + i, n)) ^ flip);
        put_part(y + first, fma_f(a, cosine, -(b * sine)), n);
        put_part(y + second, fma_f(a, sine, b * cosine), n);
      }
    }
  }
}

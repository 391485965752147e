// Norms of rows. Columns are C; `n - i` of them are left at a vector.

INLINE vf weight_part(const float *weight, size_t i, size_t n) {
  return weight ? load_part(weight + i, n - i) : all_f(1.0f);
}

INLINE float inverse_root(float mean_square, float epsilon) {
  return canonical_scalar(1.0f / __builtin_elementwise_sqrt(mean_square + epsilon));
}

static void rms_norm(
    const BKRowShape *shape, const float *x, const float *weight, float epsilon, float *y,
    float *inverses) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride;
    float *result = y + r * shape->stride;
    vf sum = all_f(0.0f);
    EACH_VECTOR(i, n) {
      vf v = load_part(row + i, n - i);
      sum = fma_f(v, v, sum);
    }
    float inverse = inverse_root(sum_lanes(sum) / (float)n, epsilon);
    put_float(inverses + r, inverse);
    EACH_VECTOR(i, n) {
      put_part(
          result + i, load_part(row + i, n - i) * inverse * weight_part(weight, i, n), n - i);
    }
  }
}

static void rms_norm_backward(
    const BKRowShape *shape, const float *x, const float *weight, const float *inverses,
    const float *dy, float *dx, float *dweight) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride, *d = dy + r * shape->stride;
    float *result = dx + r * shape->stride;
    float inverse = float_at(inverses + r);
    vf sum = all_f(0.0f);
    EACH_VECTOR(i, n) {
      vf g = load_part(d + i, n - i) * weight_part(weight, i, n);
      sum = fma_f(g, load_part(row + i, n - i), sum);
    }
    // i (g - x (i^2 sum g x / C)) = i g - h (i sum g h / C) with h = x i
    float factor = sum_lanes(sum) / (float)n * inverse * inverse;
    EACH_VECTOR(i, n) {
      vf v = load_part(row + i, n - i), up = load_part(d + i, n - i);
      vf g = up * weight_part(weight, i, n);
      if (dweight)
        put_part(dweight + i, fma_f(up, v * inverse, load_part(dweight + i, n - i)), n - i);
      put_part(result + i, fma_f(v, all_f(-factor), g) * inverse, n - i);
    }
  }
}

static void layer_norm(
    const BKRowShape *shape, const float *x, const float *weight, const float *bias,
    float epsilon, float *y, float *means, float *inverses) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride;
    float *result = y + r * shape->stride;
    vf sum = all_f(0.0f), squares = all_f(0.0f);
    EACH_VECTOR(i, n) { sum += load_part(row + i, n - i); }
    float mean = canonical_scalar(sum_lanes(sum) / (float)n);
    EACH_VECTOR(i, n) {
      vf v = first_lanes(load_part(row + i, n - i) - mean, n - i, 0.0f);
      squares = fma_f(v, v, squares);
    }
    float inverse = inverse_root(sum_lanes(squares) / (float)n, epsilon);
    put_float(means + r, mean);
    put_float(inverses + r, inverse);
    EACH_VECTOR(i, n) {
      vf h = (load_part(row + i, n - i) - mean) * inverse;
      vf shift = bias ? load_part(bias + i, n - i) : all_f(0.0f);
      put_part(result + i, fma_f(h, weight_part(weight, i, n), shift), n - i);
    }
  }
}

static void layer_norm_backward(
    const BKRowShape *shape, const float *x, const float *weight, const float *means,
    const float *inverses, const float *dy, float *dx, float *dweight, float *dbias) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride, *d = dy + r * shape->stride;
    float *result = dx + r * shape->stride;
    float mean = float_at(means + r), inverse = float_at(inverses + r);
    vf sum = all_f(0.0f), products = all_f(0.0f);
    EACH_VECTOR(i, n) {
      vf g = load_part(d + i, n - i) * weight_part(weight, i, n);
      sum += first_lanes(g, n - i, 0.0f);
      products = fma_f(
          g, first_lanes((load_part(row + i, n - i) - mean) * inverse, n - i, 0.0f), products);
    }
    float mean_g = sum_lanes(sum) / (float)n, mean_gh = sum_lanes(products) / (float)n;
    EACH_VECTOR(i, n) {
      vf h = (load_part(row + i, n - i) - mean) * inverse, up = load_part(d + i, n - i);
      vf g = up * weight_part(weight, i, n);
      if (dweight) put_part(dweight + i, fma_f(up, h, load_part(dweight + i, n - i)), n - i);
      if (dbias) put_part(dbias + i, load_part(dbias + i, n - i) + up, n - i);
      put_part(result + i, (fma_f(h, all_f(-mean_gh), g) - mean_g) * inverse, n - i);
    }
  }
}

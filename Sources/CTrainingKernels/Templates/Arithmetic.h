// Sums and products.

static void add(const float *a, const float *b, size_t count, float *y) {
  EACH_VECTOR(i, count) {
    put_part(y + i, load_part(a + i, count - i) + load_part(b + i, count - i), count - i);
  }
}

static void multiply(const float *a, const float *b, size_t count, float *y) {
  EACH_VECTOR(i, count) {
    put_part(y + i, load_part(a + i, count - i) * load_part(b + i, count - i), count - i);
  }
}

static void scale(const float *x, float factor, size_t count, float *y) {
  EACH_VECTOR(i, count) { put_part(y + i, load_part(x + i, count - i) * factor, count - i); }
}

static void add_scaled(const float *x, float factor, size_t count, float *y) {
  EACH_VECTOR(i, count) {
    vf sum = fma_f(load_part(x + i, count - i), all_f(factor), load_part(y + i, count - i));
    put_part(y + i, sum, count - i);
  }
}

static double sum_of_squares(const float *x, size_t count) {
  vd sum = (vd)0.0;
  EACH_VECTOR(i, count) {
    // A square of two FP32 numbers is exact here.
    vd v = __builtin_convertvector(load_part(x + i, count - i), vd);
    sum += v * v;
  }
  double total = sum_double_lanes(sum);
  return total != total ? __builtin_nan("") : total;
}

static void add_rows(const BKRowShape *shape, const float *x, float *sums) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *row = x + r * shape->stride;
    EACH_VECTOR(i, n) {
      put_part(sums + i, load_part(sums + i, n - i) + load_part(row + i, n - i), n - i);
    }
  }
}

// Sums, products and transposes.

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

// Two vectors, lane by lane in turn: the lower halves and the upper ones. Four rounds of it, on
// rows eight apart, transpose sixteen rows.
INLINE vf low_zip(vf a, vf b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
INLINE vf high_zip(vf a, vf b) {
  return __builtin_shufflevector(
      a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
INLINE void zip_rows(const vf *from, vf *to) {
  UNROLLED for (int i = 0; i < LANES / 2; i++) {
    to[2 * i] = low_zip(from[i], from[i + LANES / 2]);
    to[2 * i + 1] = high_zip(from[i], from[i + LANES / 2]);
  }
}

static void transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
  for (size_t r = 0; r < rows; r += LANES) {
    size_t height = rows - r < LANES ? rows - r : LANES;
    for (size_t c = 0; c < columns; c += LANES) {
      size_t width = columns - c < LANES ? columns - c : LANES;
      vf a[LANES], b[LANES];
      const float *from = x + r * x_stride + c;
      float *to = y + c * y_stride + r;
      if (height == LANES && width == LANES) {
        UNROLLED for (size_t i = 0; i < LANES; i++) a[i] = load_f(from + i * x_stride);
      } else {
        for (size_t i = 0; i < LANES; i++)
          a[i] = i < height ? load_part(from + i * x_stride, width) : all_f(0.0f);
      }
      zip_rows(a, b);
      zip_rows(b, a);
      zip_rows(a, b);
      zip_rows(b, a);
      if (height == LANES && width == LANES) {
        UNROLLED for (size_t i = 0; i < LANES; i++) store_f(to + i * y_stride, a[i]);
      } else {
        for (size_t i = 0; i < width; i++) store_part(to + i * y_stride, a[i], height);
      }
    }
  }
}

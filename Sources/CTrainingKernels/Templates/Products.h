// Rows scaled and multiplied, and products of small matrices.

static void scale_rows(
    const BKRowPair *shape, const float *factors, const float *x, bool adds, float *y) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *from = x + r * shape->x_stride;
    float *to = y + r * shape->y_stride;
    vf factor = all_f(float_at(factors + r));
    EACH_VECTOR(i, n) {
      vf v = load_part(from + i, n - i);
      put_part(to + i, adds ? fma_f(v, factor, load_part(to + i, n - i)) : v * factor, n - i);
    }
  }
}

static void dot_rows(const BKRowPair *shape, const float *x, const float *y, float *sums) {
  size_t n = shape->columns;
  for (size_t r = 0; r < shape->rows; r++) {
    const float *a = x + r * shape->x_stride, *b = y + r * shape->y_stride;
    vf sum = all_f(0.0f);
    EACH_VECTOR(i, n) { sum = fma_f(load_part(a + i, n - i), load_part(b + i, n - i), sum); }
    put_float(sums + r, canonical_scalar(sum_lanes(sum)));
  }
}

// Tiles of results that stay in registers while a contraction goes by. Their size changes no bit:
// every result is one chain.
#ifndef TILE_ROWS
#define TILE_ROWS 4
#define TILE_VECTORS 1
#endif
#define TILE_COLUMNS (TILE_VECTORS * LANES)

// A tile of which `height` rows and `width` columns count. Rows past them repeat the last one.
INLINE void product_tile(
    const BKProduct *shape, const float *a, const float *b, bool adds, float *y, size_t height,
    size_t width) {
  vf sums[TILE_ROWS][TILE_VECTORS];
  const float *rows[TILE_ROWS];
  size_t widths[TILE_VECTORS];
  UNROLLED for (size_t v = 0; v < TILE_VECTORS; v++)
    widths[v] = v * LANES < width ? width - v * LANES : 0;
  UNROLLED for (size_t r = 0; r < TILE_ROWS; r++) {
    size_t row = r < height ? r : height - 1;
    rows[r] = a + row * shape->a_row;
    UNROLLED for (size_t v = 0; v < TILE_VECTORS; v++)
      sums[r][v] =
          adds ? load_part(y + row * shape->y_stride + v * LANES, widths[v]) : all_f(0.0f);
  }
  size_t step = shape->a_step;
  for (size_t k = 0; k < shape->depth; k++) {
    vf line[TILE_VECTORS];
    UNROLLED for (size_t v = 0; v < TILE_VECTORS; v++)
      line[v] = load_part(b + k * shape->b_stride + v * LANES, widths[v]);
    UNROLLED for (size_t r = 0; r < TILE_ROWS; r++) {
      vf factor = all_f(float_at(rows[r] + k * step));
      UNROLLED for (size_t v = 0; v < TILE_VECTORS; v++)
        sums[r][v] = fma_f(factor, line[v], sums[r][v]);
    }
  }
  UNROLLED for (size_t r = 0; r < TILE_ROWS; r++) {
    if (r < height) {
      UNROLLED for (size_t v = 0; v < TILE_VECTORS; v++)
        put_part(y + r * shape->y_stride + v * LANES, sums[r][v], widths[v]);
    }
  }
}

static void product(
    const BKProduct *shape, const float *a, const float *b, bool adds, float *y) {
  for (size_t r = 0; r < shape->rows; r += TILE_ROWS) {
    size_t height = shape->rows - r < TILE_ROWS ? shape->rows - r : TILE_ROWS;
    const float *rows = a + r * shape->a_row;
    for (size_t c = 0; c < shape->columns; c += TILE_COLUMNS) {
      size_t width = shape->columns - c;
      float *place = y + r * shape->y_stride + c;
      if (height == TILE_ROWS && width >= TILE_COLUMNS) {
        product_tile(shape, rows, b + c, adds, place, TILE_ROWS, TILE_COLUMNS);
      } else {
        product_tile(shape, rows, b + c, adds, place, height, width);
      }
    }
  }
}

// Transposes, in tiles of as many rows and columns as a register has lanes, so that a tile stays in
// registers.

typedef float vt __attribute__((ext_vector_type(TILE_LANES)));

INLINE void load_tile(const float *x, size_t stride, vt *rows) {
  UNROLLED for (size_t i = 0; i < TILE_LANES; i++) memcpy(rows + i, x + i * stride, sizeof *rows);
}

INLINE void store_tile(float *y, size_t stride, const vt *rows) {
  UNROLLED for (size_t i = 0; i < TILE_LANES; i++) memcpy(y + i * stride, rows + i, sizeof *rows);
}

#if TILE_LANES == 16
// Rows eight apart, lane by lane in turn, become neighbours; four rounds of it transpose sixteen.
INLINE void zip_rows(const vt *a, vt *b) {
  UNROLLED for (int i = 0; i < 8; i++) {
    b[2 * i] = __builtin_shufflevector(
        a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    b[2 * i + 1] = __builtin_shufflevector(
        a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
}
INLINE void transpose_tile(vt *rows) {
  vt other[16];
  zip_rows(rows, other);
  zip_rows(other, rows);
  zip_rows(rows, other);
  zip_rows(other, rows);
}
#elif TILE_LANES == 8
// Numbers of two rows in turn, then pairs of them, both inside halves of registers; then the halves.
INLINE void transpose_tile(vt *rows) {
  vt pairs[8], quads[8];
  UNROLLED for (int i = 0; i < 8; i += 2) {
    vt a = rows[i], b = rows[i + 1];
    pairs[i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13);
    pairs[i + 1] = __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15);
  }
  UNROLLED for (int i = 0; i < 8; i += 4) {
    UNROLLED for (int j = 0; j < 2; j++) {
      vt a = pairs[i + j], b = pairs[i + j + 2];
      quads[i + 2 * j] = __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13);
      quads[i + 2 * j + 1] = __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  UNROLLED for (int i = 0; i < 4; i++) {
    rows[i] = __builtin_shufflevector(quads[i], quads[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    rows[i + 4] = __builtin_shufflevector(quads[i], quads[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}
#else
INLINE void transpose_tile(vt *rows) {
  vt pairs[4];
  UNROLLED for (int i = 0; i < 4; i += 2) {
    pairs[i] = __builtin_shufflevector(rows[i], rows[i + 1], 0, 4, 1, 5);
    pairs[i + 1] = __builtin_shufflevector(rows[i], rows[i + 1], 2, 6, 3, 7);
  }
  UNROLLED for (int i = 0; i < 2; i++) {
    rows[2 * i] = __builtin_shufflevector(pairs[i], pairs[i + 2], 0, 1, 4, 5);
    rows[2 * i + 1] = __builtin_shufflevector(pairs[i], pairs[i + 2], 2, 3, 6, 7);
  }
}
#endif

// What is left at two sides, number by number.
static void transpose_rest(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
  for (size_t c = 0; c < columns; c++)
    for (size_t r = 0; r < rows; r++) memcpy(y + c * y_stride + r, x + r * x_stride + c, sizeof *y);
}

// Blocks of tiles read and write whole cache lines.
#define BLOCK 16

INLINE void transpose_block(const float *x, size_t x_stride, float *y, size_t y_stride) {
  // A line of the result is finished before the next, which may lie in the same set of the cache.
  for (size_t j = 0; j < BLOCK; j += TILE_LANES) {
    for (size_t i = 0; i < BLOCK; i += TILE_LANES) {
      vt tile[TILE_LANES];
      load_tile(x + i * x_stride + j, x_stride, tile);
      transpose_tile(tile);
      store_tile(y + j * y_stride + i, y_stride, tile);
    }
  }
}

static void transpose(
    const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride) {
  size_t r = 0;
  for (; r + BLOCK <= rows; r += BLOCK) {
    size_t c = 0;
    for (; c + BLOCK <= columns; c += BLOCK)
      transpose_block(x + r * x_stride + c, x_stride, y + c * y_stride + r, y_stride);
    transpose_rest(
        x + r * x_stride + c, BLOCK, columns - c, x_stride, y + c * y_stride + r, y_stride);
  }
  transpose_rest(x + r * x_stride, rows - r, columns, x_stride, y + r, y_stride);
}

// Groups of more words than a tile has, by AMX: two tiles of rows meet two of columns, so that each
// is read once for two products. The sums over groups, which such groups seldom need, lie in
// memory.

// What a block of up to 32 rows and a panel reads and holds.
typedef struct {
  _Alignas(64) int32_t sums[2 * SIDE][BK_PANEL];
  vf y[2 * SIDE][PANEL_VECTORS];
  const uint8_t *row, *panel;
  size_t stride, rows;
} LongBlock;

// Adds the products of a tile's words.
INLINE void multiply_tile_words(
    const bool has_lower, const uint8_t *row, size_t stride, const uint8_t *panel) {
  _tile_loadd(6, panel, PANEL_STRIDE);
  _tile_loadd(4, row, stride);
  _tile_dpbssd(0, 4, 6);
  _tile_loadd(7, panel + 4 * SIDE, PANEL_STRIDE);
  _tile_dpbssd(1, 4, 7);
  if (!has_lower) return;
  _tile_loadd(5, row + SIDE * stride, stride);
  _tile_dpbssd(2, 5, 6);
  _tile_dpbssd(3, 5, 7);
}

// The same for the last words of a group, which are fewer: filled up with zeros.
static NOINLINE void multiply_last_words(const LongBlock *block, size_t words) {
  vu rows[2 * SIDE], panel[SIDE][PANEL_VECTORS];
  for (size_t r = 0; r < block->rows; r++)
    rows[r] = load_some_u(block->row + r * block->stride, words);
  memset(panel, 0, sizeof panel);
  for (size_t word = 0; word < words; word++)
    memcpy(panel[word], block->panel + word * PANEL_STRIDE, PANEL_STRIDE);
  multiply_tile_words(
      block->rows > SIDE, (const uint8_t *)rows, sizeof rows[0], (const uint8_t *)panel);
}

// The sums of a group, behind which the block's operands move.
INLINE void multiply_group(LongBlock *block, size_t words) {
  const bool has_lower = block->rows > SIDE;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (; words >= SIDE; words -= SIDE) {
    multiply_tile_words(has_lower, block->row, block->stride, block->panel);
    block->row += 4 * SIDE;
    block->panel += PANEL_STRIDE * SIDE;
  }
  if (words > 0) multiply_last_words(block, words);
  block->row += 4 * words;
  block->panel += PANEL_STRIDE * words;
  _tile_stored(0, &block->sums[0][0], PANEL_STRIDE);
  _tile_stored(1, &block->sums[0][SIDE], PANEL_STRIDE);
  if (!has_lower) return;
  _tile_stored(2, &block->sums[SIDE][0], PANEL_STRIDE);
  _tile_stored(3, &block->sums[SIDE][SIDE], PANEL_STRIDE);
}

// The sums over groups after one more, of one row and vector of columns.
INLINE vf added(
    const BKScaleProduct product, const LongBlock *block, size_t r, int v, vf factors,
    const float *scale) {
  vf dot = finished(BK_INT8, load_u(&block->sums[r][v * LANES]));
  return add_group(product, 1, dot, factors, scale, block->y[r][v]);
}

// A panel times some rows, from the first group to the result.
INLINE void multiply_long_block(
    const BKScaleProduct product, const BKProductShape *shape, const BKRows *a, size_t first_row,
    size_t rows, const BKColumns *b, const BKResult *result) {
  LongBlock block;
  block.row = a->elements + first_row * a->stride;
  block.panel = b->elements;
  block.stride = a->stride;
  block.rows = rows;
  memset(block.y, 0, rows * sizeof block.y[0]);
  const size_t groups = shape->groups;
  const float *scale = a->scales + first_row * groups, *panel_scales = b->scales;
  for (size_t r = 0; r < rows; r++) claim_rows(result, first_row + r, 1);
  for (size_t group = 0; group + 1 < groups; group++, scale++, panel_scales += BK_PANEL) {
    multiply_group(&block, shape->words);
    for (int v = 0; v < PANEL_VECTORS; v++) {
      vf factors = load_f(panel_scales + v * LANES);
      for (size_t r = 0; r < rows; r++)
        block.y[r][v] = added(product, &block, r, v, factors, scale + r * groups);
    }
  }
  multiply_group(&block, shape->words);
  for (int v = 0; v < PANEL_VECTORS; v++) {
    vf factors = load_f(panel_scales + v * LANES);
    for (size_t r = 0; r < rows; r++) {
      vf y = added(product, &block, r, v, factors, scale + r * groups);
      store_result(result, first_row + r, (size_t)v * LANES, y);
    }
  }
}

INLINE void multiply_long_groups(
    const BKScaleProduct product, const BKProductShape *shape, const BKRows *a, const BKColumns *b,
    const BKResult *result) {
  shape_tiles(SIDE, SIDE, SIDE);
  for (size_t row = 0; row < a->rows; row += 2 * SIDE) {
    size_t rows = a->rows - row < 2 * SIDE ? a->rows - row : 2 * SIDE;
    // A tile has at least one row, needed or not.
    if (rows < 2 * SIDE)
      shape_tiles(rows < SIDE ? rows : SIDE, rows > SIDE ? rows - SIDE : 1, SIDE);
    multiply_long_block(product, shape, a, row, rows, b, result);
  }
  _tile_release();
}

// Groups of no more words than a tile has, by AMX: a tile of rows meets one of columns, and the
// sums over groups of sixteen rows and columns stay in vectors.
//
// From its operands to its sums in memory, a tile takes as long as vectors take for two groups. So
// one group is multiplied and the sums of another are stored while those of a third are added: with
// more on the way, a processor that serves two threads has no room to look ahead.

// What a block of sixteen rows and as many columns reads.
typedef struct {
  const uint8_t *row, *panel;
  size_t stride, words, groups;
  const float *scales, *panel_scales;
} Block;

// Tiles are numbers in the instruction.
#define MULTIPLY_PAIR(sums, row_tile, column_tile)                                               \
  _tile_zero(sums);                                                                              \
  _tile_loadd(row_tile, block->row, block->stride);                                              \
  _tile_loadd(column_tile, block->panel, PANEL_STRIDE);                                          \
  _tile_dpbssd(sums, row_tile, column_tile);

// Multiplies the next group into tile 0 or 1.
INLINE void multiply_next(const int tile, Block *block) {
  if (tile == 0) {
    MULTIPLY_PAIR(0, 4, 6)
  } else {
    MULTIPLY_PAIR(1, 5, 7)
  }
  block->row += 4 * block->words;
  block->panel += PANEL_STRIDE * block->words;
}
#undef MULTIPLY_PAIR

INLINE void store_sums(const int tile, int32_t sums[SIDE][SIDE]) {
  if (tile == 0) {
    _tile_stored(0, sums[0], sizeof sums[0]);
  } else {
    _tile_stored(1, sums[0], sizeof sums[0]);
  }
}

// Adds the sums of the next group, in order, to those over groups.
INLINE void add_next(
    const BKScaleProduct product, Block *block, const int32_t sums[SIDE][SIDE], vf y[SIDE]) {
  vf factors = load_f(block->panel_scales);
  UNROLLED for (size_t r = 0; r < SIDE; r++) {
    vf dot = finished(BK_INT8, load_u(sums[r]));
    y[r] = add_group(product, 1, dot, factors, block->scales + r * block->groups, y[r]);
    // Compilers that begin with all rows have no registers to end with.
    __asm__ volatile("" : "+v"(y[r]));
  }
  block->scales++;
  block->panel_scales += BK_PANEL;
}

// Adds the group of one tile while the two that follow, if they do, are on their way.
INLINE void take_turn(
    const BKScaleProduct product, const int tile, size_t groups_left, Block *block,
    int32_t sums[2][SIDE][SIDE], vf y[SIDE]) {
  if (groups_left > 2) multiply_next(tile, block);
  if (groups_left > 1) store_sums(1 - tile, sums[1 - tile]);
  add_next(product, block, sums[tile], y);
}

// Sixteen rows times as many columns. The first `skipped` rows have their results already.
INLINE void multiply_block(
    const BKScaleProduct product, const BKProductShape *shape, const BKRows *a, size_t first_row,
    const BKColumns *b, size_t first_column, size_t skipped, const BKResult *result) {
  _Alignas(64) int32_t sums[2][SIDE][SIDE];
  const size_t groups = shape->groups;
  Block block = {
      a->elements + first_row * a->stride, b->elements + 4 * first_column, a->stride,
      shape->words, groups, a->scales + first_row * groups, b->scales + first_column};
  vf y[SIDE];
  UNROLLED for (int r = 0; r < SIDE; r++) y[r] = (vf)0.0f;
  multiply_next(0, &block);
  if (groups > 1) multiply_next(1, &block);
  store_sums(0, sums[0]);
  for (size_t left = groups; left > 0; left -= 2) {
    take_turn(product, 0, left, &block, sums, y);
    if (left == 1) break;
    take_turn(product, 1, left - 1, &block, sums, y);
  }
  vf done[SIDE];
  memcpy(done, y, sizeof done);
  for (size_t r = skipped; r < SIDE; r++)
    store_result(result, first_row + r, first_column, done[r]);
}

// The last rows, which are few, by vectors.
INLINE void multiply_last_rows(
    const BKProductShape *shape, const BKRows *a, size_t first, const BKColumns *b,
    const BKResult *result) {
  BKRows rows = *a;
  BKResult target = *result;
  rows.elements += first * a->stride;
  rows.scales += first * shape->groups;
  rows.offsets += first * shape->groups;
  rows.rows -= first;
  target.values += first * result->stride;
  multiply(shape, &rows, b, &target);
}

// At least sixteen rows. What whole blocks leave is in a last block that takes rows before once
// more.
INLINE void multiply_short_groups(
    const BKScaleProduct product, const BKProductShape *shape, const BKRows *a, const BKColumns *b,
    const BKResult *result) {
  shape_tiles(SIDE, SIDE, shape->words);
  size_t row = 0;
  while (a->rows - row >= LEAST_ROWS) {
    size_t first = row + SIDE <= a->rows ? row : a->rows - SIDE;
    claim_rows(result, first, SIDE);
    for (size_t column = 0; column < result->columns; column += SIDE)
      multiply_block(product, shape, a, first, b, column, row - first, result);
    row = first + SIDE;
  }
  _tile_release();
  if (row < a->rows) multiply_last_rows(shape, a, row, b, result);
}

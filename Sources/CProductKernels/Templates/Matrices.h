// Tiles of 8-bit integers by the instruction that multiplies matrices, where a level has it.
//
// A block is two rows times two columns: a register holds two words of each of the rows, another
// two words of each of the columns, and a third their four sums, those of the first row first. All
// numbers of a tile are arranged as these sums are, scales too, so that none leaves its lane before
// the result.
//
// Panels are those of every level: a word of all columns, then the next. So two words of four
// columns are zipped to those of two and two, once for all rows of a tile. With two rows that costs
// as many instructions as it saves; so tiles have four rows or more. Fewer rows, and groups of an
// odd number of words, are left to the tiles of dot products.

#ifdef HAS_MATRIX_DOT

// What is fixed when a tile is compiled.
typedef struct {
  BKScaleProduct scale_product;
  bool has_middles;
  size_t words;  // those of a group, where they are known; 0 elsewhere
} MatrixKind;

#define MATRIX_PAIRS (MATRIX_ROWS / 2)
// Blocks of a pair of rows.
#define MATRIX_BLOCKS (2 * MATRIX_VECTORS)

typedef uint32_t TwoWords __attribute__((ext_vector_type(2)));
INLINE TwoWords two_words_at(const void *p) { TwoWords v; memcpy(&v, p, sizeof v); return v; }

// The lower halves of two registers, and the upper ones.
INLINE vu lower_words(vu a, vu b) { return __builtin_shufflevector(a, b, 0, 1, 4, 5); }
INLINE vu upper_words(vu a, vu b) { return __builtin_shufflevector(a, b, 2, 3, 6, 7); }

// A number of each of two rows, which lie `step` apart, in the lanes of a block.
INLINE vf numbers_of_rows(const float *p, size_t step) {
  return __builtin_shufflevector((vf)float_at(p), (vf)float_at(p + step), 0, 1, 4, 5);
}
// A number of each of two columns.
INLINE vf numbers_of_columns(const float *p) {
  TwoWords both = two_words_at(p);
  return floats_of(__builtin_shufflevector(both, both, 0, 1, 0, 1));
}

// Two words of all columns of a tile times those of pairs of rows.
INLINE void multiply_two_words(
    const int pairs, const uint8_t *row, size_t stride, const uint8_t *panel,
    vi sums[][MATRIX_BLOCKS]) {
  vu rows[MATRIX_PAIRS];
  UNROLLED for (int p = 0; p < pairs; p++) {
    const uint8_t *even = row + (size_t)(2 * p) * stride, *odd = even + stride;
    rows[p] = __builtin_shufflevector(two_words_at(even), two_words_at(odd), 0, 1, 2, 3);
  }
  UNROLLED for (int v = 0; v < MATRIX_VECTORS; v++) {
    const uint8_t *words = panel + (size_t)v * sizeof(vu);
    vu first = load_u(words), second = load_u(words + 4 * BK_PANEL);
    vu lower = __builtin_shufflevector(first, second, 0, 4, 1, 5);
    vu upper = __builtin_shufflevector(first, second, 2, 6, 3, 7);
    UNROLLED for (int p = 0; p < pairs; p++) {
      sums[p][2 * v] = dot_matrices(sums[p][2 * v], rows[p], lower);
      sums[p][2 * v + 1] = dot_matrices(sums[p][2 * v + 1], rows[p], upper);
    }
  }
}

// Sums of an even number of words from the row and the panel on, which move behind them.
INLINE void multiply_even_words(
    const int pairs, size_t words, const uint8_t **row, size_t stride, const uint8_t **panel,
    vi sums[][MATRIX_BLOCKS]) {
  size_t word = 0;
  for (; word + 4 <= words; word += 4) {
    multiply_two_words(pairs, *row, stride, *panel, sums);
    multiply_two_words(pairs, *row + 8, stride, *panel + 8 * BK_PANEL, sums);
    *row += 16;
    *panel += 16 * BK_PANEL;
  }
  if (word < words) {
    multiply_two_words(pairs, *row, stride, *panel, sums);
    *row += 8;
    *panel += 8 * BK_PANEL;
  }
}

// A group's dot products times the scales of two rows and two columns, added to sums.
INLINE vf add_block(const BKScaleProduct product, vf dot, vf columns, vf rows, vf sum) {
  bool adds = product == BK_ADDED_EXPONENTS;
  return fma_f(dot, adds ? floats_of(bits_of(columns) + bits_of(rows)) : columns * rows, sum);
}

// Numbers of pairs of rows times those of columns, added to sums.
INLINE void add_products(
    const int pairs, const float *of_rows, size_t step, const float *of_columns,
    vf sums[][MATRIX_BLOCKS]) {
  UNROLLED for (int p = 0; p < pairs; p++) {
    vf rows = numbers_of_rows(of_rows + (size_t)(2 * p) * step, step);
    UNROLLED for (int block = 0; block < MATRIX_BLOCKS; block++)
      sums[p][block] = fma_f(numbers_of_columns(of_columns + 2 * block), rows, sums[p][block]);
  }
}

// What a group adds to the sums of a tile; the numbers of its rows are at `of_rows`, those of a row
// `groups` after those of the last, and the numbers of its columns at `of_columns`.
INLINE void add_blocks(
    const MatrixKind kind, const int pairs, size_t groups, const BKRows *a, size_t of_rows,
    const BKColumns *b, size_t of_columns, vi dots[][MATRIX_BLOCKS], vf sums[][MATRIX_BLOCKS]) {
  UNROLLED for (int p = 0; p < pairs; p++) {
    vf rows = numbers_of_rows(a->scales + of_rows + (size_t)(2 * p) * groups, groups);
    UNROLLED for (int block = 0; block < MATRIX_BLOCKS; block++) {
      vf columns = numbers_of_columns(b->scales + of_columns + 2 * block);
      vf dot = __builtin_convertvector(dots[p][block], vf);
      sums[p][block] = add_block(kind.scale_product, dot, columns, rows, sums[p][block]);
    }
  }
  if (kind.has_middles && b->middles)
    add_products(pairs, a->sums + of_rows, groups, b->middles + of_columns, sums);
  if (kind.has_middles && a->middles)
    add_products(pairs, a->middles + of_rows, groups, b->sums + of_columns, sums);
}

INLINE void store_blocks(
    const int pairs, const BKResult *result, size_t first_row, size_t first_column,
    vf y[][MATRIX_BLOCKS]) {
  UNROLLED for (int p = 0; p < pairs; p++) {
    UNROLLED for (int v = 0; v < MATRIX_VECTORS; v++) {
      vu left = bits_of(y[p][2 * v]), right = bits_of(y[p][2 * v + 1]);
      const size_t row = first_row + (size_t)(2 * p), column = first_column + (size_t)(4 * v);
      store_result(result, row, column, floats_of(lower_words(left, right)));
      store_result(result, row + 1, column, floats_of(upper_words(left, right)));
    }
  }
}

INLINE void matrix_tile(
    const MatrixKind kind, const int pairs, const BKProductShape *shape, const BKRows *a,
    size_t first_row, const BKColumns *b, size_t first_column, const BKResult *result) {
  const uint8_t *panel = b->elements + first_column * 4;
  const uint8_t *row = a->elements + first_row * a->stride;
  const size_t groups = shape->groups;
  const size_t words = kind.words != 0 ? kind.words : shape->words;
  claim_rows(result, first_row, 2 * pairs);
  vf y[MATRIX_PAIRS][MATRIX_BLOCKS];
  UNROLLED for (int p = 0; p < pairs; p++) {
    UNROLLED for (int block = 0; block < MATRIX_BLOCKS; block++) y[p][block] = (vf)0.0f;
  }
  for (size_t group = 0; group < groups; group++) {
    vi dots[MATRIX_PAIRS][MATRIX_BLOCKS];
    UNROLLED for (int p = 0; p < pairs; p++) {
      UNROLLED for (int block = 0; block < MATRIX_BLOCKS; block++) dots[p][block] = (vi)0;
    }
    multiply_even_words(pairs, words, &row, a->stride, &panel, dots);
    add_blocks(
        kind, pairs, groups, a, first_row * groups + group, b, group * BK_PANEL + first_column,
        dots, y);
  }
  store_blocks(pairs, result, first_row, first_column, y);
}

// As many rows as these tiles do best, and how many that are.
INLINE size_t multiply_matrices(
    const MatrixKind kind, const BKProductShape *shape, const BKRows *a, const BKColumns *b,
    const BKResult *result) {
  if (shape->words % 2 != 0) return 0;
  size_t row = 0;
  for (size_t column = 0; column < BK_PANEL; column += 4 * MATRIX_VECTORS) {
    row = 0;
    for (; row + MATRIX_ROWS <= a->rows; row += MATRIX_ROWS)
      matrix_tile(kind, MATRIX_PAIRS, shape, a, row, b, column, result);
    for (; row + 4 <= a->rows; row += 4)
      matrix_tile(kind, 2, shape, a, row, b, column, result);
  }
  return row;
}

#endif

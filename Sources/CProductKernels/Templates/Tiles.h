// Tiles: some rows times some vectors of columns, whose sums stay in registers over all groups.

// What is fixed when a tile is compiled.
typedef struct {
  BKUnit unit;
  BKScaleProduct scale_product;
  bool flushes;
  bool has_nibbles;
  bool has_middles;  // rows or columns may have them
  int rows;     // the most rows of a tile,
  int vectors;  // and its vectors of columns
  size_t words;  // those of a group, in one run, where they are known; 0 elsewhere
} TileKind;

#define MOST_ROWS 14
#define PANEL_VECTORS (BK_PANEL / LANES)

// The bytes of a word of all columns; two words of nibbles share them.
INLINE size_t word_bytes(const TileKind kind) { return BK_PANEL * (kind.has_nibbles ? 2 : 4); }

// Whether sums begin with numbers of their rows, and with how many for a group.
INLINE bool has_offsets(const TileKind kind) {
  return kind.unit == BK_INT8 || kind.unit == BK_INT8_RUNS;
}
INLINE size_t offsets_of_group(const TileKind kind, const BKProductShape *shape) {
  bool has_runs = kind.unit == BK_INT8_RUNS && kind.words == 0;
  return has_runs ? (shape->words + shape->run - 1) / shape->run : 1;
}

// Tiles of few rows wait for memory, where one panel follows another.
#define FETCH_DISTANCE 8192
INLINE void fetch_ahead(const void *panel, const size_t bytes) {
  UNROLLED for (size_t byte = 0; byte < bytes; byte += 64)
    __builtin_prefetch((const void *)((uintptr_t)panel + FETCH_DISTANCE + byte));
}

// Word `index` from here on, of some rows and vectors of columns.
INLINE void multiply_word(
    const TileKind kind, const int rows, const int index, const uint8_t *row, size_t stride,
    const uint8_t *panel, ByteTable values, vu sums[][PANEL_VECTORS]) {
  Word columns[PANEL_VECTORS];
  UNROLLED for (int v = 0; v < kind.vectors; v++) {
    size_t line = (size_t)(kind.has_nibbles ? index / 2 : index) * BK_PANEL * 4;
    vu word = load_u(panel + line + v * sizeof(vu));
    if (kind.has_nibbles) word = nibble_values(values, index % 2 ? word >> 4 : word);
    columns[v] = column_words(kind.unit, kind.flushes, word);
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    Word word = row_words(kind.unit, kind.flushes, word_at(row + (size_t)r * stride + 4 * index));
    UNROLLED for (int v = 0; v < kind.vectors; v++) {
      sums[r][v] = step(kind.unit, kind.flushes, sums[r][v], columns[v], word);
    }
  }
}

// A group's dot product times the scales of a row and some columns, added to a sum.
INLINE vf add_group(
    const BKScaleProduct product, const double unit, vf dot, vf columns, const float *row, vf sum) {
  switch (product) {
    case BK_MULTIPLIED: return fma_f(dot, columns * (vf)float_at(row), sum);
    case BK_ADDED_EXPONENTS:
      return fma_f(dot, floats_of(bits_of(columns) + (vu)word_at(row)), sum);
    case BK_UNLIMITED_EXPONENTS:
      return add_unlimited(unit, dot, columns, float_at(row), sum);
  }
}

// What offsets add to a group's sums: numbers of some rows, which lie `step` apart, times those of
// columns.
INLINE void add_middles(
    const int rows, const float *of_rows, size_t step, vf of_columns, const int v,
    vf sums[][PANEL_VECTORS]) {
  UNROLLED for (int r = 0; r < rows; r++)
    sums[r][v] = fma_f(of_columns, (vf)float_at(of_rows + (size_t)r * step), sums[r][v]);
}

// Sums of some words from the row and the panel on, which move behind them.
INLINE void multiply_words(
    const TileKind kind, const int rows, size_t words, const uint8_t **row, size_t stride,
    const uint8_t **panel, ByteTable values, vu sums[][PANEL_VECTORS]) {
  const size_t least = kind.has_nibbles ? 2 : 1;
  size_t word = 0;
  for (; word + 4 <= words; word += 4) {
    if (rows <= 2) fetch_ahead(*panel, 4 * word_bytes(kind));
    UNROLLED for (int i = 0; i < 4; i++)
      multiply_word(kind, rows, i, *row, stride, *panel, values, sums);
    *row += 16;
    *panel += 4 * word_bytes(kind);
  }
  for (; word < words; word += least) {
    UNROLLED for (int i = 0; i < (int)least; i++)
      multiply_word(kind, rows, i, *row, stride, *panel, values, sums);
    *row += 4 * least;
    *panel += least * word_bytes(kind);
  }
}

// What the sums of some rows begin with: the same in every column.
INLINE void begin_sums(
    const TileKind kind, const int rows, const int32_t *offsets, size_t step,
    vu sums[][PANEL_VECTORS]) {
  UNROLLED for (int r = 0; r < rows; r++) {
    vu first = zeros();
    if (kind.unit == BK_INT8) first = (vu)first_int8(offsets[(size_t)r * step]);
    if (kind.unit == BK_INT8_RUNS) first = (vu)(vi)offsets[(size_t)r * step];
    UNROLLED for (int v = 0; v < kind.vectors; v++)
      sums[r][v] = has_offsets(kind) ? first : zeros();
  }
}

// The runs of a group.
INLINE void multiply_runs(
    const TileKind kind, const int rows, const BKProductShape *shape, const uint8_t **row,
    size_t stride, const uint8_t **panel, const int32_t *offsets, size_t step, ByteTable values,
    vu sums[][PANEL_VECTORS]) {
  size_t word = 0;
  const size_t all = kind.words != 0 ? kind.words : shape->words;
  vi totals[MOST_ROWS][PANEL_VECTORS];
  do {
    size_t rest = all - word, words = kind.words != 0 || rest < shape->run ? rest : shape->run;
    begin_sums(kind, rows, offsets++, step, sums);
    multiply_words(kind, rows, words, row, stride, panel, values, sums);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < kind.vectors; v++) {
        vi run = widened_pairs(sums[r][v]);
        totals[r][v] = word == 0 ? run : totals[r][v] + run;
      }
    }
    word += words;
  } while (word < all);
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++) sums[r][v] = (vu)totals[r][v];
  }
}

INLINE void tile(
    const TileKind kind, const int rows, const BKProductShape *shape, const BKRows *a,
    size_t first_row, const BKColumns *b, size_t first_column, ByteTable values,
    const BKResult *result) {
  const uint8_t *panel = b->elements + first_column * 4;
  const float *panel_scales = b->scales ? b->scales + first_column : NULL;
  const bool is_grouped = kind.unit != BK_FLOAT32_FMA;
  const uint8_t *row = a->elements + first_row * a->stride;
  const float *scales = is_grouped ? a->scales + first_row * shape->groups : NULL;
  const size_t runs = offsets_of_group(kind, shape), step = runs * shape->groups;
  const int32_t *offsets = has_offsets(kind) ? a->offsets + first_row * step : NULL;
  // Only integers have middles.
  const size_t first_group = first_row * shape->groups;
  const float *row_sums = a->sums ? a->sums + first_group : NULL;
  const float *row_middles = a->middles ? a->middles + first_group : NULL;
  const float *columns_middles = b->middles ? b->middles + first_column : NULL;
  const float *columns_sums = b->sums ? b->sums + first_column : NULL;
  claim_rows(result, first_row, rows);
  vf y[MOST_ROWS][PANEL_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++) y[r][v] = (vf)0.0f;
  }
  for (size_t group = 0; group < shape->groups; group++) {
    vu d[MOST_ROWS][PANEL_VECTORS];
    if (kind.unit == BK_INT8_RUNS) {
      multiply_runs(
          kind, rows, shape, &row, a->stride, &panel, offsets + group * runs, step, values, d);
    } else {
      begin_sums(kind, rows, has_offsets(kind) ? offsets + group : NULL, step, d);
      const size_t words = kind.words != 0 ? kind.words : shape->words;
      multiply_words(kind, rows, words, &row, a->stride, &panel, values, d);
    }
    if (is_grouped && rows <= 2)
      fetch_ahead(panel_scales + group * BK_PANEL, BK_PANEL * sizeof(float));
    UNROLLED for (int v = 0; v < kind.vectors; v++) {
      vf factors = (vf)1.0f;
      if (is_grouped) factors = load_f(panel_scales + group * BK_PANEL + v * LANES);
      UNROLLED for (int r = 0; r < rows; r++) {
        vf dot = finished(kind.unit, d[r][v]);
        if (is_grouped) {
          const float *scale = scales + (size_t)r * shape->groups + group;
          y[r][v] = add_group(kind.scale_product, shape->scale_unit, dot, factors, scale, y[r][v]);
        } else {
          y[r][v] = dot;
        }
      }
      const size_t column = group * BK_PANEL + (size_t)v * LANES;
      if (kind.has_middles && columns_middles)
        add_middles(rows, row_sums + group, shape->groups, load_f(columns_middles + column), v, y);
      if (kind.has_middles && row_middles)
        add_middles(rows, row_middles + group, shape->groups, load_f(columns_sums + column), v, y);
    }
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++)
      store_result(result, first_row + (size_t)r, first_column + (size_t)v * LANES, y[r][v]);
  }
}

// The rows that an instruction on matrices has multiplied, the first of all.
INLINE size_t matrix_rows(
    const TileKind kind, const BKProductShape *shape, const BKRows *a, const BKColumns *b,
    const BKResult *result) {
#ifdef HAS_MATRIX_DOT
  if (kind.unit == BK_INT8 && !kind.has_nibbles && kind.rows > 2)
    return multiply_matrices(
        (MatrixKind){kind.scale_product, kind.has_middles, kind.words}, shape, a, b, result);
#endif
  return 0;
}

// All rows, in tiles of as many as there is room for. The last two, which wait for memory, meet more
// columns in a pass.
INLINE void multiply_tiles(
    const TileKind kind, const BKProductShape *shape, const BKRows *a, const BKColumns *b,
    const int8_t *nibbles, const BKResult *result) {
  ByteTable values = byte_table_of(nibbles);
  const size_t done = matrix_rows(kind, shape, a, b, result);
  size_t first_row = done;
#define TILES(kind, count)                                                                       \
  for (; row + (count) <= a->rows; row += (count))                                               \
    tile(kind, count, shape, a, row, b, (size_t)first * LANES, values, result);
  if (kind.rows > 2) {
    for (int first = 0; first < PANEL_VECTORS; first += kind.vectors) {
      size_t row = done;
      TILES(kind, kind.rows)
      if (kind.rows > 4) { TILES(kind, 4) }
      first_row = row;
    }
  }
  TileKind few = kind;
  if (few.vectors < FEW_VECTORS && few.vectors >= TILE_VECTORS) few.vectors = FEW_VECTORS;
  for (int first = 0; first < PANEL_VECTORS; first += few.vectors) {
    size_t row = first_row;
    TILES(few, 2)
    TILES(few, 1)
  }
#undef TILES
}

#define MULTIPLIER_WITH(name, length, ...)                                                       \
  static NOINLINE void name(                                                                     \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const int8_t *nibbles, const BKResult *result) {                                           \
    multiply_tiles((TileKind){__VA_ARGS__, length}, shape, rows, columns, nibbles, result);      \
  }
#define MULTIPLIER(name, ...) MULTIPLIER_WITH(name, 0, __VA_ARGS__)
// The same where groups of a usual length have a function of their own.
#define MULTIPLIER_OF(name, length, ...)                                                         \
  MULTIPLIER_WITH(name##_##length, length, __VA_ARGS__)                                          \
  MULTIPLIER_WITH(name##_any, 0, __VA_ARGS__)                                                    \
  INLINE void name(                                                                              \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const int8_t *nibbles, const BKResult *result) {                                           \
    bool is_known = shape->words == length && (shape->run == 0 || shape->run >= length);         \
    (is_known ? name##_##length : name##_any)(shape, rows, columns, nibbles, result);            \
  }

// Groups of 16 with scales of any kind, and of 32 with powers of two, have four and eight words.
MULTIPLIER_OF(
    int8_multiplied, 4, BK_INT8, BK_MULTIPLIED, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER_OF(
    int8_added, 8, BK_INT8, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(int8_middles, BK_INT8, BK_MULTIPLIED, false, false, true, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(nibbles_multiplied, BK_INT8, BK_MULTIPLIED, false, true, false, 2, TILE_VECTORS)
MULTIPLIER(nibbles_added, BK_INT8, BK_ADDED_EXPONENTS, false, true, false, 2, TILE_VECTORS)
MULTIPLIER(nibbles_middles, BK_INT8, BK_MULTIPLIED, false, true, true, 2, TILE_VECTORS)
MULTIPLIER_OF(
    runs_multiplied, 4, BK_INT8_RUNS, BK_MULTIPLIED, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER_OF(
    runs_added, 8, BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(runs_middles, BK_INT8_RUNS, BK_MULTIPLIED, false, false, true, TILE_ROWS, TILE_VECTORS)
MULTIPLIER_OF(
    nibble_runs_multiplied, 4, BK_INT8_RUNS, BK_MULTIPLIED, false, true, false, NIBBLE_ROWS,
    TILE_VECTORS)
MULTIPLIER_OF(
    nibble_runs_added, 8, BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, true, false, NIBBLE_ROWS,
    TILE_VECTORS)
MULTIPLIER(
    nibble_runs_middles, BK_INT8_RUNS, BK_MULTIPLIED, false, true, true, NIBBLE_ROWS, TILE_VECTORS)
MULTIPLIER(int16_multiplied, BK_INT16, BK_MULTIPLIED, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(int16_added, BK_INT16, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(int16_middles, BK_INT16, BK_MULTIPLIED, false, false, true, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(
    bfloat16_multiplied, BK_BFLOAT16_DOT, BK_MULTIPLIED, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER(
    bfloat16_added, BK_BFLOAT16_DOT, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER(
    bfloat16_flushing, BK_BFLOAT16_DOT, BK_MULTIPLIED, true, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(
    wide_multiplied, BK_BFLOAT16_WIDE, BK_MULTIPLIED, false, false, false, FLOAT_ROWS,
    FLOAT_VECTORS)
MULTIPLIER(
    wide_added, BK_BFLOAT16_WIDE, BK_ADDED_EXPONENTS, false, false, false, FLOAT_ROWS,
    FLOAT_VECTORS)
MULTIPLIER(
    wide_flushing, BK_BFLOAT16_WIDE, BK_MULTIPLIED, true, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(float32, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false, false, FLOAT_ROWS, FLOAT_VECTORS)

// Rare, so small, and the same with middles. Sums that cannot be tiny flush to themselves.
MULTIPLIER(int8_unlimited, BK_INT8, BK_UNLIMITED_EXPONENTS, false, false, true, 2, 1)
MULTIPLIER(nibbles_unlimited, BK_INT8, BK_UNLIMITED_EXPONENTS, false, true, true, 2, 1)
MULTIPLIER(runs_unlimited, BK_INT8_RUNS, BK_UNLIMITED_EXPONENTS, false, false, true, 2, 1)
MULTIPLIER(nibble_runs_unlimited, BK_INT8_RUNS, BK_UNLIMITED_EXPONENTS, false, true, true, 2, 1)
MULTIPLIER(int16_unlimited, BK_INT16, BK_UNLIMITED_EXPONENTS, false, false, true, 2, 1)
MULTIPLIER(bfloat16_unlimited, BK_BFLOAT16_DOT, BK_UNLIMITED_EXPONENTS, true, false, false, 2, 1)
MULTIPLIER(wide_unlimited, BK_BFLOAT16_WIDE, BK_UNLIMITED_EXPONENTS, true, false, false, 2, 1)

typedef void Multiplier(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const int8_t *nibbles, const BKResult *result);

// Middles come with factors that are multiplied, or without limits.
INLINE Multiplier *by_scale_product(
    BKScaleProduct product, bool has_middles, Multiplier *multiplied, Multiplier *added,
    Multiplier *middles, Multiplier *unlimited) {
  switch (product) {
    case BK_MULTIPLIED: return has_middles ? middles : multiplied;
    case BK_ADDED_EXPONENTS: return added;
    case BK_UNLIMITED_EXPONENTS: return unlimited;
  }
}

INLINE Multiplier *multiplier(const BKProductShape *shape, const bool has_middles) {
  BKScaleProduct product = shape->scale_product;
  switch (shape->unit) {
    case BK_INT8:
      return by_scale_product(
          product, has_middles, int8_multiplied, int8_added, int8_middles, int8_unlimited);
    case BK_INT8_RUNS:
      return by_scale_product(
          product, has_middles, runs_multiplied, runs_added, runs_middles, runs_unlimited);
    case BK_INT16:
      return by_scale_product(
          product, has_middles, int16_multiplied, int16_added, int16_middles, int16_unlimited);
    case BK_BFLOAT16_DOT:
      return by_scale_product(
          product, false, shape->flushes ? bfloat16_flushing : bfloat16_multiplied,
          bfloat16_added, bfloat16_multiplied, bfloat16_unlimited);
    case BK_BFLOAT16_WIDE:
      return by_scale_product(
          product, false, shape->flushes ? wide_flushing : wide_multiplied, wide_added,
          wide_multiplied, wide_unlimited);
    case BK_FLOAT32_FMA: return float32;
  }
}

INLINE bool have_middles(const BKRows *rows, const BKColumns *columns) {
  return rows->middles || columns->middles;
}

static void multiply(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const BKResult *result) {
  multiplier(shape, have_middles(rows, columns))(shape, rows, columns, NULL, result);
}

static void multiply_nibbles(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const int8_t *values, const BKResult *result) {
  BKScaleProduct product = shape->scale_product;
  bool has_middles = have_middles(rows, columns);
  Multiplier *multiplier =
      shape->unit == BK_INT8_RUNS
          ? by_scale_product(
                product, has_middles, nibble_runs_multiplied, nibble_runs_added,
                nibble_runs_middles, nibble_runs_unlimited)
          : by_scale_product(
                product, has_middles, nibbles_multiplied, nibbles_added, nibbles_middles,
                nibbles_unlimited);
  multiplier(shape, rows, columns, values, result);
}

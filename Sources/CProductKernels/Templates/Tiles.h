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
  // Words of a group and of its runs, all as long, where they are known; 0 elsewhere.
  size_t words, run;
} TileKind;

// What is multiplied.
typedef struct {
  const BKProductShape *shape;
  const BKRows *a;
  const BKColumns *b;
  ByteTable values;  // of nibbles
  const BKResult *result;
} Product;

// What a tile takes in one go: some groups, or some words of the only one.
typedef struct {
  size_t group, groups;
  size_t word, words;
} Part;

// Levels that gain by parts say up to how many rows; in the others a tile takes everything.
#ifdef PART_ROWS
#define HAS_PARTS true
#else
#define HAS_PARTS false
#define PART_ROWS 2
#endif

#define MOST_ROWS 14
#define PANEL_VECTORS (BK_PANEL / LANES)

// Compilers that may regroup the sums of many words need more registers than some levels have, and
// spill what is read most. Levels that define this pin every sum to its place; others take no more
// than four words at a time.
#ifdef PIN
#define HAS_PINS true
#else
#define HAS_PINS false
#define PIN(sum)
#endif

// The bytes of a word of all columns; two words of nibbles share them.
INLINE size_t word_bytes(const TileKind kind) { return BK_PANEL * (kind.has_nibbles ? 2 : 4); }

// Whether sums begin with numbers of their rows, and with how many for a group.
INLINE bool has_offsets(const TileKind kind) {
  return kind.unit == BK_INT8 || kind.unit == BK_INT8_RUNS;
}
INLINE size_t offsets_of_group(const TileKind kind, const BKProductShape *shape) {
  if (kind.unit != BK_INT8_RUNS) return 1;
  return kind.words != 0 ? kind.words / kind.run : (shape->words + shape->run - 1) / shape->run;
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
      PIN(sums[r][v]);
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
    vu sums[][PANEL_VECTORS]) {
  UNROLLED for (int r = 0; r < rows; r++) {
    vf of_row = (vf)float_at(of_rows + (size_t)r * step);
    sums[r][v] = bits_of(fma_f(of_columns, of_row, floats_of(sums[r][v])));
  }
}

// Sums of some words from the row and the panel on, which move behind them.
INLINE void multiply_words(
    const TileKind kind, const int rows, size_t words, const uint8_t **row, size_t stride,
    const uint8_t **panel, ByteTable values, vu sums[][PANEL_VECTORS]) {
  // Known ones are one stretch of code, which without pins would lose more than it gains.
  if (kind.words != 0 && HAS_PINS) {
    UNROLLED for (size_t i = 0; i < kind.run; i++) {
      if (rows <= 2 && i % 4 == 0) fetch_ahead(*panel + i * word_bytes(kind), 4 * word_bytes(kind));
      multiply_word(kind, rows, (int)i, *row, stride, *panel, values, sums);
    }
    *row += 4 * kind.run;
    *panel += kind.run * word_bytes(kind);
    return;
  }
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

// A run, and its sums added to those of the group.
INLINE void multiply_run(
    const TileKind kind, const int rows, size_t words, const bool is_first, const uint8_t **row,
    size_t stride, const uint8_t **panel, const int32_t *offsets, size_t step, ByteTable values,
    vu totals[][PANEL_VECTORS]) {
  vu sums[MOST_ROWS][PANEL_VECTORS];
  begin_sums(kind, rows, offsets, step, sums);
  multiply_words(kind, rows, words, row, stride, panel, values, sums);
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++) {
      vu sum = (vu)widened_pairs(sums[r][v]);
      totals[r][v] = is_first ? sum : totals[r][v] + sum;
    }
  }
}

// The runs of a group.
INLINE void multiply_runs(
    const TileKind kind, const int rows, const BKProductShape *shape, const uint8_t **row,
    size_t stride, const uint8_t **panel, const int32_t *offsets, size_t step, ByteTable values,
    vu totals[][PANEL_VECTORS]) {
  if (kind.words != 0) {
    UNROLLED for (size_t word = 0; word < kind.words; word += kind.run)
      multiply_run(
          kind, rows, kind.run, word == 0, row, stride, panel, offsets++, step, values, totals);
    return;
  }
  size_t word = 0;
  do {
    size_t rest = shape->words - word, words = rest < shape->run ? rest : shape->run;
    multiply_run(
        kind, rows, words, word == 0, row, stride, panel, offsets++, step, values, totals);
    word += words;
  } while (word < shape->words);
}

// Sums that wait for the next part of their product, of all rows and columns.
INLINE void keep(
    const TileKind kind, const int rows, vu sums[][PANEL_VECTORS], vu *kept, size_t row,
    size_t column) {
  vu *own = kept + row * PANEL_VECTORS + column / LANES;
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++) own[r * PANEL_VECTORS + v] = sums[r][v];
  }
}
INLINE void take_up(
    const TileKind kind, const int rows, const vu *kept, size_t row, size_t column,
    vu sums[][PANEL_VECTORS]) {
  const vu *own = kept + row * PANEL_VECTORS + column / LANES;
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++) sums[r][v] = own[r * PANEL_VECTORS + v];
  }
}

// Part of a product: sums that go on afterwards are kept.
INLINE void tile(
    const TileKind kind, const int rows, const Product *product, const Part *own,
    size_t first_row, size_t first_column, vu *kept) {
  const BKProductShape *shape = product->shape;
  const Part all = {0, shape->groups, 0, shape->words};
  const Part part = HAS_PARTS ? *own : all;
  const BKRows *a = product->a;
  const BKColumns *b = product->b;
  const BKResult *result = product->result;
  const size_t first_word = part.group * shape->words + part.word;
  const uint8_t *panel = b->elements + first_column * 4 + first_word * word_bytes(kind);
  const float *panel_scales = b->scales ? b->scales + first_column : NULL;
  const bool is_grouped = kind.unit != BK_FLOAT32_FMA;
  const uint8_t *row = a->elements + first_row * a->stride + first_word * 4;
  const float *scales = is_grouped ? a->scales + first_row * shape->groups : NULL;
  const size_t runs = offsets_of_group(kind, shape), step = runs * shape->groups;
  const int32_t *offsets = has_offsets(kind) ? a->offsets + first_row * step : NULL;
  // Only integers have middles.
  const size_t first_group = first_row * shape->groups;
  const float *row_sums = a->sums ? a->sums + first_group : NULL;
  const float *row_middles = a->middles ? a->middles + first_group : NULL;
  const float *columns_middles = b->middles ? b->middles + first_column : NULL;
  const float *columns_sums = b->sums ? b->sums + first_column : NULL;
  const size_t end = part.group + part.groups;
  vu y[MOST_ROWS][PANEL_VECTORS];
  if (HAS_PARTS && part.group > 0) {
    take_up(kind, rows, kept, first_row, first_column, y);
  } else {
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < kind.vectors; v++) y[r][v] = (vu)0;
    }
  }
  if (!HAS_PARTS || end == shape->groups) claim_rows(result, first_row, rows);
  for (size_t group = part.group; group < end; group++) {
    vu d[MOST_ROWS][PANEL_VECTORS];
    if (kind.unit == BK_INT8_RUNS) {
      multiply_runs(
          kind, rows, shape, &row, a->stride, &panel, offsets + group * runs, step,
          product->values, d);
    } else {
      if (HAS_PARTS && kind.words == 0 && part.word > 0) {
        take_up(kind, rows, kept, first_row, first_column, d);
      } else {
        begin_sums(kind, rows, has_offsets(kind) ? offsets + group : NULL, step, d);
      }
      const size_t words = kind.words != 0 ? kind.words : part.words;
      multiply_words(kind, rows, words, &row, a->stride, &panel, product->values, d);
      if (HAS_PARTS && kind.words == 0 && part.word + part.words < shape->words) {
        keep(kind, rows, d, kept, first_row, first_column);
        return;
      }
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
          dot = add_group(
              kind.scale_product, shape->scale_unit, dot, factors, scale, floats_of(y[r][v]));
        }
        y[r][v] = bits_of(dot);
      }
      const size_t column = group * BK_PANEL + (size_t)v * LANES;
      if (kind.has_middles && columns_middles)
        add_middles(rows, row_sums + group, shape->groups, load_f(columns_middles + column), v, y);
      if (kind.has_middles && row_middles)
        add_middles(rows, row_middles + group, shape->groups, load_f(columns_sums + column), v, y);
    }
  }
  if (HAS_PARTS && end < shape->groups) {
    keep(kind, rows, y, kept, first_row, first_column);
    return;
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < kind.vectors; v++)
      store_result(
          result, first_row + (size_t)r, first_column + (size_t)v * LANES, floats_of(y[r][v]));
  }
}

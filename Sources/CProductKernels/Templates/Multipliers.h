// The functions that multiply, one for each kind of product, and which one a product takes.

#define MULTIPLIER_OF(words, run, name, ...)                                                     \
  static NOINLINE void name##_##words##_##run(                                                   \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const int8_t *nibbles, const BKResult *result) {                                           \
    const Product product = {shape, rows, columns, byte_table_of(nibbles), result};              \
    multiply_tiles((TileKind){__VA_ARGS__, words, run}, &product);                               \
  }
#define MULTIPLY_IF_OF(words, run, name)                                                         \
  if (has_groups(shape, words, run)) {                                                           \
    name##_##words##_##run(shape, rows, columns, nibbles, result);                               \
    return;                                                                                      \
  }
// A function for any groups, and one for each of a list of usual ones.
#define MULTIPLIER_WITH(GROUPS, name, ...)                                                       \
  GROUPS(MULTIPLIER_OF, name, __VA_ARGS__)                                                       \
  MULTIPLIER_OF(0, 0, name, __VA_ARGS__)                                                         \
  INLINE void name(                                                                              \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const int8_t *nibbles, const BKResult *result) {                                           \
    GROUPS(MULTIPLY_IF_OF, name)                                                                 \
    name##_0_0(shape, rows, columns, nibbles, result);                                           \
  }
#define MULTIPLIER(name, ...) MULTIPLIER_WITH(NO_GROUPS, name, __VA_ARGS__)

INLINE bool has_groups(const BKProductShape *shape, size_t words, size_t run) {
  if (shape->words != words) return false;
  if (shape->unit != BK_INT8_RUNS) return run == words;
  return run == words ? shape->run >= words : shape->run == run;
}

// Words of a group and of a run. Groups of 16 elements have four words of bytes, and of 32 eight;
// as integers of 16 bits they have twice as many.
#define NO_GROUPS(OF, ...)
#define GROUPS_OF_4(OF, ...) OF(4, 4, __VA_ARGS__)
#define GROUPS_OF_8(OF, ...) OF(8, 8, __VA_ARGS__)
#define GROUPS_OF_4_AND_8(OF, ...) OF(4, 4, __VA_ARGS__) OF(8, 8, __VA_ARGS__)
#define GROUPS_OF_8_AND_16(OF, ...) OF(8, 8, __VA_ARGS__) OF(16, 16, __VA_ARGS__)

// Levels that multiply bytes as they are seldom meet integers of 16 bits, and never runs. Levels
// without pins gain nothing in longer groups or runs.
#if PREFERS_INT16 && HAS_PINS
#define WIDE_GROUPS GROUPS_OF_8_AND_16
#else
#define WIDE_GROUPS NO_GROUPS
#endif
#if PREFERS_RUNS
#define MULTIPLIED_RUNS GROUPS_OF_4
#define ADDED_RUNS GROUPS_IN_RUNS
#define ADDED_NIBBLE_RUNS GROUPS_OF_8
#else
#define MULTIPLIED_RUNS NO_GROUPS
#define ADDED_RUNS NO_GROUPS
#define ADDED_NIBBLE_RUNS NO_GROUPS
#endif
#if HAS_PINS
#define GROUPS_IN_RUNS(OF, ...) GROUPS_OF_4_AND_8(OF, __VA_ARGS__) OF(8, 4, __VA_ARGS__)
#else
#define GROUPS_IN_RUNS GROUPS_OF_8
#endif

// Usual are groups of 16 with scales of any kind, and of 32 and 16 with powers of two.
MULTIPLIER_WITH(
    GROUPS_OF_4, int8_multiplied, BK_INT8, BK_MULTIPLIED, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER_WITH(
    GROUPS_OF_4_AND_8, int8_added, BK_INT8, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER(int8_middles, BK_INT8, BK_MULTIPLIED, false, false, true, TILE_ROWS, TILE_VECTORS)
MULTIPLIER(nibbles_multiplied, BK_INT8, BK_MULTIPLIED, false, true, false, 2, TILE_VECTORS)
MULTIPLIER(nibbles_added, BK_INT8, BK_ADDED_EXPONENTS, false, true, false, 2, TILE_VECTORS)
MULTIPLIER(nibbles_middles, BK_INT8, BK_MULTIPLIED, false, true, true, 2, TILE_VECTORS)
MULTIPLIER_WITH(
    MULTIPLIED_RUNS, runs_multiplied, BK_INT8_RUNS, BK_MULTIPLIED, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER_WITH(
    ADDED_RUNS, runs_added, BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS,
    TILE_VECTORS)
MULTIPLIER(runs_middles, BK_INT8_RUNS, BK_MULTIPLIED, false, false, true, TILE_ROWS, TILE_VECTORS)
MULTIPLIER_WITH(
    MULTIPLIED_RUNS, nibble_runs_multiplied, BK_INT8_RUNS, BK_MULTIPLIED, false, true, false,
    NIBBLE_ROWS, TILE_VECTORS)
MULTIPLIER_WITH(
    ADDED_NIBBLE_RUNS, nibble_runs_added, BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, true, false,
    NIBBLE_ROWS, TILE_VECTORS)
MULTIPLIER(
    nibble_runs_middles, BK_INT8_RUNS, BK_MULTIPLIED, false, true, true, NIBBLE_ROWS, TILE_VECTORS)
MULTIPLIER(int16_multiplied, BK_INT16, BK_MULTIPLIED, false, false, false, TILE_ROWS, TILE_VECTORS)
MULTIPLIER_WITH(
    WIDE_GROUPS, int16_added, BK_INT16, BK_ADDED_EXPONENTS, false, false, false, TILE_ROWS,
    TILE_VECTORS)
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

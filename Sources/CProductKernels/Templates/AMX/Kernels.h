// The products of a level with AMX: of 8-bit integers by tiles where they are quicker, and all
// others by the vectors of the level that these templates follow.
#include "Tiles.h"

// Where less is left, vectors are as quick or quicker: in rows, in words of a group, and in words
// of all groups where these are short and where they are long.
#define LEAST_ROWS 8
#define LEAST_WORDS 8
#define LEAST_SHORT_GROUPS 32
#define LEAST_LONG_GROUPS 128

#include "ShortGroups.h"
#include "LongGroups.h"

typedef void MatrixMultiplier(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const BKResult *result);

#define MATRIX_MULTIPLIER(name, multiply_rows, product)                                          \
  static NOINLINE void name(                                                                     \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const BKResult *result) {                                                                  \
    multiply_rows(product, shape, rows, columns, result);                                        \
  }
MATRIX_MULTIPLIER(short_multiplied, multiply_short_groups, BK_MULTIPLIED)
MATRIX_MULTIPLIER(short_added, multiply_short_groups, BK_ADDED_EXPONENTS)
MATRIX_MULTIPLIER(long_multiplied, multiply_long_groups, BK_MULTIPLIED)
MATRIX_MULTIPLIER(long_added, multiply_long_groups, BK_ADDED_EXPONENTS)

// The function of a product that gains by tiles, or none.
INLINE MatrixMultiplier *matrix_multiplier(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns) {
  const BKScaleProduct product = shape->scale_product;
  if (shape->unit != BK_INT8 || product == BK_UNLIMITED_EXPONENTS || have_middles(rows, columns))
    return NULL;
  const bool adds = product == BK_ADDED_EXPONENTS;
  const size_t words = shape->words, all = shape->groups * words;
  if (words > SIDE && all >= LEAST_LONG_GROUPS && rows->rows >= LEAST_ROWS)
    return adds ? long_added : long_multiplied;
  const bool is_short = words >= LEAST_WORDS && words <= SIDE;
  if (is_short && all >= LEAST_SHORT_GROUPS && rows->rows >= SIDE)
    return adds ? short_added : short_multiplied;
  return NULL;
}

static void multiply_matrices(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const BKResult *result) {
  MatrixMultiplier *multiplier = matrix_multiplier(shape, rows, columns);
  (multiplier ? multiplier : multiply)(shape, rows, columns, result);
}

// Vector kernels for products of quantized matrices: rows of one operand times panels of columns of
// the other.
//
// Each kernel takes plain pointers and sizes, reads and writes nothing outside them, allocates
// nothing and keeps no state. Loops over panels, threads and batches are the caller's. Every level
// computes the same bits.
#ifndef C_PRODUCT_KERNELS_H
#define C_PRODUCT_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernelLevels.h"

#pragma clang assume_nonnull begin

// MARK: - Operands
//
// Elements lie in words of 32 bits: four integers of 8 bits, two of 16, two BF16 numbers or one of
// FP32, the first of them lowest. Groups of elements, inside which scales do not change, begin on a
// word and are filled up with zeros: +0 in columns, and -0 in rows of BF16, so that the products
// add nothing to any sum, -0 included.

// How elements are multiplied and added inside a group.
typedef enum {
  BK_INT8 = 0,
  BK_INT16 = 1,
  BK_BFLOAT16_DOT = 2,
  BK_FLOAT32_FMA = 3,  // one group without scales
  // As `BK_INT8`, where the operands' ranges allow sums in 16 bits. Bytes of columns are unsigned, by
  // a bias b too large. With |a| and |b| the greatest magnitudes of rows and columns:
  // - 4 |a| |b| < 2^15, so that two products of a biased byte are a number of 16 bits;
  // - 2 r |a| |b| < 2^15 for runs of r words, so that the sum of a 16-bit lane over a run is one in
  //   the end; on the way, with the bias, it may wrap.
  // Offsets take the bias back from the start; every run is then widened to 32 bits and added.
  BK_INT8_RUNS = 4,
  // As `BK_BFLOAT16_DOT`, with every number an FP32 one in a word of its own, of each pair the odd one
  // first, and zeros in the place of subnormal ones.
  BK_BFLOAT16_WIDE = 5,
} BKUnit;

// How the two scales of a group make one factor.
typedef enum {
  BK_MULTIPLIED = 0,      // their FP32 product, a normal number unless one is zero or not finite
  // The same for powers of two whose product is a normal number: the rows hold exponents less the
  // bias, moved to their place in an FP32 number, and are added as integers.
  BK_ADDED_EXPONENTS = 1,
  // Their product rounded to 24 bits, with an exponent that has no limits, times `scale_unit`.
  BK_UNLIMITED_EXPONENTS = 2,
} BKScaleProduct;

// The columns of a panel.
#define BK_PANEL 32

typedef struct {
  BKUnit unit;
  BKScaleProduct scale_product;
  // BF16: sums below 2^-126, after rounding without a limit of exponents, become zeros.
  bool flushes;
  size_t groups;
  size_t words;   // of a group
  double scale_unit;  // a power of two from 2^-440 to 2^440; for unlimited exponents only
  size_t run;     // words of a run, even; the last one of a group may be shorter
} BKProductShape;

typedef struct {
  const uint8_t *elements;
  size_t stride;                     // bytes from row to row
  const float *_Nullable scales;     // [row][group]; none for FP32
  // For 8-bit integers: -128 times their sum, [row][group]. For runs, [row][group][run], two sums
  // of 16 bits: low, -b times that of bytes 0 and 1 of every word, and high, of bytes 2 and 3.
  const int32_t *_Nullable offsets;
  const float *_Nullable middles;    // [row][group], meet the sums of columns; integers only
  const float *_Nullable sums;       // [row][group], meet the middles of columns
  size_t rows;
} BKRows;

typedef struct {
  const uint8_t *elements;           // [word][column]
  const float *_Nullable scales;     // [group][column]
  const float *_Nullable middles;    // [group][column]; with them rows have sums
  const float *_Nullable sums;       // [group][column], where rows have middles
} BKColumns;

// How columns hold elements that become numbers where they are multiplied.
typedef enum {
  BK_NIBBLES = 0,  // codes of four bits, which lie as those of 8-bit integers do
  BK_BYTES = 1,    // words of 8-bit integers
  BK_HALVES = 2,   // words of BF16 numbers
} BKCodeForm;

// What such elements stand for.
typedef struct {
  BKCodeForm form;
  // Of nibbles, 16, one for each code; normal numbers and zeros for BF16 rows.
  const float *_Nullable values;
  // FP32: a number is value · scale · tensor_scale + offset with the scale of its group and, where
  // columns have such, the middle, each operation rounded.
  float tensor_scale;
  size_t depth;  // elements of a row; the last group may have fewer than the others
} BKCodes;

// Where sums go, and what becomes of them there, in this order: times `tensor_scale`, a number of
// 24 bits from 2^-298 on and below 2^256; times `alpha`; plus `bias`, one number for each column;
// plus `beta` times the old value, fused, where `beta` is not 0; NaN made canonical. Factors of 1
// are left out.
typedef struct {
  float *values;
  size_t stride;   // numbers from row to row
  size_t columns;  // those of a panel that exist
  double tensor_scale;
  float alpha, beta;
  const float *_Nullable bias;
} BKResult;

// MARK: - Kernels

typedef struct {
  BKLevel level;
  uint32_t lanes;
  // Whether integers of 8 bits multiply quicker once they are widened to 16, and whether runs are
  // the quickest.
  bool prefers_int16;
  bool prefers_runs;
  // Whether an instruction does what `flushes` asks for, so that it costs nothing.
  bool flushes_freely;

  // Row r times column c: the sum over groups, in order, of the group's dot product times the
  // factor of its scales, each a fused multiply-add onto a sum that begins as 0; then finished.
  // After each group's come two more, where there are such: the row's sum times the column's
  // middle, and the row's middle times the column's sum.
  void (*multiply)(
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
      const BKResult *result);

  // The same for columns of 8-bit integers that are still codes of four bits: byte b of word w of
  // a group holds, low, the code of byte b of word 2w and, high, that of word 2w + 1. `values` has
  // the integer of every code. Groups have an even number of words.
  void (*multiply_nibbles)(
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
      const int8_t *values, const BKResult *result);

  // Columns that become numbers, times rows of FP32, or of nibbles times rows of BF16 in words of FP32
  // (`BK_FLOAT32_FMA`, `BK_BFLOAT16_WIDE`). A group has as many words as elements, and of those whole
  // lanes. FP32 rows are multiplied by decoded numbers, in order and onto one sum over all groups, and
  // end after `depth` numbers; BF16 rows as by `multiply`, without flushing and with limits.
  void (*multiply_codes)(
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
      const BKCodes *codes, const BKResult *result);

  // The same columns as a panel of the shape's unit, of all groups: decoded for FP32.
  void (*spread_codes)(
      const BKProductShape *shape, const BKColumns *columns, const BKCodes *codes,
      uint8_t *panel);

  // From codes in bytes to elements: values[code], with codes below 2^width.
  void (*map_int8)(
      const uint8_t *codes, size_t count, uint32_t width, const int8_t *values, int8_t *elements);
  void (*map_int16)(
      const uint8_t *codes, size_t count, uint32_t width, const int16_t *values,
      int16_t *elements);

  // Times 2^(deepest - shift), where every `length` elements share a shift.
  void (*scale_int16)(
      int16_t *elements, size_t count, size_t length, const uint8_t *shifts, uint32_t deepest);
  // codes[i] |= shifts[i / length] << width
  void (*join_shifts)(
      uint8_t *codes, size_t count, size_t length, const uint8_t *shifts, uint32_t width);

  // -128 times the sum of every group of `length` integers, the last of which may be short, modulo
  // 2^32: so are the sums that it belongs to.
  void (*group_offsets)(const int8_t *elements, size_t count, size_t length, int32_t *offsets);

  // The offsets of `groups` groups of `words` words, in runs, for a bias up to 127.
  void (*run_offsets)(
      const int8_t *elements, size_t groups, size_t words, size_t run, uint32_t bias,
      int32_t *offsets);

  // The bits of the least of `count` BF16 numbers, without its sign, that is not zero; 2^16 if there
  // is none.
  uint32_t (*least_bfloat16)(const uint8_t *elements, size_t count);

  // Lays up to BK_PANEL rows of `words` words out as a panel; columns without a row are zero.
  void (*interleave)(
      const uint8_t *elements, size_t stride, size_t rows, size_t words, uint8_t *panel);

  // `words` words of BF16 numbers as twice as many of FP32 numbers: those of a row, or of a panel.
  void (*widen_bfloat16_row)(const uint8_t *row, size_t words, uint8_t *wide);
  void (*widen_bfloat16_panel)(const uint8_t *panel, size_t words, uint8_t *wide);

  // `words` words of 8-bit integers as twice as many of 16 bits.
  void (*widen_bytes)(const uint8_t *panel, size_t words, uint8_t *wide);
  // Two panels of `words` words of codes, the even words' and the odd ones', into one of nibbles,
  // and back to integers. `words` is even.
  void (*join_nibbles)(const uint8_t *panel, size_t words, uint8_t *nibbles);
  void (*split_nibbles)(
      const uint8_t *nibbles, size_t words, const int8_t *values, uint8_t *panel);
} BKProductKernels;

// The kernels of a supported level; those of the level in use for any other.
const BKProductKernels *bk_product_kernels(BKLevel level);

#pragma clang assume_nonnull end

#endif

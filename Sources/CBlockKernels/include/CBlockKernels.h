// Vector kernels for block formats: the steps of encoding and decoding over rows of memory.
//
// Each kernel takes plain pointers and sizes, reads and writes nothing outside them, allocates
// nothing and keeps no state. Loops over tensors, blocks, threads and files are the caller's. Every
// level computes the same bits.
#ifndef C_BLOCK_KERNELS_H
#define C_BLOCK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "BlockConstants.h"
#include "CKernelLevels.h"

#pragma clang assume_nonnull begin

typedef struct {
  BKLevel level;
  uint32_t lanes;

  // Largest magnitudes as bit patterns, infinities and NaN among them: of every group of `unit`
  // values, the last of which may be short, and of every column of `rows` rows.
  void (*row_magnitudes)(const float *values, size_t count, size_t unit, uint32_t *maxima);
  void (*column_magnitudes)(
      const float *values, size_t rows, size_t stride, size_t columns, uint32_t *maxima);

  // Over the finite values of groups of `unit` columns and `rows` rows; bit 0 of a group's flag
  // says that it has an infinity, bit 1 that it has a NaN.
  void (*finite_magnitudes)(
      const float *values, size_t rows, size_t stride, size_t columns, size_t unit,
      uint32_t *maxima, uint8_t *flags);

  // Scales of `count` blocks with given largest magnitudes, and the multipliers that encode their
  // values. They return whether the blocks are tame: every magnitude times its multiplier stays
  // below the element's tame limit, and every multiplier that is not zero between the element's
  // least and 2^96.
  //
  // Powers of two: `exponent_step` is added to the rule's exponent.
  bool (*shared_scales)(
      const BKSharedScale *rule, const uint32_t *maxima, size_t count, int32_t exponent_step,
      uint8_t *codes, float *multipliers);
  // Sub-scales of `count` sub-blocks, of which block b has those from b * spread on. They are not
  // tame either where a multiplier above 2^127 would be needed.
  bool (*shared_subscales)(
      const BKSharedScale *rule, const uint32_t *maxima, size_t count, size_t spread,
      const uint8_t *block_codes, uint8_t *codes, float *multipliers);
  bool (*float_scales)(
      const BKFloatScale *rule, const uint32_t *maxima, size_t count, uint32_t *scales,
      float *multipliers);
  // Two levels: the codes alone, and multipliers of any codes, NaN for a scale of zero or NaN.
  void (*two_level_scales)(
      const BKTwoLevelScale *rule, const uint32_t *maxima, size_t count, uint8_t *codes);
  bool (*two_level_multipliers)(
      const BKTwoLevelScale *rule, const uint32_t *maxima, size_t count, const uint8_t *codes,
      float *multipliers);
  // The values 2^(code - sub-scale - bias) of `count` sub-blocks, or of blocks where `subscales`
  // is null and `spread` is 1.
  void (*shared_values)(
      const BKSharedScale *rule, const uint8_t *block_codes, const uint8_t *_Nullable subscales,
      size_t count, size_t spread, float *values);

  // A row of values all the way: to packed codes, scales and sub-scales; back from them; or to
  // decoded values. Codes have up to eight bits, or sixteen where the rule is given and values are
  // unscaled. A row begins a byte of everything packed. Encoding stops before the first part that
  // is not tame and returns how many values are done; `overflows` grows by theirs. Codes of sixteen
  // bits may then be written for that part, too.
  //
  // `result` must not be the row itself. `streams` asks for stores past the caches. `inexact` has a
  // flag for every block, which is set where a value did not decode to itself; block lengths then
  // divide the parts, or one block holds the row.
  size_t (*encode_row)(
      const BKElement *element, const BKBlockRule *rule, BKRandom random, const float *values,
      size_t count, uint8_t *codes, uint8_t *_Nullable scales, uint8_t *_Nullable subscales,
      size_t *overflows, void *workspace);
  size_t (*quantize_row)(
      const BKElement *element, const BKBlockRule *rule, BKRandom random, const float *values,
      size_t count, float *result, bool streams, uint8_t *_Nullable inexact, size_t *overflows,
      void *workspace);
  void (*decode_row)(
      const BKElement *element, const BKBlockRule *rule, const uint8_t *codes,
      const uint8_t *_Nullable scales, const uint8_t *_Nullable subscales,
      const uint8_t *_Nullable offsets, size_t count, float *result, bool streams,
      void *workspace);

  // The same for panels: rows and columns of values, codes of up to eight bits, scales found by the
  // rule, and sub-blocks that divide blocks by rows alone. A panel's first column begins a byte of
  // everything packed. Encoding stops before the first columns that are not tame and returns how
  // many are done, a multiple of eight blocks unless it is all.
  //
  // Results have the stride of values, and may be those.
  size_t (*encode_panel)(
      const BKElement *element, const BKBlockRule *rule, const BKPanel *panel, BKRandom random,
      const float *values, uint8_t *codes, uint8_t *scales, uint8_t *_Nullable subscales,
      size_t *overflows, void *workspace);
  size_t (*quantize_panel)(
      const BKElement *element, const BKBlockRule *rule, const BKPanel *panel, BKRandom random,
      const float *values, float *result, bool streams, uint8_t *_Nullable inexact,
      size_t *overflows, void *workspace);
  void (*decode_panel)(
      const BKElement *element, const BKBlockRule *rule, const BKPanel *panel,
      const uint8_t *codes, const uint8_t *scales, const uint8_t *_Nullable subscales,
      float *result, bool streams, void *workspace);

  // Codes of `count` values, each times the multiplier of its group of `unit` values; where
  // `multipliers` is null there is none. `is_tame` promises what scale kernels found. `random`
  // holds a word for every value where the rounding is stochastic. Values are fetched `prefetch`
  // bytes ahead. Returns how many finite values overflowed. Codes of up to eight bits are bytes.
  size_t (*encode)(
      const BKElement *element, bool is_tame, const float *values, size_t count,
      const float *_Nullable multipliers, size_t unit, const uint32_t *_Nullable random,
      size_t prefetch, uint8_t *codes);
  // The same with codes of up to 32 bits.
  size_t (*encode_wide)(
      const BKElement *element, const float *values, size_t count,
      const float *_Nullable multipliers, size_t unit, const uint32_t *_Nullable random,
      uint32_t *codes);

  // Values of codes, times the scale of their group of `unit` and the tensor's scale. Every NaN
  // is the canonical one.
  void (*decode)(
      const BKElement *element, BKScaling scaling, const uint8_t *codes, size_t count,
      const float *_Nullable scales, size_t unit, float tensor_scale, float *values);
  void (*decode_wide)(
      const BKElement *element, BKScaling scaling, const uint32_t *codes, size_t count,
      const float *_Nullable scales, size_t unit, float tensor_scale, float *values);

  // The same times the scale and plus the offset of their group.
  void (*decode_lines)(
      const BKElement *element, const uint8_t *codes, size_t count, const float *scales,
      const float *offsets, size_t unit, float *values);

  // Blocks that follow each other, of which the last may be short: codes of one byte each, and
  // scales and offsets as numbers of the stored type, without gaps. Stops before the first few
  // blocks that are not usual and returns how many values are done; `overflows` grows by theirs.
  size_t (*encode_blocks)(
      const BKBlockCoder *coder, const float *values, size_t count,
      const uint32_t *_Nullable random, uint8_t *codes, void *scales, void *_Nullable offsets,
      size_t *overflows);

  // Rows of blocks whose parts are doubled, to and from packed codes of up to eight bits, a byte of
  // scale for each block and packed bits. The element saturates and rounds without random words.
  // Encoding stops before the first block that is not usual and returns how many values are done;
  // `overflows` grows by theirs.
  //
  // Results are like those of rows. `inexact` has a flag for every block.
  size_t (*encode_doubled)(
      const BKElement *element, const BKDoublings *rule, const float *values, size_t count,
      uint8_t *codes, uint8_t *scales, uint8_t *eights, uint8_t *fours, size_t *overflows,
      void *workspace);
  size_t (*quantize_doubled)(
      const BKElement *element, const BKDoublings *rule, const float *values, size_t count,
      float *result, bool streams, uint8_t *_Nullable inexact, size_t *overflows,
      void *workspace);
  void (*decode_doubled)(
      const BKElement *element, const BKDoublings *rule, const uint8_t *codes,
      const uint8_t *scales, const uint8_t *eights, const uint8_t *fours, size_t count,
      float *result, bool streams, void *workspace);

  // The same where each of `count` columns is a block, of which `rows` rows are fours, whose
  // largest magnitudes are given: scales; bits of eights and of fours as bytes, row by row; for
  // each of the fours what its values are multiplied by, and what its codes are. Returns whether
  // all are usual, and flags those that are not.
  bool (*double_columns)(
      const BKDoublings *rule, const uint32_t *maxima, size_t rows, size_t count,
      uint8_t *scales, uint8_t *eights, uint8_t *fours, float *multipliers, float *values,
      uint8_t *unusual);
  // Codes of a row of usual columns, a byte each; how many overflowed.
  size_t (*encode_doubled_columns)(
      const BKElement *element, const float *values, size_t count, const float *multipliers,
      uint8_t *codes);
  // What codes are multiplied by, row by row.
  void (*doubled_column_values)(
      const BKDoublings *rule, const uint8_t *scales, const uint8_t *eights,
      const uint8_t *fours, size_t rows, size_t count, float *values);

  // Codes of 1 to 8 bits to and from a row of packed bytes; unused bits of the last byte are 0.
  void (*pack)(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes);
  void (*unpack)(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes);
  // The same for 1 to 32 bits.
  void (*pack_wide)(const uint32_t *codes, size_t count, uint32_t width, uint8_t *bytes);
  void (*unpack_wide)(const uint8_t *bytes, size_t count, uint32_t width, uint32_t *codes);

  // The squared errors of consecutive blocks of `length` values: lane j of eight adds, in
  // double precision, those of values j, j + 8, ...; lanes j and j + 4 are then added, then j and
  // j + 2, then both. Values that are not finite take no part.
  void (*squared_errors)(
      const float *values, const float *decoded, size_t blocks, size_t length, double *errors);
  // Sets the flag of every group of `unit` values in which one did not decode to itself.
  void (*mark_inexact)(
      const float *values, const float *decoded, size_t count, size_t unit, uint8_t *flags);

  // Random words of elements `first` and on, of which `first` is a multiple of 4.
  void (*random_words)(
      uint64_t seed, uint32_t stream, uint64_t first, size_t count, uint32_t *words);

  // Between a caller's numbers and FP32. Widening is exact. Narrowing rounds to nearest even, and
  // to the canonical NaN; FP32 is copied.
  void (*widen)(BKScalar type, const void *numbers, size_t count, float *values);
  void (*narrow)(BKScalar type, const float *values, size_t count, void *numbers);
  // Copies values past the caches.
  void (*stream)(const float *values, size_t count, float *result);
} BKKernels;

// The kernels of a supported level; those of the level in use for any other.
const BKKernels *bk_kernels(BKLevel level);

#pragma clang assume_nonnull end

#endif

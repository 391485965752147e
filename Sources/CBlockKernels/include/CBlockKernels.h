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

#include "CKernelLevels.h"

#pragma clang assume_nonnull begin

// MARK: - Elements

typedef enum {
  BK_NEAREST_EVEN = 0,
  BK_NEAREST_AWAY = 1,
  BK_TOWARD_ZERO = 2,
  BK_UP = 3,
  BK_DOWN = 4,
  BK_TO_ODD = 5,
  BK_STOCHASTIC = 6,
  BK_NEAREST_TOWARD_ZERO = 7,
  BK_NEAREST_UP = 8,  // ties toward plus infinity
} BKRounding;

typedef enum {
  BK_FLOAT = 0,    // sign, exponent, fraction; sign and magnitude without exponent bits
  BK_INTEGER = 1,  // two's complement
  BK_PATTERN = 2,  // the upper bits of binary32: eight exponent bits, bias 127
  BK_TABLE = 3,    // up to sixteen values that no formula gives
} BKElementKind;

// An element format and the codes that a policy gives to what does not fit in it.
typedef struct {
  BKElementKind kind;
  BKRounding rounding;
  uint32_t width;              // bits of a code
  uint32_t fraction_bits;      // stored fraction bits; width - 1 for integers
  uint32_t lowest_field;       // binary32 exponent field of the first binade
  uint32_t greatest;           // magnitude code of the largest finite value
  uint32_t greatest_negative;  // the same below zero: one more for a full integer range
  uint32_t overflow[2];        // codes of finite values beyond it, by sign
  uint32_t infinity[2];        // codes of infinite values, by sign
  uint32_t nan;                // code of NaN
  uint32_t poison;             // code of every value of a block without a usable multiplier
  bool has_negative_zero;
  bool is_fixed_point;    // the spacing is the same everywhere, and is 1 / spacings_of_one
  float spacings_of_one;
  float tame_limit;       // products below it are tame: some binades above the largest value
  float least_multiplier; // scales of smaller ones may make a code infinite: never tame
  bool saturates;         // overflow, infinities included, keeps the largest value
  bool is_scaling_exact;  // multipliers are powers of two: products that vanish are not zero
  uint32_t random_mask;   // the bits of a random word that take part, from the top
  // Decoding.
  bool is_unsigned;
  uint32_t code_of_zero;         // of unsigned integers
  float unit;                    // 2^(127 - bias), or the value of the integer 1
  uint32_t infinity_code;        // magnitude code of infinity, or all ones where there is none
  bool is_negative_zero_nan;     // the code of minus zero stands for NaN
  bool has_special_codes;        // some code is not finite
  float values[32];  // of all codes of up to four bits, or of the magnitudes of up to six
  // Encoding to tables, by keys: FP32 patterns as signed integers in the order of their numbers.
  // Thresholds are the least keys that get the upper one of two neighbours; the first one, at
  // place 1, halves the table, and those at 2n and 2n + 1 halve what is above and below that at n.
  int32_t thresholds[16];
  uint8_t codes[16];      // from the greatest value down; at least as many as there are codes
  int32_t least_key, greatest_key;  // of finite values that do not overflow
} BKElement;

// How a decoded element meets its scale.
typedef enum {
  BK_SCALE_NONE = 0,     // no scale
  BK_SCALE_BLOCK = 1,    // times the block's scale
  BK_SCALE_TENSOR = 2,   // times the block's scale, then times the tensor's
  BK_SCALE_LINE = 3,     // times the block's scale, then plus its offset
} BKScaling;

// MARK: - Scales
//
// A largest magnitude that is not finite asks for a NaN block: scale NaN, multiplier NaN.

// How the exponent of a power-of-two scale follows from a block's largest magnitude:
// floor(log2 a) + offset, plus one for every threshold that the fraction field of `a` reaches. The
// multiplier is 2^(bias - code).
typedef struct {
  float product;           // `a` is first multiplied by this, as one FP32 operation
  int32_t offset;
  uint32_t threshold[2];   // fraction fields; 2^23 is never reached
  float tame_limit, least_multiplier;  // of the element
  int32_t zero_exponent;   // the exponent of a product of zero from a magnitude above zero
  int32_t bias;            // the scale code of exponent e is e + bias
  uint32_t greatest_code;
  uint32_t nan_code;
  uint32_t zero_code;      // scale code of a block of zeros
  uint32_t greatest_subscale;
  bool is_unstepped;       // block scales are the rule's own, without a step
  uint32_t plain_end;      // codes from here on may be clamped, or make an element infinite
} BKSharedScale;

// FP32 scales: multiplier min(greatest / a, FLT_MAX), stored as its reciprocal; or, with a unit,
// min(a / unit, FLT_MAX) is stored and the multiplier is 1 / max(that, least).
typedef struct {
  float greatest;        // the element's largest value
  float tame_limit, least_multiplier;  // of the element
  bool is_power_of_two;  // the multiplier is first rounded down to one
  float unit;            // 0 where there is none
  float least;
} BKFloatScale;

// Block scales that are elements themselves, below a tensor scale.
typedef struct {
  BKElement scale;         // rounds to nearest even and saturates
  float factor;            // code = scale(a * factor)
  float tensor_reciprocal; // multiplier min(1 / (scale * tensor_reciprocal), FLT_MAX)
  uint32_t floor_code;     // the smallest code of a block
  uint32_t zero_code;      // the code of a block of zeros
  float tame_limit, least_multiplier;  // of the element
} BKTwoLevelScale;

// MARK: - Caller's number types

typedef enum { BK_FLOAT32 = 0, BK_FLOAT16 = 1, BK_BFLOAT16 = 2 } BKScalar;

// How the blocks of a row find their scales, and what they store.
typedef enum {
  BK_RULE_GIVEN = 0,      // one multiplier for all, and nothing stored
  BK_RULE_SHARED = 1,
  BK_RULE_FLOAT = 2,
  BK_RULE_TWO_LEVEL = 3,
  BK_RULE_STORED = 4,     // for decoding alone: scales, and offsets if there are any, are numbers
} BKRuleKind;

typedef struct {
  BKRuleKind kind;
  size_t block;             // values of a block; a power of two up to BK_LONGEST_BLOCK unless given
  size_t unit;              // values of a sub-block; those of a block where there are none
  uint32_t scale_width;     // bits of a stored scale
  uint32_t subscale_width;  // bits of a stored sub-scale, 0 where there are none
  BKSharedScale shared;
  BKFloatScale floating;
  BKTwoLevelScale two_level;
  BKScalar stored;   // the type of stored numbers
  float multiplier;  // of a given rule: for encoding,
  float scale;       // and for decoding
  float tensor_scale;
  BKScaling scaling;
} BKBlockRule;

// Rows are worked on in parts that hold a multiple of eight such blocks.
#define BK_LONGEST_BLOCK 128

// Where stochastic rounding finds its words.
typedef struct {
  uint64_t seed;
  uint32_t stream;
  uint64_t first;  // the index of the row's first element, or the panel's
} BKRandom;

// Rows that blocks share: each block has all `rows` of them in `block` columns of the rule, and
// each sub-block `unit_rows` in as many columns.
typedef struct {
  size_t rows, columns;
  size_t stride;           // values from one row to the next
  size_t index_stride;     // the same in the tensor, for stochastic rounding
  size_t unit_rows;        // those of the panel where there are no sub-blocks
  size_t code_stride;      // bytes from one row of codes to the next
  size_t subscale_stride;  // bytes from one row of sub-scales to the next
  ptrdiff_t ahead;         // values to the first one of the panel that comes next, 0 for unknown
} BKPanel;

// The most rows of sub-blocks in a panel; their blocks then have one column.
#define BK_MOST_UNIT_ROWS 512

// What calls on whole rows and panels work in: this many bytes at a multiple of the alignment, with
// any contents. The caller hands them over, since stacks may be small.
#define BK_WORKSPACE_BYTES 73728
#define BK_WORKSPACE_ALIGNMENT 64

// MARK: - Blocks that are encoded as a whole

// How the codes of a block follow from its values, by FP32 operations. Whatever is not usual about a
// block is left to the caller.
typedef enum {
  // The end of larger magnitude is the offset; the scale brings it to a whole number of steps
  // max((largest - least) / greatest, least_step). Codes are (x - offset) / scale, rounded.
  BK_CODER_EDGE = 0,
  // The first value of the largest magnitude, by -greatest, is the scale. Codes are the whole part of
  // x * (1 / scale) + (greatest + 1/2).
  BK_CODER_FIRST = 1,
  // The largest magnitude, by greatest, is the scale. Codes are x * (1 / scale), rounded.
  BK_CODER_AMAX = 2,
  // The least value is the offset and (largest - least) / greatest the scale. Codes are the whole part of
  // (x - offset) * (1 / scale) + 1/2.
  BK_CODER_RANGE = 3,
  // The scale is a fit. With m the first value of the largest magnitude, a multiplier f has the values q
  // of the table nearest to x * f, and sums P of x * x * q * x and Q of x * x * q * q over the block. The
  // first multiplier is 1 / (-m / least), or 1 / (m / least) without trials; it gives the scale P / Q and
  // the gain scale * P. For t = -trials, ... trials, (t + least) / m wins where P * P > gain * Q, and
  // gives both anew. Codes are x * (1 / scale), rounded; without trials, x times the first multiplier.
  BK_CODER_FIT = 4,
} BKCoderKind;

// The longest block of a fit.
#define BK_LONGEST_FIT 32

typedef struct {
  BKCoderKind kind;
  BKElement element;   // of codes of up to eight bits
  size_t block;        // values of a block
  float greatest;
  float least_step;    // of edges
  // Of fits.
  BKElement search;       // the table, where ties go up
  int32_t trials;         // to either side; 0 for none
  float least;            // the table's least value
  float least_magnitude;  // blocks below it have the scale 0
  BKScalar stored;     // the type of scales and offsets
  float reach;         // where they end that are usual: far from the ends of FP32, and within the type
} BKBlockCoder;

// MARK: - Blocks whose parts are doubled

// Values of a block with a scale, of which a bit doubles each eight and one each four.
#define BK_DOUBLED_BLOCK 64

// How a block's scale and bits follow from its largest magnitudes, and codes from both. Scales are
// floats without a sign, of two fraction bits and the power of two in the others; arrays have a number
// for each fraction of the scale.
//
// The code of a scale is four times the magnitude's exponent field, plus an offset, plus one for every
// step that its fraction field reaches.
typedef struct {
  int32_t offset;
  uint32_t steps[4];        // 2^23 is never reached
  uint32_t greatest_code;
  uint32_t nan_code;
  uint32_t least_scale;     // the pattern of code 0; that of code c is c * 2^21 more
  // Patterns for scales of the least power of two. A magnitude that reaches the limit doubles its eight
  // values; one that reaches half of it, or all where the eight are doubled, its four.
  uint32_t limits[4];
  uint32_t multipliers[4];  // of codes, where nothing doubles; eight bits of significand
  uint32_t reach;           // where magnitudes end that are usual
} BKDoublings;

// MARK: - Kernels

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
  // is not tame and returns how many values are done; `overflows` grows by theirs.
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

  // Blocks that follow each other, of which the last may be short: codes of one byte each, and scales
  // and offsets as numbers of the stored type, without gaps. Stops before the first few blocks that
  // are not usual and returns how many values are done; `overflows` grows by theirs.
  size_t (*encode_blocks)(
      const BKBlockCoder *coder, const float *values, size_t count,
      const uint32_t *_Nullable random, uint8_t *codes, void *scales, void *_Nullable offsets,
      size_t *overflows);

  // Rows of blocks whose parts are doubled, to and from packed codes of up to eight bits, a byte of scale
  // for each block and packed bits. The element saturates and rounds without random words. Encoding
  // stops before the first block that is not usual and returns how many values are done; `overflows`
  // grows by theirs.
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

  // The same where each of `count` columns is a block, of which `rows` rows are fours, whose largest
  // magnitudes are given: scales; bits of eights and of fours as bytes, row by row; for each of the
  // fours what its values are multiplied by, and what its codes are. Returns whether all are usual,
  // and flags those that are not.
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

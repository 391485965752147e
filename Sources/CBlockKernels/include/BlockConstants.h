// What kernels are told of elements, scales, blocks, rows and panels.
#ifndef C_BLOCK_CONSTANTS_H
#define C_BLOCK_CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

// How the codes of a block follow from its values, by FP32 operations. Whatever is not usual about
// a block is left to the caller.
typedef enum {
  // The end of larger magnitude is the offset; the scale brings it to a whole number of steps
  // max((largest - least) / greatest, least_step). Codes are (x - offset) / scale, rounded.
  BK_CODER_EDGE = 0,
  // The first value of the largest magnitude, by -greatest, is the scale. Codes are the whole part
  // of x * (1 / scale) + (greatest + 1/2).
  BK_CODER_FIRST = 1,
  // The largest magnitude, by greatest, is the scale. Codes are x * (1 / scale), rounded.
  BK_CODER_AMAX = 2,
  // The least value is the offset and (largest - least) / greatest the scale. Codes are the whole
  // part of (x - offset) * (1 / scale) + 1/2.
  BK_CODER_RANGE = 3,
  // The scale is a fit. With m the first value of the largest magnitude, a multiplier f has the
  // values q of the table nearest to x * f, and sums P of x * x * q * x and Q of x * x * q * q over
  // the block. The first multiplier is 1 / (-m / least), or 1 / (m / least) without trials; it
  // gives the scale P / Q and the gain scale * P. For t = -trials, ... trials, (t + least) / m wins
  // where P * P > gain * Q, and gives both anew. Codes are x * (1 / scale), rounded; without
  // trials, x times the first multiplier.
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
  float reach;         // where usual ones end: far from the ends of FP32, and within the type
} BKBlockCoder;

// MARK: - Blocks whose parts are doubled

// Values of a block with a scale, of which a bit doubles each eight and one each four.
#define BK_DOUBLED_BLOCK 64

// How a block's scale and bits follow from its largest magnitudes, and codes from both. Scales are
// floats without a sign, of two fraction bits and the power of two in the others; arrays have a
// number for each fraction of the scale.
//
// The code of a scale is four times the magnitude's exponent field, plus an offset, plus one for
// every step that its fraction field reaches.
typedef struct {
  int32_t offset;
  uint32_t steps[4];        // 2^23 is never reached
  uint32_t greatest_code;
  uint32_t nan_code;
  uint32_t least_scale;     // the pattern of code 0; that of code c is c * 2^21 more
  // Patterns for scales of the least power of two. A magnitude that reaches the limit doubles its
  // eight values; one that reaches half of it, or all where the eight are doubled, its four.
  uint32_t limits[4];
  uint32_t multipliers[4];  // of codes, where nothing doubles; eight bits of significand
  uint32_t reach;           // where magnitudes end that are usual
} BKDoublings;

#pragma clang assume_nonnull end

#endif

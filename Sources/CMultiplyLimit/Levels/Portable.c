// Portable C.
#include "../Templates/Loops.h"

// Both halves of every lane, as the products of this level take them.
#define LOOP_NAME portable_int16
#define LOOP_TARGET
#define LOOP_SUMS 6
#define LOOP_SUM int_4
#define LOOP_OPERAND int_4
#define LOOP_ONES ((int_4){0} + 0x00010001)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((s) + ((a) << 16 >> 16) * ((b) << 16 >> 16) + ((a) >> 16) * ((b) >> 16))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

// A word is two BF16 numbers, which are multiplied as FP32 ones.
#define LOOP_NAME portable_bfloat16
#define LOOP_TARGET
#define LOOP_SUMS 6
#define LOOP_SUM float_4
#define LOOP_OPERAND float_4
#define LOOP_ONES ((float_4){0} + 1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME portable_float32
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#include "../Templates/FloatLoop.h"

const multiply_level multiply_limit_portable = {
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {portable_int16, 6 * 4 * 2, 2, "portable C"},
    [MULTIPLY_LIMIT_INT16] = {portable_int16, 6 * 4 * 2, 1, "portable C"},
    [MULTIPLY_LIMIT_BFLOAT16] = {portable_bfloat16, 6 * 4 * 2, 1, "portable C"},
    [MULTIPLY_LIMIT_FLOAT32] = {portable_float32, 12 * 4, 0, "portable C"},
    [MULTIPLY_LIMIT_RUNS] = {portable_int16, 6 * 4 * 2, 2, "portable C"},
  },
};

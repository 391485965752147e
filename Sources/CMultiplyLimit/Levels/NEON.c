// arm64 with Advanced SIMD.
#if defined(__aarch64__)
#include "../Templates/Loops.h"

#define LOOP_NAME neon_int8
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((int_4)vpadalq_s16(                                                       \
      vpadalq_s16((int32x4_t)(s), vmull_s8(vget_low_s8(a), vget_low_s8(b))), \
      vmull_high_s8(a, b)))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME neon_int16
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int16x8_t
#define LOOP_ONES vdupq_n_s16(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((int_4)vmlal_high_s16(                                             \
      vmlal_s16((int32x4_t)(s), vget_low_s16(a), vget_low_s16(b)), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME neon_bfloat16
#define LOOP_TARGET
#define LOOP_SUMS 14
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

#define LOOP_NAME neon_float32
#define LOOP_TARGET
#define LOOP_SUMS 24
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#include "../Templates/FloatLoop.h"

const multiply_level multiply_limit_neon = {
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {neon_int8, 12 * 4 * 4, 1, "smull, sadalp"},
    [MULTIPLY_LIMIT_INT16] = {neon_int16, 12 * 4 * 2, 1, "smlal"},
    [MULTIPLY_LIMIT_BFLOAT16] = {neon_bfloat16, 14 * 4 * 2, 1, "fmla"},
    [MULTIPLY_LIMIT_FLOAT32] = {neon_float32, 24 * 4, 0, "fmla"},
    [MULTIPLY_LIMIT_RUNS] = {neon_int8, 12 * 4 * 4, 1, "smull, sadalp"},
  },
};
#endif

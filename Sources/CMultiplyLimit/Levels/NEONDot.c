// arm64 with Advanced SIMD and integer dot products.
#if defined(__aarch64__)
#include "../Templates/Loops.h"

#define LOOP_NAME neon_dot_int8
#define LOOP_TARGET __attribute__((target(BK_NEON_DOT_TARGET)))
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) ((int_4)vdotq_s32((int32x4_t)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

const multiply_level multiply_limit_neon_dot = {
  .base = &multiply_limit_neon,
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {neon_dot_int8, 12 * 4 * 4, 1, "sdot"},
    [MULTIPLY_LIMIT_RUNS] = {neon_dot_int8, 12 * 4 * 4, 1, "sdot"},
  },
};
#endif

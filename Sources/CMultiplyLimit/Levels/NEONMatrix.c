// arm64 with Advanced SIMD, and its instructions on matrices of 8-bit integers.
#if defined(__aarch64__)
#include "../Templates/Loops.h"

// Two words of two rows times those of two columns.
#define LOOP_NAME neon_matrix_pairs
#define LOOP_TARGET __attribute__((target(BK_NEON_MATRIX_TARGET)))
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) ((int_4)vmmlaq_s32((int32x4_t)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

// Groups of an odd number of words are left to dot products, which take as many sums.
static uint64_t neon_matrix_int8(
    size_t words, size_t run, bool adds_exponents, size_t repetitions) {
  if (words % 2 != 0) {
    return multiply_limit_neon_dot.loops[MULTIPLY_LIMIT_INT8].run(
        words, run, adds_exponents, repetitions);
  }
  return neon_matrix_pairs(words / 2, words / 2, adds_exponents, repetitions);
}

// BF16 numbers of many rows are FP32 ones here too, so that their loop is the one of the base.
const multiply_level multiply_limit_neon_matrix = {
  .base = &multiply_limit_neon_dot,
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {neon_matrix_int8, 12 * 4 * 4, 1, "smmla"},
    [MULTIPLY_LIMIT_RUNS] = {neon_matrix_int8, 12 * 4 * 4, 1, "smmla"},
  },
};
#endif

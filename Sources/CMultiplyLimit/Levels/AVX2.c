// x86-64 with AVX2, FMA, F16C and BMI2.
#if defined(__x86_64__)
#include "../Templates/Loops.h"

#define AVX2 __attribute__((target(BK_AVX2_TARGET)))

#define LOOP_NAME avx2_int16
#define LOOP_TARGET AVX2
#define LOOP_SUMS 6
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi16(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((s) + (int_8)_mm256_madd_epi16(a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx2_runs
#define LOOP_TARGET AVX2
#define LOOP_SUMS 6
#define LOOP_SUM short_16
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi8(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((s) + (short_16)_mm256_maddubs_epi16(a, b))
#define LOOP_TOTAL(s) _mm256_madd_epi16((__m256i)(s), _mm256_set1_epi16(1))
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx2_bfloat16
#define LOOP_TARGET AVX2
#define LOOP_SUMS 10
#define LOOP_SUM float_8
#define LOOP_OPERAND float_8
#define LOOP_ONES ((float_8){0} + 1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx2_float32
#define LOOP_TARGET AVX2
#define LOOP_SUMS 12
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#include "../Templates/FloatLoop.h"

const multiply_level multiply_limit_avx2 = {
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {avx2_int16, 6 * 8 * 2, 2, "vpmaddwd, vpaddd"},
    [MULTIPLY_LIMIT_INT16] = {avx2_int16, 6 * 8 * 2, 1, "vpmaddwd, vpaddd"},
    [MULTIPLY_LIMIT_BFLOAT16] = {avx2_bfloat16, 10 * 8 * 2, 1, "vfmadd231ps"},
    [MULTIPLY_LIMIT_FLOAT32] = {avx2_float32, 12 * 8, 0, "vfmadd231ps"},
    [MULTIPLY_LIMIT_RUNS] = {avx2_runs, 6 * 8 * 4, 1, "vpmaddubsw, vpaddw"},
  },
};
#endif

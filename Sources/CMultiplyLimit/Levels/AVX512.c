// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
#if defined(__x86_64__)
#include "../Templates/Loops.h"

#define AVX512 __attribute__((target(BK_AVX512_TARGET)))

#define LOOP_NAME avx512_int16
#define LOOP_TARGET AVX512
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((s) + (int_16)_mm512_madd_epi16(a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx512_runs
#define LOOP_TARGET AVX512
#define LOOP_SUMS 12
#define LOOP_SUM short_32
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi8(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((s) + (short_32)_mm512_maddubs_epi16(a, b))
#define LOOP_TOTAL(s) _mm512_madd_epi16((__m512i)(s), _mm512_set1_epi16(1))
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx512_bfloat16
#define LOOP_TARGET AVX512
#define LOOP_SUMS 14
#define LOOP_SUM float_16
#define LOOP_OPERAND float_16
#define LOOP_ONES ((float_16){0} + 1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx512_float32
#define LOOP_TARGET AVX512
#define LOOP_SUMS 24
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#include "../Templates/FloatLoop.h"

const multiply_level multiply_limit_avx512 = {
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {avx512_int16, 12 * 16 * 2, 2, "vpmaddwd, vpaddd"},
    [MULTIPLY_LIMIT_INT16] = {avx512_int16, 12 * 16 * 2, 1, "vpmaddwd, vpaddd"},
    [MULTIPLY_LIMIT_BFLOAT16] = {avx512_bfloat16, 14 * 16 * 2, 1, "vfmadd231ps"},
    [MULTIPLY_LIMIT_FLOAT32] = {avx512_float32, 24 * 16, 0, "vfmadd231ps"},
    [MULTIPLY_LIMIT_RUNS] = {avx512_runs, 12 * 16 * 4, 1, "vpmaddubsw, vpaddw"},
  },
};
#endif

// x86-64 with AVX-512 as above, VNNI and BF16.
#if defined(__x86_64__)
#include "../Templates/Loops.h"

#define AVX512_DOT __attribute__((target(BK_AVX512_DOT_TARGET)))

#define LOOP_NAME avx512_dot_int8
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi8(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((int_16)_mm512_dpbusd_epi32((__m512i)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

// Compilers that tune for no processor in particular make two instructions of the intrinsic.
AVX512_DOT
static inline __attribute__((always_inline)) int_16 dot_int16(int_16 s, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
  return s;
}

#define LOOP_NAME avx512_dot_int16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) dot_int16(s, a, b)
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

#define LOOP_NAME avx512_dot_bfloat16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM __m512
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(0x3F80)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) _mm512_dpbf16_ps(s, (__m512bh)(a), (__m512bh)(b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "../Templates/GroupLoop.h"

const multiply_level multiply_limit_avx512_dot = {
  .base = &multiply_limit_avx512,
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {avx512_dot_int8, 12 * 16 * 4, 1, "vpdpbusd"},
    [MULTIPLY_LIMIT_INT16] = {avx512_dot_int16, 12 * 16 * 2, 1, "vpdpwssd"},
    [MULTIPLY_LIMIT_BFLOAT16] = {avx512_dot_bfloat16, 12 * 16 * 2, 1, "vdpbf16ps"},
    [MULTIPLY_LIMIT_RUNS] = {avx512_dot_int8, 12 * 16 * 4, 1, "vpdpbusd"},
  },
};
#endif

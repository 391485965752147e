// x86-64 with AVX2 as above, and AVX-VNNI.
#if defined(__x86_64__)
#include "../Templates/Loops.h"

#define AVX_VNNI __attribute__((target(BK_AVX_VNNI_TARGET)))

#define LOOP_NAME avx_vnni_int8
#define LOOP_TARGET AVX_VNNI
#define LOOP_SUMS 10
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi8(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((int_8)_mm256_dpbusd_avx_epi32((__m256i)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

// Compilers that tune for no processor in particular make two instructions of the intrinsic.
AVX_VNNI
static inline __attribute__((always_inline)) int_8 vnni_int16(int_8 s, __m256i a, __m256i b) {
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(s) : "x"(a), "x"(b));
  return s;
}

#define LOOP_NAME avx_vnni_int16
#define LOOP_TARGET AVX_VNNI
#define LOOP_SUMS 10
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi16(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) vnni_int16(s, a, b)
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "../Templates/GroupLoop.h"

const multiply_level multiply_limit_avx_vnni = {
  .base = &multiply_limit_avx2,
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {avx_vnni_int8, 10 * 8 * 4, 1, "vpdpbusd"},
    [MULTIPLY_LIMIT_INT16] = {avx_vnni_int16, 10 * 8 * 2, 1, "vpdpwssd"},
    [MULTIPLY_LIMIT_RUNS] = {avx_vnni_int8, 10 * 8 * 4, 1, "vpdpbusd"},
  },
};
#endif

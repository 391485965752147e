// x86-64 with AVX-512 as above, VNNI and BF16: dot products of whole words.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target( \
        "avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vnni," \
        "avx512bf16"))), \
    apply_to = function)

#include "AVX512Lanes.h"

#include "../Templates/Word.h"

// The instruction takes unsigned bytes of columns: they are 128 too large, which the offset of the
// row takes back.
#define HAS_INT8_DOT
INLINE Word column_int8(vu word) {
  vu moved = word ^ 0x80808080u;
  return (Word){moved, moved};
}
INLINE vi dot_int8(vi sum, Word column, Word row) {
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)column.first, (__m512i)row.first);
}
INLINE vi first_int8(int32_t offset) { return (vi)offset; }

#define HAS_BYTE_SUMS
INLINE vi byte_sums(vu v) {
  return (vi)_mm512_dpbusd_epi32(
      _mm512_setzero_si512(), _mm512_set1_epi8(1), (__m512i)v);
}

#define HAS_INT16_DOT
INLINE vi dot_int16(vi sum, vu a, vu b) {
  // Compilers split the intrinsic into a product and a sum.
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

#define HAS_BFLOAT16_DOT
INLINE vf dot_bfloat16(vf sum, Word column, Word row, const bool flushes) {
  return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)column.first, (__m512bh)row.first);
}

#define PREFERS_INT16 false
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx512_dot_products, BK_AVX512_DOT);

#pragma clang attribute pop
#endif

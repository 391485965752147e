// x86-64 with AVX-512 as at its level, VNNI and BF16: dot products of whole words.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <immintrin.h>

#include "CKernelLevels.h"

#pragma clang attribute push(__attribute__((target(BK_AVX512_DOT_TARGET))), apply_to = function)

#define HAS_DOT_INSTRUCTIONS
#include "AVX512.h"

#if LANES == 16

#define HAS_UNSIGNED_BYTE_DOT
INLINE vi dot_unsigned_bytes(vi sum, vu unsigned_bytes, vu bytes) {
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)unsigned_bytes, (__m512i)bytes);
}

#define HAS_WORD_DOT
INLINE vi dot_words(vi sum, vu a, vu b) {
  // Compilers split the intrinsic into a product and a sum.
  __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

#define HAS_BFLOAT16_DOT
INLINE vf dot_bfloat16_words(vf sum, vu a, vu b) {
  return (vf)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
}

#endif

// x86-64 with AVX2 as at its level, and AVX-VNNI: dot products of whole words in registers of eight lanes.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <immintrin.h>

#include "CKernelLevels.h"

#pragma clang attribute push(__attribute__((target(BK_AVX_VNNI_TARGET))), apply_to = function)

#define HAS_DOT_INSTRUCTIONS
#include "AVX2.h"

#if LANES == 8

#define HAS_UNSIGNED_BYTE_DOT
INLINE vi dot_unsigned_bytes(vi sum, vu unsigned_bytes, vu bytes) {
  return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)unsigned_bytes, (__m256i)bytes);
}

#define HAS_WORD_DOT
INLINE vi dot_words(vi sum, vu a, vu b) {
  // Compilers split the intrinsic into a product and a sum.
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
  return sum;
}

#endif

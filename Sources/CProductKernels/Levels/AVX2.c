// x86-64 with AVX2 and FMA: eight lanes.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)

#define LANES 8
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#include "../Templates/Lanes.h"

typedef __m256i Table;
INLINE Table table_of(const int8_t *values) {
  return values ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)values))
                : _mm256_setzero_si256();
}
INLINE vu nibble_values(Table values, vu word) {
  return (vu)_mm256_shuffle_epi8(
      values, _mm256_and_si256((__m256i)word, _mm256_set1_epi8(15)));
}

// Sums of bytes would saturate at 16 bits, so bytes are widened first.
#define HAS_INT16_DOT
INLINE vi dot_int16(vi sum, vu a, vu b) {
  return sum + (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}

#define TILE_ROWS 4
#define TILE_VECTORS 2
#define FLOAT_ROWS 6
#define FLOAT_VECTORS 2
#define PREFERS_INT16 true
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx2_products, BK_AVX2);

#pragma clang attribute pop
#endif

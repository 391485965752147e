// arm64 with Advanced SIMD and integer dot products.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#include "NEONLanes.h"

#define HAS_INT8_DOT
INLINE Word column_int8(vu word) { return (Word){word, word}; }
INLINE vi dot_int8(vi sum, Word column, Word row) {
  return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)column.first, (int8x16_t)row.first);
}
INLINE vi first_int8(int32_t offset) { return (vi)0; }

#define PREFERS_INT16 false
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_neon_dot_products, BK_NEON_DOT);
#pragma clang attribute pop
#endif

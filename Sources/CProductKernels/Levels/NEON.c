// arm64 with Advanced SIMD.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#include "NEONLanes.h"

#define HAS_INT8_DOT
INLINE Word column_int8(vu word) { return (Word){word, word}; }
INLINE vi dot_int8(vi sum, Word column, Word row) {
  int8x16_t a = (int8x16_t)column.first, b = (int8x16_t)row.first;
  int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(a), vget_low_s8(b)));
  int32x4_t high = vpaddlq_s16(vmull_high_s8(a, b));
  return sum + (vi)vpaddq_s32(low, high);
}
INLINE vi first_int8(int32_t offset) { return (vi)0; }

#define PREFERS_INT16 false
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_neon_products, BK_NEON);
#endif

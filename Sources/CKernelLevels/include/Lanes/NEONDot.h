// arm64 with Advanced SIMD and integer dot products.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <arm_neon.h>

#include "CKernelLevels.h"

// A level that extends this one opens its own region before.
#ifndef HAS_MATRIX_INSTRUCTIONS
#pragma clang attribute push(__attribute__((target(BK_NEON_DOT_TARGET))), apply_to = function)
#endif

#define HAS_DOT_INSTRUCTIONS
#include "NEON.h"

#if LANES == 4

INLINE vi dot_signed_bytes(vi sum, vu a, vu b) {
  return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)a, (int8x16_t)b);
}

#endif

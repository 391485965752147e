// arm64 with Advanced SIMD, integer dot products, and the instructions on matrices of 8-bit
// integers (FEAT_I8MM) and on BF16 numbers (FEAT_BF16): Apple's processors from M2 on, Graviton
// from 3 on.
//
// There is no level for the Scalable Matrix Extension (SME), whose outer products of whole vectors
// add to a square of sums that the processor holds beside its registers. Its code runs in a mode of
// its own, streaming, which costs time to enter and to leave and lacks most of Advanced SIMD, and
// several cores may share one unit. So a whole panel at least would have to be multiplied from
// entering to leaving, which nobody should write without a machine to measure it on; none was at
// hand.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <arm_neon.h>

#include "CKernelLevels.h"

#pragma clang attribute push(__attribute__((target(BK_NEON_MATRIX_TARGET))), apply_to = function)

#define HAS_MATRIX_INSTRUCTIONS
#include "NEONDot.h"

#if LANES == 4

// Eight bytes of each of two rows times those of two columns, onto the sums of the first row, then
// of the second.
#define HAS_MATRIX_DOT
INLINE vi dot_matrices(vi sums, vu rows, vu columns) {
  return (vi)vmmlaq_s32((int32x4_t)sums, (int8x16_t)rows, (int8x16_t)columns);
}

// A multiply-add of the lower or the upper BF16 numbers of all lanes (BFMLALB, BFMLALT), just as
// that of FP32: fused, rounded as FPCR says, with subnormal numbers.
//
// Dot products of pairs (BFDOT) and products of matrices (BFMMLA) have other sums than ours: they
// add both products of a pair before they round to the sum, and by default round to odd and flush.
#define HAS_BFLOAT16_HALVES
INLINE vf add_lower_bfloat16(vf sum, vu a, vu b) {
  return (vf)vbfmlalbq_f32((float32x4_t)sum, (bfloat16x8_t)a, (bfloat16x8_t)b);
}
INLINE vf add_upper_bfloat16(vf sum, vu a, vu b) {
  return (vf)vbfmlaltq_f32((float32x4_t)sum, (bfloat16x8_t)a, (bfloat16x8_t)b);
}

#endif

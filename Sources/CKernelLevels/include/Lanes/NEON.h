// arm64 with Advanced SIMD: registers of four lanes.
#include <arm_neon.h>

#include "CKernelLevels.h"

#ifndef LANES
#define LANES 4
#endif
#include "Vectors.h"

#if LANES == 4

// MARK: - Lanes

// Shifts by the counts of the lanes; counts of 32 and more give zero.
//
// The processor looks at the lowest byte of a count, as a signed number.
INLINE vu shift_left(vu v, vu n) {
  return (vu)vshlq_u32((uint32x4_t)v, (int32x4_t)min_u(n, all_u(32)));
}
INLINE vu shift_right(vu v, vu n) {
  return (vu)vshlq_u32((uint32x4_t)v, vnegq_s32((int32x4_t)min_u(n, all_u(32))));
}
// Whole numbers nearest to values below 2^31, ties to even.
INLINE vu round_to_integers(vf v) { return (vu)vcvtnq_s32_f32((float32x4_t)v); }
INLINE vf permute(vf v, vu lanes) {
  // Byte b of lane i comes from byte b of lane lanes[i].
  uint32x4_t index = vmlaq_n_u32(vdupq_n_u32(0x03020100), (uint32x4_t)(lanes & 3), 0x04040404);
  return (vf)vqtbl1q_u8((uint8x16_t)v, (uint8x16_t)index);
}
INLINE vf look_up(vf table, const float *values, vu codes) {
  uint8x16x4_t all = vld1q_u8_x4((const uint8_t *)values);
  uint32x4_t index = vmlaq_n_u32(vdupq_n_u32(0x03020100), (uint32x4_t)(codes & 15), 0x04040404);
  return (vf)vqtbl4q_u8(all, (uint8x16_t)index);
}

// MARK: - Packed codes

INLINE size_t pack_words(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  if (width != 4) return 0;
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    uint8x16x2_t pairs = vld2q_u8(codes + i);
    vst1q_u8(bytes + i / 2, vsliq_n_u8(pairs.val[0], pairs.val[1], 4));
  }
  return i;
}
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  if (width != 4) return 0;
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    uint8x16_t both = vld1q_u8(bytes + i / 2);
    uint8x16x2_t pairs = {{vandq_u8(both, vdupq_n_u8(15)), vshrq_n_u8(both, 4)}};
    vst2q_u8(codes + i, pairs);
  }
  return i;
}

// MARK: - Bytes and dot products

typedef int8x16_t ByteTable;
INLINE ByteTable byte_table_of(const int8_t *values) {
  return values ? vld1q_s8(values) : vdupq_n_s8(0);
}
INLINE vu nibble_values(ByteTable values, vu word) {
  return (vu)vqtbl1q_s8(values, vandq_u8((uint8x16_t)word, vdupq_n_u8(15)));
}

#define HAS_SIGNED_BYTE_DOT
#ifndef HAS_DOT_INSTRUCTIONS
INLINE vi dot_signed_bytes(vi sum, vu a, vu b) {
  int8x16_t x = (int8x16_t)a, y = (int8x16_t)b;
  int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(y)));
  int32x4_t high = vpaddlq_s16(vmull_high_s8(x, y));
  return sum + (vi)vpaddq_s32(low, high);
}
#endif

#endif

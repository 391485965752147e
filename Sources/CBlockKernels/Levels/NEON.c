// arm64 with Advanced SIMD: four lanes.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF
#include <arm_neon.h>

#define LANES 4
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))
#define PREFETCH(p) __builtin_prefetch(p)
#define STORE_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#include "../Templates/Lanes.h"

// Shifts by the counts of the lanes; counts of 32 and more give zero.
//
// The processor looks at the lowest byte of a count, as a signed number.
INLINE vu shift_left(vu v, vu n) {
  return (vu)vshlq_u32((uint32x4_t)v, (int32x4_t)min_u(n, all_u(32)));
}
INLINE vu shift_right(vu v, vu n) {
  return (vu)vshlq_u32((uint32x4_t)v, vnegq_s32((int32x4_t)min_u(n, all_u(32))));
}
// The powers of two below magnitudes, or the given one if it is larger, with the values' signs.
INLINE vu signed_binades(vf v, uint32_t lowest) {
  vu bits = bits_of(v);
  return max_u(bits & INFINITE, all_u(lowest)) | (bits & SIGN);
}
// Whole numbers nearest to values below 2^31, ties to even.
INLINE vu round_to_integers(vf v) { return (vu)vcvtnq_s32_f32((float32x4_t)v); }
INLINE vf permute(vf v, vu lanes) {
  // Byte b of lane i comes from byte b of lane lanes[i].
  uint32x4_t index = vmlaq_n_u32(vdupq_n_u32(0x03020100), (uint32x4_t)(lanes & 3), 0x04040404);
  return (vf)vqtbl1q_u8((uint8x16_t)v, (uint8x16_t)index);
}
INLINE vf table_of(const float *values) { return load_f(values); }
INLINE vf look_up(vf table, const float *values, vu codes) {
  uint8x16x4_t all = vld1q_u8_x4((const uint8_t *)values);
  uint32x4_t index = vmlaq_n_u32(vdupq_n_u32(0x03020100), (uint32x4_t)(codes & 15), 0x04040404);
  return (vf)vqtbl4q_u8(all, (uint8x16_t)index);
}
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

#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_neon_kernels, BK_NEON);
// Quantizing has no use for dot products.
KERNEL_TABLE(bk_neon_dot_kernels, BK_NEON_DOT);
#endif

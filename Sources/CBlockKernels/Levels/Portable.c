// Portable C: four lanes, which compilers map to any processor's vectors or to none.
#pragma STDC FP_CONTRACT OFF

#define LANES 4
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))
#define PREFETCH(p) __builtin_prefetch(p)
#define STORE_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#include "../Templates/Lanes.h"

// Shifts by the counts of the lanes; counts of 32 and more give zero.
INLINE vu shift_left(vu v, vu n) { return (v << (n & 31)) & (vu)(n < 32); }
INLINE vu shift_right(vu v, vu n) { return (v >> (n & 31)) & (vu)(n < 32); }

// The powers of two below magnitudes, or the given one if it is larger, with the values' signs.
INLINE vu signed_binades(vf v, uint32_t lowest) {
  vu bits = bits_of(v);
  return max_u(bits & INFINITE, all_u(lowest)) | (bits & SIGN);
}
// Whole numbers nearest to values below 2^22, ties to even.
INLINE vu round_to_integers(vf v) { return bits_of(v + 0x1.8p23f) - bits_of(all_f(0x1.8p23f)); }
INLINE vf permute(vf v, vu lanes) {
  vf r;
  for (int i = 0; i < LANES; i++) r[i] = v[lanes[i] & 3];
  return r;
}
INLINE vf table_of(const float *values) { return load_f(values); }
INLINE vf look_up(vf table, const float *values, vu codes) {
  vf r;
  for (int i = 0; i < LANES; i++) r[i] = values[codes[i] & 15];
  return r;
}
INLINE size_t pack_words(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  return 0;
}
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  return 0;
}

#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_portable_kernels, BK_PORTABLE);

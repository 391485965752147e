// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target( \
        "avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi"))), \
    apply_to = function)

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#define HAS_MASKED_MOVES
#define HAS_POWER_SCALING
#define TILE_ROWS 8
#define TILE_VECTORS 2
#include "../Templates/Lanes.h"

INLINE __mmask16 some(size_t n) { return (__mmask16)_bzhi_u32(0xFFFF, (uint32_t)n); }
INLINE vf load_part(const void *p, size_t n) {
  return n >= LANES ? load_f(p) : (vf)_mm512_maskz_loadu_ps(some(n), p);
}
INLINE void store_part(void *p, vf v, size_t n) {
  if (n >= LANES) {
    store_f(p, v);
  } else {
    _mm512_mask_storeu_ps(p, some(n), (__m512)v);
  }
}
INLINE vf times_power(vf v, vf n, vi integers) {
  return (vf)_mm512_scalef_ps((__m512)v, (__m512)n);
}

#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx512_training, BK_AVX512);

#pragma clang attribute pop
#endif

// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target( \
        "avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi"))), \
    apply_to = function)

#include "AVX512Lanes.h"

// Sums of bytes would saturate at 16 bits, so bytes are widened first.
#define HAS_INT16_DOT
INLINE vi dot_int16(vi sum, vu a, vu b) {
  return sum + (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}

#define PREFERS_INT16 true
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx512_products, BK_AVX512);

#pragma clang attribute pop
#endif

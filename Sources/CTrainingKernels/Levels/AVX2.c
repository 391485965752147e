// x86-64 with AVX2 and FMA: two registers hold sixteen lanes.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
// Vectors wider than registers are passed to functions that are inlined, and to no others.
#pragma clang diagnostic ignored "-Wpsabi"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,bmi,bmi2"))), apply_to = function)

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#include "../Templates/Lanes.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx2_training, BK_AVX2);

#pragma clang attribute pop
#endif

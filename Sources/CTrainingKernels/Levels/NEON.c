// arm64 with Advanced SIMD: four registers hold sixteen lanes.
#if defined(__aarch64__)
#pragma STDC FP_CONTRACT OFF

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#include "../Templates/Lanes.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_neon_training, BK_NEON);
#endif

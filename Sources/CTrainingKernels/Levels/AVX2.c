// x86-64 with AVX2 and FMA: two registers hold sixteen lanes.
#if defined(__x86_64__)
#define LANES 16
#include "Lanes/AVX2.h"

#define TILE_LANES 8
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX2, avx2);
// Training has no use for dot products.
KERNEL_TABLE(AVX_VNNI, avx_vnni);

#pragma clang attribute pop
#endif

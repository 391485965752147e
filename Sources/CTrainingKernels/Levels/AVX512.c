// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
#if defined(__x86_64__)
#define LANES 16
#include "Lanes/AVX512.h"

#define TILE_ROWS 8
#define TILE_VECTORS 2
#define TILE_LANES 16
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX512, avx512);
// Training has no use for dot products, nor for tiles.
KERNEL_TABLE(AVX512_DOT, avx512_dot);
KERNEL_TABLE(AVX512_AMX, avx512_amx);

#pragma clang attribute pop
#endif

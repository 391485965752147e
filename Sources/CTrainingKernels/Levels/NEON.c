// arm64 with Advanced SIMD: four registers hold sixteen lanes.
#if defined(__aarch64__)
#define LANES 16
#include "Lanes/NEON.h"

#define TILE_LANES 4
#include "../Templates/Kernels.h"

KERNEL_TABLE(NEON, neon);
// Training has no use for dot products, of matrices or not.
KERNEL_TABLE(NEON_DOT, neon_dot);
KERNEL_TABLE(NEON_MATRIX, neon_matrix);
#endif

// arm64 with Advanced SIMD.
#if defined(__aarch64__)
#include "Lanes/NEON.h"

#include "../Templates/Kernels.h"

KERNEL_TABLE(NEON, neon);
// Quantizing has no use for dot products, of matrices or not.
KERNEL_TABLE(NEON_DOT, neon_dot);
KERNEL_TABLE(NEON_MATRIX, neon_matrix);
#endif

// arm64 with Advanced SIMD and integer dot products.
#if defined(__aarch64__)
#include "Lanes/NEONDot.h"

#include "NEONTiles.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(NEON_DOT, neon_dot);

#pragma clang attribute pop
#endif

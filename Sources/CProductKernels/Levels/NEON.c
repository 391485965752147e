// arm64 with Advanced SIMD.
#if defined(__aarch64__)
#include "Lanes/NEON.h"

#include "NEONTiles.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(NEON, neon);
#endif

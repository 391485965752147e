// x86-64 with AVX2 as above, and AVX-VNNI.
#if defined(__x86_64__)
#include "Lanes/AVXVNNI.h"

// Twelve sums hide the latency of a dot product; what they are added to lies in memory.
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define FLOAT_ROWS 6
#define FLOAT_VECTORS 2
#define FEW_VECTORS 4
#define NIBBLE_ROWS 4
#define PART_ROWS 32
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX_VNNI, avx_vnni);

#pragma clang attribute pop
#endif

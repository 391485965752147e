// x86-64 with AVX2, FMA, F16C and BMI2.
#if defined(__x86_64__)
#include "Lanes/AVX2.h"

#define TILE_ROWS 4
#define TILE_VECTORS 2
#define FLOAT_ROWS 6
#define FLOAT_VECTORS 2
#define FEW_VECTORS 4
#define NIBBLE_ROWS 4
#define PART_ROWS 32
#define PIN(sum) __asm__ volatile("" : "+x"(sum))
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX2, avx2);

#pragma clang attribute pop
#endif

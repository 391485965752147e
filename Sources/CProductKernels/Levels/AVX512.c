// x86-64 with AVX-512 F, BW, VL, DQ and VBMI.
#if defined(__x86_64__)
#include "Lanes/AVX512.h"

#include "AVX512Tiles.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX512, avx512);

#pragma clang attribute pop
#endif

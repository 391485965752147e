// x86-64 with AVX-512 as above, VNNI and BF16.
#if defined(__x86_64__)
#include "Lanes/AVX512Dot.h"

#include "AVX512Tiles.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX512_DOT, avx512_dot);

#pragma clang attribute pop
#endif

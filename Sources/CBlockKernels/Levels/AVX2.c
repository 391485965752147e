// x86-64 with AVX2, FMA, F16C and BMI2.
#if defined(__x86_64__)
#include "Lanes/AVX2.h"

#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX2, avx2);
// Quantizing has no use for dot products.
KERNEL_TABLE(AVX_VNNI, avx_vnni);

#pragma clang attribute pop
#endif

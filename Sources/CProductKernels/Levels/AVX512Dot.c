// x86-64 with AVX-512 as above, VNNI and BF16; and the same with AMX.
#if defined(__x86_64__)
#include "Lanes/AVX512Dot.h"

#include "AVX512Tiles.h"
#include "../Templates/Kernels.h"

KERNEL_TABLE(AVX512_DOT, avx512_dot);

#pragma clang attribute pop

// All but products of 8-bit integers is the level's above.
#pragma clang attribute push(__attribute__((target(BK_AVX512_AMX_TARGET))), apply_to = function)

#include "../Templates/AMX/Kernels.h"

KERNEL_TABLE_WITH(AVX512_AMX, avx512_amx, multiply_matrices);

#pragma clang attribute pop
#endif

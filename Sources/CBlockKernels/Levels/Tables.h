// The tables of the levels that this architecture has; the others stand for the portable one, so
// that no entry is empty.
#ifndef TABLES_H
#define TABLES_H

#include "../include/CBlockKernels.h"

extern const BKKernels bk_portable_kernels;
#if defined(__x86_64__)
extern const BKKernels bk_avx2_kernels, bk_avx512_kernels, bk_avx512_dot_kernels;
#else
#define bk_avx2_kernels bk_portable_kernels
#define bk_avx512_kernels bk_portable_kernels
#define bk_avx512_dot_kernels bk_portable_kernels
#endif
#if defined(__aarch64__)
extern const BKKernels bk_neon_kernels, bk_neon_dot_kernels;
#else
#define bk_neon_kernels bk_portable_kernels
#define bk_neon_dot_kernels bk_portable_kernels
#endif

#endif

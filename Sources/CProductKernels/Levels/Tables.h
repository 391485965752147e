// The tables of the levels that this architecture has; the others stand for the portable one, so
// that no entry is empty.
#ifndef PRODUCT_TABLES_H
#define PRODUCT_TABLES_H

#include "../include/CProductKernels.h"

extern const BKProductKernels bk_portable_products;
#if defined(__x86_64__)
extern const BKProductKernels bk_avx2_products, bk_avx512_products, bk_avx512_dot_products;
#else
#define bk_avx2_products bk_portable_products
#define bk_avx512_products bk_portable_products
#define bk_avx512_dot_products bk_portable_products
#endif
#if defined(__aarch64__)
extern const BKProductKernels bk_neon_products, bk_neon_dot_products;
#else
#define bk_neon_products bk_portable_products
#define bk_neon_dot_products bk_portable_products
#endif

#endif

// The tables of products follow the levels of the block kernels.
#include "Tables.h"

static const BKProductKernels *const tables[BK_LEVEL_COUNT] = {
    &bk_portable_products, &bk_avx2_products, &bk_avx512_products,
    &bk_avx512_dot_products, &bk_neon_products, &bk_neon_dot_products};

const BKProductKernels *bk_product_kernels(BKLevel level) {
  return tables[bk_is_supported(level) ? level : bk_best_level()];
}

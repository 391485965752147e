// The tables of the levels that this architecture has.
#include "../include/CProductKernels.h"

#define DECLARATION(symbol, id, architecture, target) \
  BK_ON_##architecture(extern const BKProductKernels bk_##id##_products;)
BK_LEVELS(DECLARATION)

#define ENTRY(symbol, id, architecture, target) \
  BK_ON_##architecture([BK_##symbol] = &bk_##id##_products,)
static const BKProductKernels *const tables[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

const BKProductKernels *bk_product_kernels(BKLevel level) { return tables[bk_usable_level(level)]; }

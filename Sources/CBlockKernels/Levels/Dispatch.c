// The tables of the levels that this architecture has.
#include "../include/CBlockKernels.h"

#define DECLARATION(symbol, id, architecture, target) \
  BK_ON_##architecture(extern const BKKernels bk_##id##_kernels;)
BK_LEVELS(DECLARATION)

#define ENTRY(symbol, id, architecture, target) \
  BK_ON_##architecture([BK_##symbol] = &bk_##id##_kernels,)
static const BKKernels *const tables[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

const BKKernels *bk_kernels(BKLevel level) { return tables[bk_usable_level(level)]; }

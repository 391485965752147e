// The tables of the levels that this architecture has.
#include "../include/CTrainingKernels.h"

#define DECLARATION(symbol, id, architecture, target) \
  BK_ON_##architecture(extern const BKTrainingKernels bk_##id##_training;)
BK_LEVELS(DECLARATION)

#define ENTRY(symbol, id, architecture, target) \
  BK_ON_##architecture([BK_##symbol] = &bk_##id##_training,)
static const BKTrainingKernels *const tables[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

const BKTrainingKernels *bk_training_kernels(BKLevel level) { return tables[bk_usable_level(level)]; }

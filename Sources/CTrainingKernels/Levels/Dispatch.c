// The tables of training follow the levels of the block kernels; dot products make no difference.
#include "Tables.h"

static const BKTrainingKernels *const tables[BK_LEVEL_COUNT] = {
    &bk_portable_training, &bk_avx2_training, &bk_avx512_training,
    &bk_avx512_training,   &bk_neon_training, &bk_neon_training};

const BKTrainingKernels *bk_training_kernels(BKLevel level) {
  return tables[bk_is_supported(level) ? level : bk_best_level()];
}

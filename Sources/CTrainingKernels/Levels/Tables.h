// The tables of the levels that this architecture has; the others stand for the portable one, so
// that no entry is empty.
#ifndef TRAINING_TABLES_H
#define TRAINING_TABLES_H

#include "../include/CTrainingKernels.h"

extern const BKTrainingKernels bk_portable_training;
#if defined(__x86_64__)
extern const BKTrainingKernels bk_avx2_training, bk_avx512_training;
#else
#define bk_avx2_training bk_portable_training
#define bk_avx512_training bk_portable_training
#endif
#if defined(__aarch64__)
extern const BKTrainingKernels bk_neon_training;
#else
#define bk_neon_training bk_portable_training
#endif

#endif

#ifndef CMULTIPLYLIMIT_H
#define CMULTIPLYLIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "CKernelLevels.h"

#ifdef __cplusplus
extern "C" {
#endif

/// What is multiplied, and added to sums of 32 bits.
enum multiply_limit_unit {
  MULTIPLY_LIMIT_INT8 = 0,
  MULTIPLY_LIMIT_INT16 = 1,
  MULTIPLY_LIMIT_BFLOAT16 = 2,
  MULTIPLY_LIMIT_FLOAT32 = 3,
};

/// Multiplies and adds as fast as a level's instructions can, and does nothing else.
///
/// Everything stays in registers: many independent sums, so that no step waits for the one before
/// it, and operands that are all 1. Units that a level has no instruction for run as its products
/// do: 8-bit integers as 16-bit ones, BF16 numbers as FP32 ones.
///
/// - level: one that the machine supports; any other is the level in use.
/// - repetitions: each does `multiply_limit_operations(level, unit)` multiplications and as many
///   additions.
///
/// Returns the sum of all products, which is the number of multiplications done while each FP32 sum
/// stays below 2^24, and each of 32-bit integers below 2^31.
uint64_t multiply_limit_run(BKLevel level, enum multiply_limit_unit unit, size_t repetitions);

/// The multiplications of a repetition.
size_t multiply_limit_operations(BKLevel level, enum multiply_limit_unit unit);

#ifdef __cplusplus
}
#endif

#endif

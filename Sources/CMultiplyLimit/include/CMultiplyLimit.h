#ifndef CMULTIPLYLIMIT_H
#define CMULTIPLYLIMIT_H

#include <stdbool.h>
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
  /// FP32 numbers in one group without scales.
  MULTIPLY_LIMIT_FLOAT32 = 3,
  /// 8-bit integers, in sums of 16 bits that are widened after every run.
  MULTIPLY_LIMIT_RUNS = 4,
};

/// What has to be done for each group of a product.
struct multiply_limit_group {
  enum multiply_limit_unit unit;
  /// 32-bit words of elements in a group, at least 1, but for FP32.
  size_t words;
  /// Words of a run.
  size_t run;
  /// Whether the scales are powers of two, whose exponents are added; they are multiplied elsewhere.
  bool adds_exponents;
};

/// Multiplies and adds as fast as a level's instructions can, and does nothing else that a product
/// need not do.
///
/// Everything stays in registers: as many independent groups as there is room for, each of which
/// takes its words, becomes a number, and is added to its sum with the product of two scales by one
/// fused multiply-add. Sums that an instruction leaves in tiles take the way through memory that
/// they must. Units that a level has no instruction for run as its products do: 8-bit integers as
/// 16-bit ones, BF16 numbers as FP32 ones.
///
/// - level: one that the machine supports; any other is the level in use.
/// - repetitions: each does `multiply_limit_operations(level, group)` multiplications of elements and
///   as many additions.
///
/// All elements and scales are 1. Returns the sum of all products, which is the number of
/// multiplications done while each FP32 sum stays below 2^24.
uint64_t multiply_limit_run(
    BKLevel level, const struct multiply_limit_group *group, size_t repetitions);

/// The multiplications of elements of a repetition.
size_t multiply_limit_operations(BKLevel level, const struct multiply_limit_group *group);

/// The instructions that multiply and add elements.
const char *multiply_limit_instructions(
    BKLevel level, const struct multiply_limit_group *group);

#ifdef __cplusplus
}
#endif

#endif

// All templates, and the table of one level.
#include "../include/CProductKernels.h"
#include "Lanes.h"
#include "Units.h"
#include "Unlimited.h"
#include "Results.h"
#include "Matrices.h"
#include "Tiles.h"
#include "Parts.h"
#include "Multipliers.h"
#include "NarrowColumns.h"
#include "Panels.h"

#define KERNEL_TABLE(symbol, id) KERNEL_TABLE_WITH(symbol, id, multiply)
// The same with other products than those of `Tiles.h`.
#define KERNEL_TABLE_WITH(symbol, id, product)                                                   \
  const BKProductKernels bk_##id##_products = {                                                  \
      .level = BK_##symbol,                                                                      \
      .prefers_int16 = PREFERS_INT16,                                                            \
      .prefers_runs = PREFERS_RUNS,                                                              \
      .lanes = LANES,                                                                            \
      .multiply = product,                                                                       \
      .multiply_nibbles = multiply_nibbles,                                                      \
      .multiply_codes = multiply_codes,                                                          \
      .spread_codes = spread_codes,                                                              \
      .map_int8 = map_int8,                                                                      \
      .map_int16 = map_int16,                                                                    \
      .scale_int16 = scale_int16,                                                                \
      .join_shifts = join_shifts,                                                                \
      .group_offsets = group_offsets,                                                            \
      .flushes_freely = FLUSHES_FREELY,                                                          \
      .least_bfloat16 = least_bfloat16,                                                          \
      .run_offsets = run_offsets,                                                                \
      .interleave = interleave,                                                                  \
      .widen_bfloat16_row = widen_bfloat16_row,                                                  \
      .widen_bfloat16_panel = widen_bfloat16_panel,                                              \
      .widen_bytes = widen_bytes,                                                                \
      .join_nibbles = join_nibbles,                                                              \
      .split_nibbles = split_nibbles,                                                            \
  }

// All templates, and the table of one level.
#include "../include/CProductKernels.h"
#include "Lanes.h"
#include "Units.h"
#include "Unlimited.h"
#include "Results.h"
#include "Tiles.h"
#include "Parts.h"
#include "Multipliers.h"
#include "Panels.h"

#define KERNEL_TABLE(symbol, id)                                                                 \
  const BKProductKernels bk_##id##_products = {                                                  \
      .level = BK_##symbol,                                                                      \
      .prefers_int16 = PREFERS_INT16,                                                            \
      .prefers_runs = PREFERS_RUNS,                                                              \
      .lanes = LANES,                                                                            \
      .multiply = multiply,                                                                      \
      .multiply_nibbles = multiply_nibbles,                                                      \
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

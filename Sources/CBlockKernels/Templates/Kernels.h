// All templates, and the table of one level.
#include "../include/CBlockKernels.h"
#include "Lanes.h"
#include "Groups.h"
#include "Magnitudes.h"
#include "Rounding.h"
#include "Tame.h"
#include "Encode.h"
#include "Tameness.h"
#include "Packing.h"
#include "Values.h"
#include "Decode.h"
#include "Scales.h"
#include "Errors.h"
#include "Random.h"
#include "Numbers.h"
#include "Halves.h"
#include "Rows.h"
#include "Panels.h"
#include "StoredScales.h"
#include "Blocks.h"
#include "Doublings.h"

#define KERNEL_TABLE(symbol, id)                                                                 \
  const BKKernels bk_##id##_kernels = {                                                          \
      .level = BK_##symbol,                                                                      \
      .lanes = LANES,                                                                            \
      .row_magnitudes = row_magnitudes,                                                          \
      .column_magnitudes = column_magnitudes,                                                    \
      .finite_magnitudes = finite_magnitudes,                                                    \
      .shared_scales = shared_scales,                                                            \
      .shared_subscales = shared_subscales,                                                      \
      .shared_values = shared_values,                                                            \
      .float_scales = float_scales,                                                              \
      .two_level_scales = two_level_scales,                                                      \
      .two_level_multipliers = two_level_multipliers,                                            \
      .encode_row = encode_row,                                                                  \
      .quantize_row = quantize_row,                                                              \
      .decode_row = decode_row,                                                                  \
      .encode_panel = encode_panel,                                                              \
      .quantize_panel = quantize_panel,                                                          \
      .decode_panel = decode_panel,                                                              \
      .encode = encode,                                                                          \
      .encode_wide = encode_wide,                                                                \
      .decode = decode,                                                                          \
      .decode_wide = decode_wide,                                                                \
      .decode_lines = decode_lines,                                                              \
      .encode_blocks = encode_blocks,                                                            \
      .encode_doubled = encode_doubled,                                                          \
      .quantize_doubled = quantize_doubled,                                                      \
      .decode_doubled = decode_doubled,                                                          \
      .double_columns = double_columns,                                                          \
      .encode_doubled_columns = encode_doubled_columns,                                          \
      .doubled_column_values = doubled_column_values,                                            \
      .pack = pack,                                                                              \
      .unpack = unpack,                                                                          \
      .pack_wide = pack_wide,                                                                    \
      .unpack_wide = unpack_wide,                                                                \
      .squared_errors = squared_errors,                                                          \
      .mark_inexact = mark_inexact,                                                              \
      .random_words = random_words,                                                              \
      .widen = widen,                                                                            \
      .narrow = narrow,                                                                          \
      .stream = stream,                                                                          \
  }

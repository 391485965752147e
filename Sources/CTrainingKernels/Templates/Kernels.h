// All templates, and the table of one level.
#include "../include/CTrainingKernels.h"
#include "Lanes.h"
#include "Elementary.h"
#include "Functions.h"
#include "Arithmetic.h"
#include "Transpose.h"
#include "Attention.h"
#include "Norms.h"
#include "Convolution.h"
#include "Scan.h"
#include "Products.h"
#include "StateSpace.h"
#include "Optimizers.h"

#define KERNEL_TABLE(symbol, id)                                                                 \
  const BKTrainingKernels bk_##id##_training = {                                                 \
      .level = BK_##symbol,                                                                      \
      .apply = apply,                                                                            \
      .apply_backward = apply_backward,                                                          \
      .gate = gate,                                                                              \
      .gate_backward = gate_backward,                                                            \
      .add = add,                                                                                \
      .multiply = multiply,                                                                      \
      .scale = scale,                                                                            \
      .add_scaled = add_scaled,                                                                  \
      .sum_of_squares = sum_of_squares,                                                          \
      .add_rows = add_rows,                                                                      \
      .transpose = transpose,                                                                    \
      .softmax = softmax,                                                                        \
      .softmax_backward = softmax_backward,                                                      \
      .rotate = rotate,                                                                          \
      .cross_entropy = cross_entropy,                                                            \
      .rms_norm = rms_norm,                                                                      \
      .rms_norm_backward = rms_norm_backward,                                                    \
      .layer_norm = layer_norm,                                                                  \
      .layer_norm_backward = layer_norm_backward,                                                \
      .convolve = convolve,                                                                      \
      .convolve_backward = convolve_backward,                                                    \
      .scan = scan,                                                                              \
      .scan_backward = scan_backward,                                                            \
      .scale_rows = scale_rows,                                                                  \
      .dot_rows = dot_rows,                                                                      \
      .product = product,                                                                        \
      .decays = decays,                                                                          \
      .decays_backward = decays_backward,                                                        \
      .adamw = adamw,                                                                            \
      .momentum = momentum,                                                                      \
  }

// Vector kernels for training small models in FP32: elementary functions, rows of attention and
// norms with their derivatives, and optimizers.
//
// Each kernel takes plain pointers and sizes, reads and writes nothing outside them, allocates
// nothing and keeps no state. Loops over batches, heads and threads are the caller's. Pointers need
// no alignment. Every level computes the same bits: sixteen lanes whatever the registers' width,
// multiply-adds fused only where a formula says so, and every NaN that is stored is the canonical
// one. Subnormal numbers are numbers like others.
//
// Sums over a row have one order: element i is added to lane i mod 16, in order; then lanes j and
// j + 8 are added, j and j + 4, j and j + 2, and the last two.
//
// A result may take the place of an operand with the same shape unless a comment says otherwise.
#ifndef C_TRAINING_KERNELS_H
#define C_TRAINING_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "CKernelLevels.h"

#pragma clang assume_nonnull begin

// MARK: - Functions
//
// Errors of f(x) are in units in the last place of the result (ulp), over all numbers unless said
// otherwise; those of f'(x) are absolute, in units of e = 2^-24, or in ulp. NaN gives NaN.
// Infinities give the limits, with the sign of a zero that is reached from one side.

typedef enum {
  BK_EXP = 0,       // 1.1 ulp; infinite above 88.7228, zero below -103.9721
  BK_LOG = 1,       // 1 ulp; -infinity at zeros, NaN below; f' 0.5 ulp
  BK_TANH = 2,      // 1.5 ulp; f' 4 e
  BK_SIGMOID = 3,   // s(x) = 1 / (1 + exp(-x)): 3 ulp; f' 1 e
  BK_SOFTPLUS = 4,  // log(1 + exp(x)): 2 ulp; f' 3 ulp
  // x s(2 sqrt(2 / pi) (x + 0.044715 x^3)): 4 e |x|, and 8 ulp above -1; f' 8 e
  BK_GELU_TANH = 5,
  // x times the normal distribution function: 8 ulp above -13, 2^-140 below; f' 4 e
  BK_GELU = 6,
  BK_SILU = 7,          // x s(x): 4 ulp above -87, 2^-142 below; f' 4 e
  BK_SQUARED_RELU = 8,  // max(x, 0)^2: 0.5 ulp; f' is exact
  BK_FUNCTION_COUNT = 9,
} BKFunction;

// MARK: - Shapes

// R rows of C numbers, `stride` numbers from row to row in every matrix of a call.
typedef struct {
  size_t rows, columns, stride;
} BKRowShape;

// Pairs (i, i + size / 2) of every head of every row; `size` is even.
typedef struct {
  size_t rows;          // R
  size_t heads;         // H, next to each other in a row
  size_t size;          // D, of a head
  size_t stride;        // from row to row of numbers, at least H D
  size_t table_stride;  // from row to row of cosines and sines, 0 for one row of angles
} BKRotation;

// T steps of C channels, `stride` numbers from step to step.
typedef struct {
  size_t steps, channels, stride;
} BKSequence;

#define BK_TAPS 4

// A chunk of T steps of D channels with N states each.
typedef struct {
  size_t steps;         // T, at most BK_SCAN_STEPS
  size_t channels;      // D
  size_t states;        // N, at least one
  size_t stride;        // from row to row of channels, at least D
  size_t state_stride;  // from step to step of b and c, at least N
} BKScan;

#define BK_SCAN_STEPS 32
#define BK_SCAN_BLOCK 32

// R rows of C numbers of two matrices with strides of their own.
typedef struct {
  size_t rows, columns, x_stride, y_stride;
} BKRowPair;

// Y: R x C = A: R x K times B: K x C. The number k of row r of A is a[r * a_row + k * a_step], so
// that A may lie transposed.
typedef struct {
  size_t rows, columns, depth, a_row, a_step, b_stride, y_stride;
} BKProduct;

// The most steps of a chunk of a state-space model.
#define BK_CHUNK_STEPS 64

// MARK: - Optimizers

// One step of AdamW, with corrections for the moments' first steps made by the caller.
typedef struct {
  float gradient_scale;       // gradients are multiplied by this first
  float first_decay;          // beta1
  float second_decay;         // beta2
  float step;                 // learning rate / (1 - beta1^t)
  float second_correction;    // 1 / sqrt(1 - beta2^t)
  float epsilon;
  float weight_factor;        // 1 - learning rate * weight decay
} BKAdamW;

typedef struct {
  float gradient_scale;  // gradients are multiplied by this first
  float momentum;
  float learning_rate;
  float weight_decay;    // added to the gradient, times the weight
} BKMomentum;

// MARK: - Kernels

typedef struct {
  BKLevel level;

  // MARK: Functions of numbers

  // y = f(x)
  void (*apply)(BKFunction function, const float *x, size_t count, float *y);
  // dx = dy f'(x)
  void (*apply_backward)(
      BKFunction function, const float *x, const float *dy, size_t count, float *dx);
  // y = u f(g); SwiGLU with BK_SILU
  void (*gate)(BKFunction function, const float *g, const float *u, size_t count, float *y);
  // dg = dy u f'(g), du = dy f(g); no two results in one place
  void (*gate_backward)(
      BKFunction function, const float *g, const float *u, const float *dy, size_t count,
      float *dg, float *du);

  // MARK: Sums and products

  void (*add)(const float *a, const float *b, size_t count, float *y);       // y = a + b
  void (*multiply)(const float *a, const float *b, size_t count, float *y);  // y = a b
  void (*scale)(const float *x, float factor, size_t count, float *y);       // y = factor x
  // y = factor x + y, fused
  void (*add_scaled)(const float *x, float factor, size_t count, float *y);
  // In double precision, where no product is rounded and none overflows.
  double (*sum_of_squares)(const float *x, size_t count);
  // sums[c] += sum over r of x[r][c], r in order
  void (*add_rows)(const BKRowShape *shape, const float *x, float *sums);
  // y[c][r] = x[r][c], bit for bit; the places differ
  void (*transpose)(
      const float *x, size_t rows, size_t columns, size_t x_stride, float *y, size_t y_stride);

  // MARK: Attention

  // Row r has length n = min(C, first_length + r * growth): all of it with first_length = C, causal
  // with growth = 1.
  //
  // p[r][c] = exp(scale s[r][c] - m) / sum over c < n of the same, m = max over c < n of
  // scale s[r][c]; 0 from n on. A row whose largest product is infinite, or that has a NaN, is NaN.
  void (*softmax)(
      const BKRowShape *shape, size_t first_length, size_t growth, float scale, const float *s,
      float *p);
  // ds = scale p (dp - sum over c < n of p dp); 0 from n on
  void (*softmax_backward)(
      const BKRowShape *shape, size_t first_length, size_t growth, float scale, const float *p,
      const float *dp, float *ds);
  // Each pair (a, b) = (x[i], x[i + D / 2]) turned by the angle of its row and i < D / 2:
  // (a cos - b sin, a sin + b cos). The inverse, by the negated angle, is the derivative.
  void (*rotate)(
      const BKRotation *shape, bool is_inverse, const float *x, const float *cosines,
      const float *sines, float *y);

  // MARK: Loss

  // losses[r] = log(sum over c of exp(x[r][c] - m)) + m - x[r][t], m = max over c of x[r][c],
  // t = targets[r]; dx[r][c] = weight (softmax(x[r])[c] - [c = t]). Targets below zero are left
  // out: loss and derivatives are 0. Others are less than C.
  void (*cross_entropy)(
      const BKRowShape *shape, const float *x, const int32_t *targets, float weight,
      float *losses, float *_Nullable dx);

  // MARK: Norms
  //
  // Without weights they are 1, without biases 0. Derivatives of both are added to what is there,
  // row after row.

  // y = x i w, i = 1 / sqrt(sum x^2 / C + epsilon)
  void (*rms_norm)(
      const BKRowShape *shape, const float *x, const float *_Nullable weight, float epsilon,
      float *y, float *inverses);
  // g = dy w; dx = i (g - x (i^2 sum g x / C)); dw += dy x i
  void (*rms_norm_backward)(
      const BKRowShape *shape, const float *x, const float *_Nullable weight,
      const float *inverses, const float *dy, float *dx, float *_Nullable dweight);
  // y = h w + b, h = (x - mean) i, i = 1 / sqrt(sum (x - mean)^2 / C + epsilon)
  void (*layer_norm)(
      const BKRowShape *shape, const float *x, const float *_Nullable weight,
      const float *_Nullable bias, float epsilon, float *y, float *means, float *inverses);
  // g = dy w; dx = i (g - sum g / C - h sum g h / C); dw += dy h; db += dy
  void (*layer_norm_backward)(
      const BKRowShape *shape, const float *x, const float *_Nullable weight, const float *means,
      const float *inverses, const float *dy, float *dx, float *_Nullable dweight,
      float *_Nullable dbias);

  // MARK: Convolution
  //
  // Of every channel by itself, over BK_TAPS steps back: y[t][c] = b[c] + sum over k of
  // w[k][c] x[t - 3 + k][c], where x is 0 before the first step. Results have places of their own.

  void (*convolve)(
      const BKSequence *shape, const float *x, const float *weight, const float *_Nullable bias,
      float *y);
  // dx[t] = sum over k of w[k] dy[t + 3 - k]; dw[k] += sum over t of dy[t] x[t - 3 + k], and
  // db += sum over t of dy[t], t in order
  void (*convolve_backward)(
      const BKSequence *shape, const float *x, const float *weight, const float *dy, float *dx,
      float *dweight, float *_Nullable dbias);

  // MARK: Scans
  //
  // Of states h of every channel, over the steps t of a chunk. u, dt and y are T x D, a and states
  // N x D, d is D; b and c are T x N. Results have places of their own.

  // v = dt[t] u[t]; h[n] = exp(dt[t] a[n]) h[n] + v b[t][n], where the products are rounded and the
  // sum is fused with the first factor; y[t] = d u[t], and then y[t] = c[t][n] h[n] + y[t], fused,
  // n in order. `before` and `after` are the states around the chunk.
  void (*scan)(
      const BKScan *shape, const float *u, const float *dt, const float *a, const float *b,
      const float *c, const float *d, const float *before, float *after, float *y);
  // Of one chunk after the other, from the last to the first. dh is the derivative by the states
  // after the chunk, and becomes that by those before it. Steps go backwards; e = exp(dt[t] a[n]),
  // h is the state after the step and h' the one before it:
  //
  //   g = c[t][n] dy[t] + dh[n];  dh[n] = g e;  q = dh[n] h'
  //   dc[t][n] = sum over channels of dy[t] h;  db[t][n] = sum over channels of g v
  //   da[n] += q dt[t];  dd += dy[t] u[t]
  //   p = sum over n of g b[t][n];  du[t] = p dt[t] + d dy[t]
  //   ddt[t] = p u[t] + sum over n of q a[n]
  //
  // Multiply-adds are fused. Sums over n go in order; those over channels in the order of rows for
  // BK_SCAN_BLOCK of them at a time, and then block after block.
  void (*scan_backward)(
      const BKScan *shape, const float *u, const float *dt, const float *a, const float *b,
      const float *c, const float *d, const float *before, const float *dy, float *dh, float *du,
      float *ddt, float *da, float *db, float *dc, float *dd);

  // MARK: Rows and products of state-space models

  // y[r][c] = factors[r] x[r][c]; added to what is there, fused, if `adds`
  void (*scale_rows)(
      const BKRowPair *shape, const float *factors, const float *x, bool adds, float *y);
  // sums[r] = sum over c of x[r][c] y[r][c]
  void (*dot_rows)(const BKRowPair *shape, const float *x, const float *y, float *sums);
  // y[r][c] = sum over k of a[r][k] b[k][c], each product added by a fused operation, k in order,
  // to 0 or to what is there. The result has a place of its own.
  void (*product)(
      const BKProduct *shape, const float *a, const float *b, bool adds, float *y);
  // L[l][s] = exp((sums[l] + rests[l]) - (sums[s] + rests[s])) for s <= l, 0 beyond, for l and s
  // below `steps`; the differences of sums and of rests are added to each other. Rows of L lie
  // `steps` apart.
  void (*decays)(const float *sums, const float *rests, size_t steps, float *L);
  // Of M = G L, number by number, where L is as above: dg += dm L for s <= l, and
  // da[i] = sum over l >= i of sum over s < i of k[l][s] with k = dm L g, the derivative by the
  // difference of sums i and i - 1; l falling, then s in the order of rows. At most BK_CHUNK_STEPS.
  void (*decays_backward)(
      const float *g, const float *L, const float *dm, size_t steps, float *dg, float *da);

  // MARK: Optimizers

  // g = gradient * gradient_scale; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
  // w = weight_factor w - step m / (sqrt(v) second_correction + epsilon)
  void (*adamw)(
      const BKAdamW *step, const float *gradient, size_t count, float *weight, float *first,
      float *second);
  // g = gradient * gradient_scale + weight_decay w; m = momentum m + g; w = w - learning_rate m
  void (*momentum)(
      const BKMomentum *step, const float *gradient, size_t count, float *weight,
      float *momentum);
} BKTrainingKernels;

// The kernels of a supported level; those of the level in use for any other.
const BKTrainingKernels *bk_training_kernels(BKLevel level);

#pragma clang assume_nonnull end

#endif

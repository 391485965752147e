// The kernels of training, on numbers of usual size and on any.
#include "CTrainingKernels.h"
#include "Cases.h"

// From 2^-10 to 2^4, of either sign.
static uint32_t usual(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  return ((uint32_t)z & 0x807FFFFF) | (117 + (uint32_t)(z >> 32) % 14) << 23;
}

static const struct {
  const char *name;
  Generator generate;
} kinds[] = {{"usual", usual}, {"any", sample}};
enum { KIND_COUNT = 2, ROWS = 3, GAP = 5 };

static void run_functions(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  for (int f = 0; f < BK_FUNCTION_COUNT; f++) {
    if (!begin(d, "training.functions.%d.%s", f, kinds[kind].name)) continue;
    for (size_t n = 0; n < MOST; n++) {
      bool at_end = next_call(d);
      const float *x = floats(&d->in[0], n, at_end, generate, 4 * n);
      const float *u = floats(&d->in[1], n, at_end, generate, 4 * n + 1);
      const float *dy = floats(&d->in[2], n, at_end, generate, 4 * n + 2);
      float *y[4];
      for (int i = 0; i < 4; i++) y[i] = place(&d->out[i], 4 * n, at_end);
      k->apply((BKFunction)f, x, n, y[0]);
      k->gate((BKFunction)f, x, u, n, y[1]);
      k->gate_backward((BKFunction)f, x, u, dy, n, y[2], y[3]);
      for (int i = 0; i < 4; i++) take(d, &d->out[i]);
      k->apply_backward((BKFunction)f, x, dy, n, y[0]);
      take(d, &d->out[0]);
    }
    end(d);
  }
}

static void run_arithmetic(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (begin(d, "training.arithmetic.%s", kinds[kind].name)) {
    for (size_t n = 0; n < MOST; n++) {
      bool at_end = next_call(d);
      const float *a = floats(&d->in[0], n, at_end, generate, 3 * n);
      const float *b = floats(&d->in[1], n, at_end, generate, 3 * n + 1);
      float *y[4];
      for (int i = 0; i < 4; i++) y[i] = floats(&d->out[i], n, at_end, generate, 3 * n + 2);
      k->add(a, b, n, y[0]);
      k->multiply(a, b, n, y[1]);
      k->scale(a, 0.3f, n, y[2]);
      k->add_scaled(a, 0.3f, n, y[3]);
      for (int i = 0; i < 4; i++) take(d, &d->out[i]);
      uint64_t word;
      double sum = k->sum_of_squares(a, n);
      memcpy(&word, &sum, sizeof word);
      take_word(d, word);
    }
    end(d);
  }
  if (begin(d, "training.optimizers.%s", kinds[kind].name)) {
    BKAdamW adamw = {0.7f, 0.9f, 0.95f, 0.01f, 1.5f, 1e-8f, 0.999f};
    BKMomentum momentum = {0.7f, 0.9f, 0.1f, 0.01f};
    for (size_t n = 0; n < MOST; n++) {
      bool at_end = next_call(d);
      const float *g = floats(&d->in[0], n, at_end, generate, 4 * n);
      float *state[3];
      for (size_t i = 0; i < 3; i++)
        state[i] = floats(&d->out[i], n, at_end, generate, 4 * n + 1 + i);
      k->adamw(&adamw, g, n, state[0], state[1], state[2]);
      k->momentum(&momentum, g, n, state[0], state[1]);
      for (int i = 0; i < 3; i++) take(d, &d->out[i]);
    }
    end(d);
  }
  if (begin(d, "training.transpose.%s", kinds[kind].name)) {
    for (size_t n = 1; n < 71; n++) {
      bool at_end = next_call(d);
      size_t rows = n * 7 % 53 + 1, x_stride = n + 2, y_stride = rows + 1;
      const float *x = floats(&d->in[0], (rows - 1) * x_stride + n, at_end, generate, n);
      float *y = place(&d->out[0], 4 * ((n - 1) * y_stride + rows), at_end);
      k->transpose(x, rows, n, x_stride, y, y_stride);
      take(d, &d->out[0]);
    }
    end(d);
  }
}

static void run_attention(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (begin(d, "training.attention.%s", kinds[kind].name)) {
    for (size_t n = 1; n < MOST; n++) {
      bool at_end = next_call(d);
      BKRowShape shape = {ROWS, n, n + GAP};
      size_t extent = (ROWS - 1) * shape.stride + n, first = n % 2 ? n : n / 2;
      const float *s = floats(&d->in[0], extent, at_end, generate, 3 * n);
      const float *dp = floats(&d->in[1], extent, at_end, generate, 3 * n + 1);
      int32_t *targets = place(&d->in[2], 4 * ROWS, at_end);
      for (size_t r = 0; r < ROWS; r++)
        targets[r] = (int32_t)(mixed(n, r) % (n + 1)) - 1;
      float *p = place(&d->out[0], 4 * extent, at_end);
      float *ds = place(&d->out[1], 4 * extent, at_end);
      float *dx = place(&d->out[2], 4 * extent, at_end);
      float *losses = place(&d->out[3], 4 * ROWS, at_end);
      k->softmax(&shape, first, n % 2 ? 0 : 1, 0.6f, s, p);
      k->softmax_backward(&shape, first, n % 2 ? 0 : 1, 0.6f, p, dp, ds);
      k->cross_entropy(&shape, s, targets, 0.125f, losses, dx);
      for (int i = 0; i < 4; i++) take(d, &d->out[i]);
    }
    end(d);
  }
  if (begin(d, "training.rotate.%s", kinds[kind].name)) {
    for (size_t half = 1; half < 71; half++) {
      bool at_end = next_call(d);
      BKRotation shape = {ROWS, 2, 2 * half, 4 * half + GAP, half};
      size_t extent = (ROWS - 1) * shape.stride + 4 * half;
      const float *x = floats(&d->in[0], extent, at_end, generate, 3 * half);
      const float *c = floats(&d->in[1], ROWS * half, at_end, usual, 3 * half + 1);
      const float *s = floats(&d->in[2], ROWS * half, at_end, usual, 3 * half + 2);
      float *y = place(&d->out[0], 4 * extent, at_end);
      k->rotate(&shape, half % 2, x, c, s, y);
      take(d, &d->out[0]);
    }
    end(d);
  }
}

static void run_norms(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (!begin(d, "training.norms.%s", kinds[kind].name)) return;
  for (size_t n = 1; n < MOST; n++) {
    bool at_end = next_call(d);
    BKRowShape shape = {ROWS, n, n + GAP};
    size_t extent = (ROWS - 1) * shape.stride + n;
    const float *x = floats(&d->in[0], extent, at_end, generate, 5 * n);
    const float *dy = floats(&d->in[1], extent, at_end, generate, 5 * n + 1);
    const float *w = n % 3 ? floats(&d->in[2], n, at_end, usual, 5 * n + 2) : NULL;
    float *sums = floats(&d->out[0], 2 * n, at_end, usual, 5 * n + 3);
    float *scales = place(&d->out[1], 8 * ROWS, at_end);
    float *y = place(&d->out[2], 4 * extent, at_end), *dx = place(&d->out[3], 4 * extent, at_end);
    k->rms_norm(&shape, x, w, 1e-5f, y, scales);
    k->rms_norm_backward(&shape, x, w, scales, dy, dx, sums);
    for (int i = 2; i < 4; i++) take(d, &d->out[i]);
    k->layer_norm(&shape, x, w, w, 1e-5f, y, scales, scales + ROWS);
    k->layer_norm_backward(&shape, x, w, scales, scales + ROWS, dy, dx, sums, sums + n);
    k->add_rows(&shape, x, sums);
    for (int i = 0; i < 4; i++) take(d, &d->out[i]);
  }
  end(d);
}

static void run_convolutions(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (!begin(d, "training.convolve.%s", kinds[kind].name)) return;
  for (size_t n = 1; n < 71; n++) {
    bool at_end = next_call(d);
    BKSequence shape = {n * 5 % 37 + 1, n, n + GAP};
    size_t extent = (shape.steps - 1) * shape.stride + n;
    const float *x = floats(&d->in[0], extent, at_end, generate, 5 * n);
    const float *dy = floats(&d->in[1], extent, at_end, generate, 5 * n + 1);
    const float *w = floats(&d->in[2], 4 * n, at_end, usual, 5 * n + 2);
    const float *b = n % 3 ? floats(&d->in[3], n, at_end, usual, 5 * n + 3) : NULL;
    float *y = place(&d->out[0], 4 * extent, at_end), *dx = place(&d->out[1], 4 * extent, at_end);
    float *dw = floats(&d->out[2], 4 * n, at_end, usual, 5 * n + 4);
    float *db = place(&d->out[3], 4 * n, at_end);
    memset((char *)db, 0, 4 * n);
    k->convolve(&shape, x, w, b, y);
    k->convolve_backward(&shape, x, w, dy, dx, dw, n % 2 ? db : NULL);
    for (int i = 0; i < 4; i++) take(d, &d->out[i]);
  }
  end(d);
}

static uint32_t positive(uint64_t seed, uint64_t index) { return usual(seed, index) & 0x7FFFFFFF; }
static uint32_t negative(uint64_t seed, uint64_t index) { return usual(seed, index) | 0x80000000; }

// Matrices of one shape share a buffer, one behind the other.
static void run_scans(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (!begin(d, "training.scan.%s", kinds[kind].name)) return;
  for (size_t n = 1; n < 71; n++) {
    bool at_end = next_call(d);
    BKScan shape = {n * 11 % 32 + 1, n, n * 7 % 37 + 1, n + GAP, n * 7 % 37 + 1 + n % 2};
    size_t rows = shape.steps * shape.stride, states = shape.states * shape.stride;
    size_t maps = shape.steps * shape.state_stride;
    // The last row of the last matrix ends with its channels.
    float *u = floats(&d->in[0], 2 * rows - GAP, at_end, generate, 8 * n), *dy = u + rows;
    float *dt = floats(&d->in[1], rows + states - GAP, at_end, positive, 8 * n + 1);
    float *a = dt + rows;
    for (size_t i = 0; i < states - GAP; i++) {
      uint32_t word = negative(8 * n + 2, i);
      memcpy((char *)a + 4 * i, &word, sizeof word);
    }
    float *b = floats(&d->in[2], 2 * maps, at_end, generate, 8 * n + 3), *c = b + maps;
    float *skips = floats(&d->in[3], n + states, at_end, usual, 8 * n + 4);
    float *before = skips + n;
    float *y = place(&d->out[0], 4 * (3 * rows - GAP), at_end), *du = y + rows;
    float *dh = floats(&d->out[1], 3 * states - GAP, at_end, usual, 8 * n + 5);
    float *da = dh + states, *after = da + states;
    float *db = place(&d->out[2], 8 * maps, at_end);
    float *dd = floats(&d->out[3], n, at_end, usual, 8 * n + 6);
    k->scan(&shape, u, dt, a, b, c, skips, before, after, y);
    k->scan_backward(
        &shape, u, dt, a, b, c, skips, before, dy, dh, du, du + rows, da, db, db + maps, dd);
    for (int i = 0; i < 4; i++) take(d, &d->out[i]);
  }
  end(d);
}

static void run_small_products(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (!begin(d, "training.products.%s", kinds[kind].name)) return;
  for (size_t n = 1; n < 71; n++) {
    bool at_end = next_call(d), is_turned = n % 2;
    BKRowPair pair = {ROWS, n, n + GAP, n + 1};
    size_t extent = (ROWS - 1) * pair.x_stride + n, y_extent = (ROWS - 1) * pair.y_stride + n;
    const float *x = floats(&d->in[0], extent, at_end, generate, 6 * n);
    const float *factors = floats(&d->in[1], ROWS, at_end, generate, 6 * n + 1);
    float *y = floats(&d->out[0], y_extent, at_end, generate, 6 * n + 2);
    float *sums = place(&d->out[1], 4 * ROWS, at_end);
    k->dot_rows(&pair, x, y, sums);
    k->scale_rows(&pair, factors, x, n % 3 == 0, y);

    size_t rows = n * 5 % 19 + 1, depth = n * 7 % 11 + 1;
    size_t length = is_turned ? rows : depth, lines = is_turned ? depth : rows;
    BKProduct shape = {
        rows, n, depth, is_turned ? 1 : length + 1, is_turned ? length + 1 : 1, n + 2, n + GAP};
    extent = (lines - 1) * (length + 1) + length;
    const float *a = floats(&d->in[2], extent, at_end, generate, 6 * n + 3);
    extent = (depth - 1) * shape.b_stride + n;
    const float *b = floats(&d->in[3], extent, at_end, generate, 6 * n + 4);
    extent = (rows - 1) * shape.y_stride + n;
    float *z = floats(&d->out[2], extent, at_end, usual, 6 * n + 5);
    k->product(&shape, a, b, n % 3 == 0, z);
    for (int i = 0; i < 3; i++) take(d, &d->out[i]);
  }
  end(d);
}

static void run_decays(Driver *d, const BKTrainingKernels *k, int kind) {
  Generator generate = kinds[kind].generate;
  if (!begin(d, "training.decays.%s", kinds[kind].name)) return;
  for (size_t n = 1; n <= BK_CHUNK_STEPS; n++) {
    bool at_end = next_call(d);
    const float *sums = floats(&d->in[0], n, at_end, generate, 5 * n);
    const float *rests = floats(&d->in[1], n, at_end, usual, 5 * n + 1);
    const float *g = floats(&d->in[2], n * n, at_end, generate, 5 * n + 2);
    const float *dm = floats(&d->in[3], n * n, at_end, generate, 5 * n + 3);
    float *L = place(&d->out[0], 4 * n * n, at_end);
    float *dg = floats(&d->out[1], n * n, at_end, usual, 5 * n + 4);
    float *da = place(&d->out[2], 4 * n, at_end);
    k->decays(sums, rests, n, L);
    k->decays_backward(g, L, dm, n, dg, da);
    for (int i = 0; i < 3; i++) take(d, &d->out[i]);
  }
  end(d);
}

void run_training(Driver *d) {
  const BKTrainingKernels *k = bk_training_kernels(d->kernels->level);
  for (int kind = 0; kind < KIND_COUNT; kind++) {
    run_functions(d, k, kind);
    run_arithmetic(d, k, kind);
    run_attention(d, k, kind);
    run_norms(d, k, kind);
    run_convolutions(d, k, kind);
    run_scans(d, k, kind);
    run_small_products(d, k, kind);
    run_decays(d, k, kind);
  }
}

// Causal convolution of channels over a few steps.
//
// Channels are vectors; steps go by in chunks, so that what a chunk reads again is near.

#define CHUNK 16

// Row t of a sequence, zeros outside it.
INLINE vf step_part(const BKSequence *shape, const float *x, ptrdiff_t t, size_t c) {
  if (t < 0 || (size_t)t >= shape->steps) return all_f(0.0f);
  return load_part(x + (size_t)t * shape->stride + c, shape->channels - c);
}

static void convolve(
    const BKSequence *shape, const float *x, const float *weight, const float *bias, float *y) {
  size_t channels = shape->channels;
  for (size_t first = 0; first < shape->steps; first += CHUNK) {
    size_t last = shape->steps - first < CHUNK ? shape->steps : first + CHUNK;
    EACH_VECTOR(c, channels) {
      vf w[BK_TAPS], window[BK_TAPS];
      UNROLLED for (int k = 0; k < BK_TAPS; k++) {
        w[k] = load_part(weight + (size_t)k * channels + c, channels - c);
        window[k] = step_part(shape, x, (ptrdiff_t)first - BK_TAPS + k, c);
      }
      vf b = bias ? load_part(bias + c, channels - c) : all_f(0.0f);
      for (size_t t = first; t < last; t++) {
        UNROLLED for (int k = 1; k < BK_TAPS; k++) window[k - 1] = window[k];
        window[BK_TAPS - 1] = step_part(shape, x, (ptrdiff_t)t, c);
        vf sum = b;
        UNROLLED for (int k = 0; k < BK_TAPS; k++) sum = fma_f(w[k], window[k], sum);
        put_part(y + t * shape->stride + c, sum, channels - c);
      }
    }
  }
}

static void convolve_backward(
    const BKSequence *shape, const float *x, const float *weight, const float *dy, float *dx,
    float *dweight, float *dbias) {
  size_t channels = shape->channels;
  for (size_t first = 0; first < shape->steps; first += CHUNK) {
    size_t last = shape->steps - first < CHUNK ? shape->steps : first + CHUNK;
    EACH_VECTOR(c, channels) {
      size_t n = channels - c;
      // Numbers up to step t, derivatives from it on.
      vf w[BK_TAPS], dw[BK_TAPS], window[BK_TAPS], next[BK_TAPS];
      UNROLLED for (int k = 0; k < BK_TAPS; k++) {
        w[k] = load_part(weight + (size_t)k * channels + c, n);
        dw[k] = load_part(dweight + (size_t)k * channels + c, n);
        window[k] = step_part(shape, x, (ptrdiff_t)first - BK_TAPS + k, c);
        next[k] = step_part(shape, dy, (ptrdiff_t)first - 1 + k, c);
      }
      vf db = dbias ? load_part(dbias + c, n) : all_f(0.0f);
      for (size_t t = first; t < last; t++) {
        UNROLLED for (int k = 1; k < BK_TAPS; k++) {
          window[k - 1] = window[k];
          next[k - 1] = next[k];
        }
        window[BK_TAPS - 1] = step_part(shape, x, (ptrdiff_t)t, c);
        next[BK_TAPS - 1] = step_part(shape, dy, (ptrdiff_t)t + BK_TAPS - 1, c);
        vf sum = all_f(0.0f);
        UNROLLED for (int k = 0; k < BK_TAPS; k++) {
          dw[k] = fma_f(next[0], window[k], dw[k]);
          sum = fma_f(w[k], next[BK_TAPS - 1 - k], sum);
        }
        db += next[0];
        put_part(dx + t * shape->stride + c, sum, n);
      }
      UNROLLED for (int k = 0; k < BK_TAPS; k++)
        put_part(dweight + (size_t)k * channels + c, dw[k], n);
      if (dbias) put_part(dbias + c, db, n);
    }
  }
}

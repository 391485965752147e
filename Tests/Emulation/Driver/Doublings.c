// Rows of blocks whose parts are doubled: encoded, decoded, and both in one call.
#include <string.h>

#include "Cases.h"

// Values of neighbouring sizes, all usual.
static uint32_t doubled_sample(uint64_t seed, uint64_t index) {
  return sample_between(seed, index, (uint32_t)-4, 9);
}

static size_t parts(size_t count, size_t length) { return (count + length - 1) / length; }

static void run(Driver *d, const Doubling *row, const float *values, size_t count, bool at_end) {
  const BKKernels *k = d->kernels;
  const BKElement *e = &row->element;
  uint8_t *codes = place(&d->out[0], parts(count * e->width, 8), at_end);
  size_t blocks = parts(count, BK_DOUBLED_BLOCK), eighths = parts(count, 8), fourths = parts(count, 4);
  uint8_t *stored = place(&d->out[1], blocks + parts(eighths, 8) + parts(fourths, 8), at_end);
  uint8_t *eights = stored + blocks, *fours = eights + parts(eighths, 8);
  void *workspace = d->workspace.start;
  size_t overflows = 0, again = 0;
  size_t done = k->encode_doubled(
      e, &row->rule, values, count, codes, stored, eights, fours, &overflows, workspace);
  if (done == count) take(d, &d->out[0]);
  if (done == count) take(d, &d->out[1]);
  take_word(d, done);
  take_word(d, overflows);
  float *decoded = place(&d->out[2], 4 * count, at_end);
  memset(decoded, 0, 4 * count);
  k->decode_doubled(
      e, &row->rule, codes, stored, eights, fours, done, decoded, count % 3 == 0, workspace);
  take(d, &d->out[2]);
  float *quantized = place(&d->out[3], 4 * count, at_end);
  memset(quantized, 0, 4 * count);
  size_t same = k->quantize_doubled(
      e, &row->rule, values, count, quantized, count % 3 == 1, NULL, &again, workspace);
  if (same != done || again != overflows || memcmp(quantized, decoded, 4 * done) != 0) {
    fprintf(stderr, "%s: %zu values are not quantized as they are encoded\n", d->name, count);
    exit(1);
  }
  take(d, &d->out[3]);
}

void run_doublings(Driver *d) {
  for (size_t i = 0; i < doubling_count; i++) {
    if (!begin(d, "doublings.%s", doublings[i].name)) continue;
    for (size_t count = 0; count < MOST + 24; count++) {
      bool at_end = next_call(d);
      size_t n = count < MOST ? count : (count - MOST) * 129 + 100;
      run(d, &doublings[i], floats(&d->in[0], n, at_end, doubled_sample, n), n, at_end);
    }
    for (size_t count = 1; count < MOST; count++) {
      bool at_end = next_call(d);
      run(d, &doublings[i], floats(&d->in[0], 9 * count, at_end, sample, count), 9 * count, at_end);
    }
    end(d);
  }
}

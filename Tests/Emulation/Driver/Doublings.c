// Blocks whose parts are doubled. Rows of them are encoded, decoded, and both in one call; columns
// are taken step by step.
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
  size_t blocks = parts(count, BK_DOUBLED_BLOCK);
  size_t eighths = parts(count, 8), fourths = parts(count, 4);
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

// Blocks that are columns, of `length` values each.
static void run_columns(
    Driver *d, const Doubling *row, const float *values, size_t length, size_t count,
    bool at_end) {
  const BKKernels *k = d->kernels;
  size_t fours = parts(length, 4), eights = parts(length, 8);
  // What is stored, row by row: a scale, flags of unusual columns, eights, fours; and codes.
  uint8_t *stored = place(&d->out[1], (2 + eights + fours) * count, at_end);
  uint8_t *unusual = stored + count, *outer = unusual + count, *inner = outer + eights * count;
  uint32_t *maxima = place(&d->out[0], 4 * fours * count, at_end);
  float *numbers = place(&d->out[2], 8 * fours * count, at_end), *scales = numbers + fours * count;
  for (size_t four = 0; four < fours; four++) {
    size_t rows = length - 4 * four < 4 ? length - 4 * four : 4;
    k->column_magnitudes(values + 4 * four * count, rows, count, count, maxima + four * count);
  }
  bool are_usual = k->double_columns(
      &row->rule, maxima, fours, count, stored, outer, inner, numbers, scales, unusual);
  take_word(d, are_usual);
  take(d, &d->out[1]);
  take(d, &d->out[2]);
  uint8_t *codes = place(&d->out[3], count, at_end);
  for (size_t r = 0; r < length && are_usual; r++) {
    take_word(d, k->encode_doubled_columns(
        &row->element, values + r * count, count, numbers + r / 4 * count, codes));
    take(d, &d->out[3]);
  }
  float *again = place(&d->out[0], 4 * fours * count, at_end);
  k->doubled_column_values(&row->rule, stored, outer, inner, fours, count, again);
  if (memcmp(again, scales, 4 * fours * count) != 0) {
    fprintf(stderr, "%s: scales of %zu columns are not those encoded with\n", d->name, count);
    exit(1);
  }
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
      size_t length = count * 7 % BK_DOUBLED_BLOCK + 1;
      const float *usual = floats(&d->in[0], length * count, at_end, doubled_sample, count);
      run_columns(d, &doublings[i], usual, length, count, at_end);
      const float *any = floats(&d->in[0], length * count, at_end, sample, count);
      run_columns(d, &doublings[i], any, length, count, at_end);
      run(d, &doublings[i], floats(&d->in[0], 9 * count, at_end, sample, count), 9 * count, at_end);
    }
    end(d);
  }
}

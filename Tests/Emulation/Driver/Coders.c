// encode_blocks, and decode_lines or decode with what it stores.
#include "Cases.h"

enum { COUNT = 1008 };

// Values of neighbouring sizes, all usual.
static uint32_t block_sample(uint64_t seed, uint64_t index) {
  return sample_between(seed, index, (uint32_t)-4, 9);
}

static size_t size_of(BKScalar stored) { return stored == BK_FLOAT32 ? 4 : 2; }

// Encodes values and decodes what is done; how many that are.
static size_t run(
    Driver *d, const Coder *row, const float *values, size_t count, const uint32_t *random,
    bool at_end) {
  static float scale_values[COUNT], offset_values[COUNT];
  const BKKernels *k = d->kernels;
  const BKBlockCoder *coder = &row->coder;
  size_t size = size_of(coder->stored), blocks = (count + coder->block - 1) / coder->block;
  uint8_t *codes = place(&d->out[0], count, at_end);
  uint8_t *scales = place(&d->out[1], size * blocks, at_end);
  uint8_t *offsets = place(&d->out[2], row->has_offsets ? size * blocks : 0, at_end);
  size_t overflows = 0;
  size_t done = k->encode_blocks(
      coder, values, count, random, codes, scales, row->has_offsets ? offsets : NULL, &overflows);
  take(d, &d->out[1]);
  take(d, &d->out[2]);
  take(d, &d->out[0]);
  // Each group that is done is one of the level's own size.
  if (done == count) take_word(d, overflows);
  blocks = (done + coder->block - 1) / coder->block;
  k->widen(coder->stored, scales, blocks, scale_values);
  k->widen(coder->stored, offsets, row->has_offsets ? blocks : 0, offset_values);
  float *decoded = place(&d->out[3], 4 * done, at_end);
  if (row->has_offsets)
    k->decode_lines(
        &coder->element, codes, done, scale_values, offset_values, coder->block, decoded);
  else
    k->decode(
        &coder->element, BK_SCALE_BLOCK, codes, done, scale_values, coder->block, 1, decoded);
  take(d, &d->out[3]);
  return done;
}

static const uint32_t *random_row(Driver *d, const Coder *row, size_t count, bool at_end) {
  if (row->coder.element.rounding != BK_STOCHASTIC) return NULL;
  uint32_t *random = place(&d->in[1], 4 * count, at_end);
  d->kernels->random_words(0x0123456789ABCDEFull, 7, 0, count, random);
  return random;
}

void run_coders(Driver *d) {
  for (size_t i = 0; i < coder_count; i++) {
    const Coder *row = &coders[i];
    if (begin(d, "blocks.%s", row->name)) {
      for (size_t count = 0; count < MOST + 8; count++) {
        bool at_end = next_call(d);
        size_t n = count < MOST ? count : (count - MOST) * 129 + 100;
        const float *values = floats(&d->in[0], n, at_end, block_sample, n);
        if (run(d, row, values, n, random_row(d, row, n, at_end), at_end) == n) continue;
        fprintf(stderr, "%s: not all of %zu values are done\n", d->name, n);
        exit(1);
      }
      end(d);
    }
    if (!begin(d, "reference.blocks.%s", row->name)) continue;
    const float *values = floats(&d->in[0], COUNT, true, block_sample, 3);
    (void)run(d, row, values, COUNT, random_row(d, row, COUNT, true), true);
    end(d);
  }
}

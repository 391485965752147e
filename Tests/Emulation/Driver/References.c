// Cases whose hashes EmulationReferenceTests.swift computes with the reference in Swift.
#include "Cases.h"

enum { COUNT = 4096 };

// Every value alone, to its code.
static void encode_all(Driver *d, const Named *policy) {
  if (policy->element.is_unsigned || !begin(d, "reference.encode.%s", policy->name)) return;
  const float *values = floats(&d->in[0], COUNT, true, sample, 1);
  uint32_t *random = NULL;
  if (policy->element.rounding == BK_STOCHASTIC) {
    random = place(&d->in[1], 4 * COUNT, true);
    d->kernels->random_words(0x0123456789ABCDEFull, 7, 0, COUNT, random);
  }
  uint32_t *codes = place(&d->out[0], 4 * COUNT, true);
  d->kernels->encode_wide(&policy->element, values, COUNT, NULL, 1, random, codes);
  take(d, &d->out[0]);
  if (policy->element.width <= 8) {
    uint8_t *narrow = place(&d->out[1], COUNT, true);
    d->kernels->encode(&policy->element, false, values, COUNT, NULL, 1, random, 0, narrow);
    for (size_t i = 0; i < COUNT; i++)
      if (narrow[i] != codes[i]) {
        fprintf(stderr, "%s: codes of two widths differ at %zu\n", d->name, i);
        exit(1);
      }
  }
  end(d);
}

// Codes to values, all of them or, from 17 bits on, some.
static void decode_all(Driver *d, const Named *format) {
  if (!begin(d, "reference.decode.%s", format->name)) return;
  uint32_t width = format->element.width;
  bool is_whole = width <= 16;
  size_t count = is_whole ? (size_t)1 << width : 1 << 16;
  // Half of them at a time fit in memory.
  for (size_t first = 0; first < count; first += 1 << 14) {
    size_t n = count - first < 1 << 14 ? count - first : 1 << 14;
    uint32_t *codes = place(&d->in[0], 4 * n, true);
    for (size_t i = 0; i < n; i++)
      codes[i] = is_whole ? (uint32_t)(first + i)
                          : (uint32_t)(mixed(2, first + i) >> (64 - width));
    float *values = place(&d->out[0], 4 * n, true);
    d->kernels->decode_wide(&format->element, BK_SCALE_NONE, codes, n, NULL, 1, 1, values);
    take(d, &d->out[0]);
  }
  end(d);
}

void run_references(Driver *d) {
  for (size_t i = 0; i < policy_count; i++) {
    Named policy = policy_at(i);
    encode_all(d, &policy);
  }
  for (size_t i = 0; i < format_count; i++) decode_all(d, &formats[i]);
}

// Packing, errors, random words and number types.
#include "Cases.h"

static uint32_t any_word(uint64_t seed, uint64_t index) { return (uint32_t)mixed(seed, index); }

static void fail(const Driver *d, const char *what, size_t count) {
  fprintf(stderr, "%s: %s, %zu codes\n", d->name, what, count);
  exit(1);
}

static void run_packing(Driver *d, uint32_t width) {
  if (width <= 8 && begin(d, "pack.%u", width)) {
    for (size_t count = 0; count < MOST + 200; count++) {
      bool at_end = next_call(d);
      size_t total = (count * width + 7) / 8;
      const uint8_t *codes = narrow_codes(&d->in[0], count, at_end, width, count);
      uint8_t *bytes = place(&d->out[0], total, at_end);
      d->kernels->pack(codes, count, width, bytes);
      take(d, &d->out[0]);
      uint8_t *copy = place(&d->in[1], total, !at_end), *back = place(&d->out[1], count, at_end);
      memcpy(copy, bytes, total);
      d->kernels->unpack(copy, count, width, back);
      take(d, &d->out[1]);
      if (memcmp(codes, back, count) != 0) fail(d, "unpacking gives other codes", count);
    }
    end(d);
  }
  if (begin(d, "pack_wide.%u", width)) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      size_t total = (count * width + 7) / 8;
      const uint32_t *codes = wide_codes(&d->in[0], count, at_end, width, count);
      uint8_t *bytes = place(&d->out[0], total, at_end);
      d->kernels->pack_wide(codes, count, width, bytes);
      take(d, &d->out[0]);
      uint8_t *copy = place(&d->in[1], total, !at_end);
      uint32_t *back = place(&d->out[1], 4 * count, at_end);
      memcpy(copy, bytes, total);
      d->kernels->unpack_wide(copy, count, width, back);
      take(d, &d->out[1]);
      if (memcmp(codes, back, 4 * count) != 0) fail(d, "unpacking gives other codes", count);
    }
    end(d);
  }
}

static void run_errors(Driver *d) {
  if (begin(d, "squared_errors")) {
    for (size_t length = 0; length < MOST; length++) {
      bool at_end = next_call(d);
      size_t blocks = length % 4;
      const float *values = floats(&d->in[0], blocks * length, at_end, sample, length);
      const float *decoded = floats(&d->in[1], blocks * length, at_end, tame_sample, length);
      double *errors = place(&d->out[0], 8 * blocks, at_end);
      d->kernels->squared_errors(values, decoded, blocks, length, errors);
      take(d, &d->out[0]);
    }
    end(d);
  }
  if (begin(d, "mark_inexact")) {
    for (size_t u = 0; u < UNIT_COUNT; u++)
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        size_t groups = (count + units[u] - 1) / units[u];
        float *values = floats(&d->in[0], count, at_end, sample, count);
        float *decoded = floats(&d->in[1], count, at_end, sample, count);
        // Mostly equal; NaN equals NaN, minus zero equals zero.
        for (size_t i = 0; i < count; i++)
          if (mixed(count, i) % 64 == 0) memset(&decoded[i], (int)(mixed(count, i) >> 60), 4);
        uint8_t *flags = place(&d->out[0], groups, at_end);
        memset(flags, 0, groups);
        if (groups > 1) flags[1] = 1;
        d->kernels->mark_inexact(values, decoded, count, units[u], flags);
        take(d, &d->out[0]);
      }
    end(d);
  }
}

static void run_random(Driver *d) {
  static const uint64_t firsts[] = {0, 4, 1000, (1ull << 34) - 16, 1ull << 40};
  if (!begin(d, "random_words")) return;
  for (size_t f = 0; f < sizeof firsts / sizeof *firsts; f++)
    for (size_t count = 0; count < MOST; count++) {
      uint32_t *out = place(&d->out[0], 4 * count, next_call(d));
      d->kernels->random_words(mixed(f, count), (uint32_t)count, firsts[f], count, out);
      take(d, &d->out[0]);
    }
  end(d);
}

static void run_numbers(Driver *d) {
  static const char *const names[] = {"float32", "float16", "bfloat16"};
  for (BKScalar type = BK_FLOAT32; type <= BK_BFLOAT16; type++) {
    size_t size = type == BK_FLOAT32 ? 4 : 2;
    if (begin(d, "widen.%s", names[type])) {
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        size_t some = (count * size + 3) / 4;
        const uint32_t *source = words(&d->in[1], some, at_end, any_word, count);
        void *numbers = place(&d->in[0], count * size, at_end);
        memcpy(numbers, source, count * size);
        float *values = place(&d->out[0], 4 * count, at_end);
        d->kernels->widen(type, numbers, count, values);
        take(d, &d->out[0]);
      }
      end(d);
    }
    if (begin(d, "narrow.%s", names[type])) {
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        const float *values = floats(&d->in[0], count, at_end, sample, count);
        void *numbers = place(&d->out[0], count * size, at_end);
        d->kernels->narrow(type, values, count, numbers);
        take(d, &d->out[0]);
      }
      end(d);
    }
  }
  if (begin(d, "widen.float16.all")) {
    uint16_t *numbers = place(&d->in[0], 0x8000, true);
    float *values = place(&d->out[0], 0x10000, true);
    for (uint32_t quarter = 0; quarter < 4; quarter++) {
      for (uint32_t i = 0; i < 0x4000; i++) numbers[i] = (uint16_t)(quarter * 0x4000 + i);
      d->kernels->widen(BK_FLOAT16, numbers, 0x4000, values);
      take(d, &d->out[0]);
    }
    end(d);
  }
  if (begin(d, "stream")) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      const float *values = floats(&d->in[0], count, !at_end, sample, count);
      float *copy = place(&d->out[0], 4 * count, at_end);
      d->kernels->stream(values, count, copy);
      take(d, &d->out[0]);
    }
    end(d);
  }
}

void run_memory(Driver *d) {
  for (uint32_t width = 1; width <= 32; width++) run_packing(d, width);
  run_errors(d);
  run_random(d);
  run_numbers(d);
}

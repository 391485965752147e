// The kernels that make operands of products: from codes to elements, and from rows to panels.
#include "Cases.h"

static void map(Driver *d, uint32_t width) {
  for (int bytes = 1; bytes <= 2; bytes++) {
    if (!begin(d, "product.map_int%d.%u", 8 * bytes, width)) continue;
    for (size_t count = 0; count < MOST + 70; count++) {
      bool at_end = next_call(d);
      const uint8_t *codes = narrow_codes(&d->in[0], count, at_end, width, count);
      void *values = narrow_codes(&d->in[1], (size_t)bytes << width, !at_end, 8, count);
      void *elements = place(&d->out[0], bytes * count, at_end);
      if (bytes == 1) {
        d->products->map_int8(codes, count, width, values, elements);
      } else {
        d->products->map_int16(codes, count, width, values, elements);
      }
      take(d, &d->out[0]);
    }
    end(d);
  }
}

static void shift(Driver *d, size_t length) {
  if (begin(d, "product.scale_int16.%zu", length)) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      uint32_t width = 1 + count % 3;
      const uint8_t *shifts = narrow_codes(
          &d->in[0], (count + length - 1) / length, at_end, width, count);
      const uint8_t *numbers = narrow_codes(&d->in[1], count, true, 8, count + 1);
      int16_t *elements = place(&d->out[0], 2 * count, at_end);
      for (size_t i = 0; i < count; i++) elements[i] = (int8_t)numbers[i];
      d->products->scale_int16(elements, count, length, shifts, (1u << width) - 1);
      take(d, &d->out[0]);
    }
    end(d);
  }
  if (begin(d, "product.join_shifts.%zu", length)) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      uint32_t width = 1 + count % 3;
      const uint8_t *shifts = narrow_codes(
          &d->in[0], (count + length - 1) / length, at_end, width, count);
      uint8_t *codes = narrow_codes(&d->out[0], count, at_end, 8 - width, count + 1);
      d->products->join_shifts(codes, count, length, shifts, 8 - width);
      take(d, &d->out[0]);
    }
    end(d);
  }
}

static void sum(Driver *d, size_t length) {
  if (!begin(d, "product.group_offsets.%zu", length)) return;
  // Around the 1024 elements that are summed in one turn.
  for (size_t count = 0; count < 2100; count += count % 1024 < 40 ? 1 : 61) {
    bool at_end = next_call(d);
    const uint8_t *elements = narrow_codes(&d->in[0], count, at_end, 8, count);
    int32_t *offsets = place(&d->out[0], 4 * ((count + length - 1) / length), at_end);
    d->products->group_offsets((const int8_t *)elements, count, length, offsets);
    take(d, &d->out[0]);
  }
  end(d);
}

static void sum_runs(Driver *d, size_t run) {
  if (!begin(d, "product.run_offsets.%zu", run)) return;
  for (size_t words = 1; words < 40; words += 1 + words / 12)
    for (size_t groups = 0; groups < 5; groups++) {
      bool at_end = next_call(d);
      size_t runs = (words + run - 1) / run;
      uint32_t bias = 1 + (uint32_t)(d->call * 31 % 127);
      const uint8_t *elements = narrow_codes(&d->in[0], 4 * words * groups, at_end, 8, words);
      int32_t *offsets = place(&d->out[0], 4 * groups * runs, at_end);
      d->products->run_offsets(
          (const int8_t *)elements, groups, words, run, bias, offsets);
      take(d, &d->out[0]);
      for (size_t i = 0; i < groups * runs; i++) {
        int sums[2] = {0, 0};
        for (size_t word = i % runs * run; word < words && word < (i % runs + 1) * run; word++)
          for (int byte = 0; byte < 4; byte++)
            sums[byte / 2] += (int8_t)elements[4 * (i / runs * words + word) + byte];
        for (int half = 0; half < 2; half++)
          if ((uint16_t)(offsets[i] >> 16 * half) != (uint16_t)(-(int)bias * sums[half])) {
            fprintf(stderr, "%s: another offset than the bias times the sum\n", d->name);
            exit(1);
          }
      }
    }
  end(d);
}

static void least(Driver *d) {
  if (!begin(d, "product.least_bfloat16")) return;
  for (size_t count = 0; count < MOST; count++) {
    bool at_end = next_call(d);
    const uint8_t *bytes = narrow_codes(&d->in[0], 2 * count, at_end, 8, count);
    uint32_t expected = 1 << 16, *result = place(&d->out[0], sizeof *result, at_end);
    for (size_t i = 0; i < count; i++) {
      uint32_t bits = (bytes[2 * i] | (uint32_t)bytes[2 * i + 1] << 8) & 0x7FFF;
      if (bits != 0 && bits < expected) expected = bits;
    }
    *result = d->products->least_bfloat16(bytes, count);
    take(d, &d->out[0]);
    if (*result != expected) {
      fprintf(stderr, "%s: another number than the least\n", d->name);
      exit(1);
    }
  }
  end(d);
}

static void interleave(Driver *d) {
  if (!begin(d, "product.interleave")) return;
  for (size_t rows = 0; rows <= BK_PANEL; rows++)
    for (size_t count = 0; count < 20; count++) {
      bool at_end = next_call(d);
      size_t stride = 4 * count + rows % 7;
      size_t span = rows == 0 || count == 0 ? 0 : (rows - 1) * stride + 4 * count;
      const uint8_t *elements = narrow_codes(&d->in[0], span, at_end, 8, count);
      uint8_t *panel = place(&d->out[0], 4 * BK_PANEL * count, at_end);
      d->products->interleave(elements, stride, rows, count, panel);
      take(d, &d->out[0]);
    }
  end(d);
}

static void widen(Driver *d) {
  if (!begin(d, "product.widen_bytes")) return;
  for (size_t count = 0; count < 20; count++) {
    bool at_end = next_call(d);
    size_t bytes = 4 * BK_PANEL * count;
    const uint8_t *panel = narrow_codes(&d->in[0], bytes, at_end, 8, count);
    uint8_t *wide = place(&d->out[0], 2 * bytes, at_end);
    d->products->widen_bytes(panel, count, wide);
    take(d, &d->out[0]);
  }
  end(d);
}

static void widen_bfloat16(Driver *d) {
  for (int is_panel = 0; is_panel < 2; is_panel++) {
    if (!begin(d, is_panel ? "product.widen_bfloat16_panel" : "product.widen_bfloat16_row"))
      continue;
    for (size_t count = 0; count < 20; count++) {
      bool at_end = next_call(d);
      size_t columns = is_panel ? BK_PANEL : 1, bytes = 4 * columns * count;
      uint8_t *numbers = (uint8_t *)narrow_codes(&d->in[0], bytes, at_end, 8, count);
      // Some are subnormal.
      for (size_t i = 1; i < bytes; i += 6) numbers[i] &= 0x80, numbers[i - 1] &= 0x7F;
      uint8_t *wide = place(&d->out[0], 2 * bytes, at_end);
      (is_panel ? d->products->widen_bfloat16_panel : d->products->widen_bfloat16_row)(
          numbers, count, wide);
      take(d, &d->out[0]);
      for (size_t i = 0; i < 2 * columns * count; i++) {
        size_t line = i / columns, at = line / 2 * columns + i % columns;
        const uint8_t *half = numbers + 4 * at + (line % 2 ? 0 : 2);
        uint32_t bits = (uint32_t)half[0] << 16 | (uint32_t)half[1] << 24, result;
        if ((bits & 0x7F800000) == 0) bits &= 0x80000000;
        memcpy(&result, wide + 4 * i, 4);
        if (result != bits) {
          fprintf(stderr, "%s: another number\n", d->name);
          exit(1);
        }
      }
    }
    end(d);
  }
}

static void nibbles(Driver *d) {
  if (!begin(d, "product.nibbles")) return;
  for (size_t count = 0; count <= 20; count += 2) {
    bool at_end = next_call(d);
    size_t bytes = 4 * BK_PANEL * count;
    const uint8_t *panel = narrow_codes(&d->in[0], bytes, at_end, 4, count);
    uint8_t *joined = place(&d->out[0], bytes / 2, at_end);
    d->products->join_nibbles(panel, count, joined);
    take(d, &d->out[0]);
    uint8_t *copy = place(&d->in[1], bytes / 2, at_end);
    memcpy(copy, joined, bytes / 2);
    const int8_t *values = (const int8_t *)narrow_codes(&d->in[2], 16, at_end, 8, count);
    uint8_t *integers = place(&d->out[1], bytes, !at_end);
    d->products->split_nibbles(copy, count, values, integers);
    take(d, &d->out[1]);
    for (size_t i = 0; i < bytes; i++)
      if (integers[i] != (uint8_t)values[panel[i]]) {
        fprintf(stderr, "%s: other integers than the codes'\n", d->name);
        exit(1);
      }
  }
  end(d);
}

void run_operands(Driver *d) {
  static const size_t lengths[] = {1, 2, 3, 8, 16}, groups[] = {1, 3, 4, 16, 20, 32, 100};
  for (uint32_t width = 1; width <= 8; width++) map(d, width);
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) shift(d, lengths[i]);
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) sum(d, groups[i]);
  for (size_t run = 2; run <= 16; run *= 2) sum_runs(d, run);
  least(d);
  interleave(d);
  widen(d);
  widen_bfloat16(d);
  nibbles(d);
}

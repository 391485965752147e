// decode and decode_wide: every element and way of scaling, count and unit.
#include "Cases.h"

// What makes scales.
typedef struct {
  Generator generate;
  float tensor_scale;
} Scales;
static uint32_t nonnegative(uint64_t seed, uint64_t index) {
  return sample(seed, index) & 0x7FFFFFFF;
}
static const Scales scales_of[] = {
    {multiplier, 0x1.23456p-3f},
    {nonnegative, 0x1.9p+1f},
    {power_of_two, __builtin_inff()},
};

static void decode(
    Driver *d, const BKElement *e, BKScaling scaling, const Scales *kind, bool is_wide,
    size_t count, size_t unit) {
  bool at_end = next_call(d);
  uint64_t seed = 1000 * count + unit;
  const float *scales = NULL;
  if (scaling != BK_SCALE_NONE)
    scales = floats(&d->in[1], (count + unit - 1) / unit, at_end, kind->generate, seed + 1);
  float *values = place(&d->out[0], 4 * count, at_end);
  if (is_wide) {
    const uint32_t *codes = wide_codes(&d->in[0], count, at_end, e->width, seed);
    d->kernels->decode_wide(e, scaling, codes, count, scales, unit, kind->tensor_scale, values);
  } else {
    const uint8_t *codes = narrow_codes(&d->in[0], count, at_end, e->width, seed);
    d->kernels->decode(e, scaling, codes, count, scales, unit, kind->tensor_scale, values);
  }
  take(d, &d->out[0]);
}

// A format with every way of scaling.
static void run(Driver *d, const Named *format, bool is_wide) {
  if (!begin(d, "decode%s.%s", is_wide ? "_wide" : "", format->name)) return;
  for (BKScaling scaling = BK_SCALE_NONE; scaling <= BK_SCALE_TENSOR; scaling++) {
    // The last kind has an infinite tensor scale.
    size_t kinds = scaling == BK_SCALE_NONE ? 1 : scaling == BK_SCALE_BLOCK ? 2 : 3;
    for (size_t kind = 0; kind < kinds; kind++)
      for (size_t u = 0; u < UNIT_COUNT; u++)
        for (size_t count = 0; count < MOST; count++)
          decode(d, &format->element, scaling, &scales_of[kind], is_wide, count, units[u]);
  }
  end(d);
}

void run_decoders(Driver *d) {
  for (size_t i = 0; i < format_count; i++) {
    run(d, &formats[i], true);
    if (formats[i].element.width <= 8) run(d, &formats[i], false);
  }
}

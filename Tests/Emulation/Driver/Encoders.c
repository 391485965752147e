// encode and encode_wide: every element, policy, way of scaling, count and unit.
#include "Cases.h"

// How values are scaled.
typedef enum { PLAIN, BY_POWERS_OF_TWO, BY_ROUNDING } Scaling;

// Multipliers, some of them NaN.
static uint32_t any_power_of_two(uint64_t seed, uint64_t index) {
  return mixed(seed, index) % 8 == 0 ? 0x7FC00000 : power_of_two(seed, index);
}
static uint32_t any_multiplier(uint64_t seed, uint64_t index) {
  return mixed(seed, index) % 8 == 0 ? 0x7FC00000 : multiplier(seed, index);
}
static uint32_t random_word(uint64_t seed, uint64_t index) { return (uint32_t)mixed(seed, index); }

static Generator multipliers_of(Scaling scaling, bool is_tame) {
  if (scaling == BY_ROUNDING) return is_tame ? multiplier : any_multiplier;
  return is_tame ? power_of_two : any_power_of_two;
}

// Brings values below the limit of what is tame, their products with multipliers included.
static void make_tame(
    const BKElement *e, uint32_t *values, size_t count, const float *multipliers, size_t unit) {
  for (size_t i = 0; i < count; i++)
    for (;;) {
      float value;
      memcpy(&value, &values[i], 4);
      float product = multipliers ? value * multipliers[i / unit] : value;
      if (product < e->tame_limit && -product < e->tame_limit) break;
      uint32_t field = values[i] >> 23 & 0xFF;
      values[i] = (values[i] & 0x807FFFFF) | (field - 1 - field / 16) << 23;
    }
}

// One call.
static void encode(
    Driver *d, const BKElement *e, Scaling scaling, bool is_tame, bool is_wide, size_t count,
    size_t unit) {
  bool at_end = next_call(d);
  uint64_t seed = 1000 * count + unit;
  uint32_t *values = words(&d->in[0], count, at_end, is_tame ? tame_sample : sample, seed);
  const float *scales = NULL;
  if (scaling != PLAIN)
    scales = floats(
        &d->in[1], (count + unit - 1) / unit, at_end, multipliers_of(scaling, is_tame), seed + 1);
  if (is_tame) make_tame(e, values, count, scales, unit);
  const uint32_t *random = NULL;
  if (e->rounding == BK_STOCHASTIC)
    random = words(&d->in[2], count, at_end, random_word, seed + 2);
  size_t prefetch = count % 2 ? 0 : 512, overflows;
  if (is_wide) {
    uint32_t *codes = place(&d->out[0], 4 * count, at_end);
    overflows = d->kernels->encode_wide(
        e, (const float *)values, count, scales, unit, random, codes);
  } else {
    uint8_t *codes = place(&d->out[0], count, at_end);
    overflows = d->kernels->encode(
        e, is_tame, (const float *)values, count, scales, unit, random, prefetch, codes);
    if (is_tame) {
      // The careful way gives the same.
      uint8_t *others = place(&d->out[1], count, at_end);
      size_t count_of_others = d->kernels->encode(
          e, false, (const float *)values, count, scales, unit, random, prefetch, others);
      if (count_of_others != overflows || memcmp(codes, others, count) != 0) {
        fprintf(stderr, "%s: tame codes differ from others, %zu codes\n", d->name, count);
        exit(1);
      }
    }
  }
  take(d, &d->out[0]);
  take_word(d, overflows);
}

// A policy with every way of scaling.
static void run(Driver *d, const Named *policy, bool is_wide) {
  if (!begin(d, "encode%s.%s", is_wide ? "_wide" : "", policy->name)) return;
  BKElement e = policy->element;
  Scaling most = e.kind == BK_PATTERN ? PLAIN : BY_ROUNDING;
  for (Scaling scaling = PLAIN; scaling <= most; scaling++) {
    e.is_scaling_exact = scaling == BY_POWERS_OF_TWO;
    for (int is_tame = 0; is_tame <= !is_wide; is_tame++)
      for (size_t u = 0; u < (scaling == PLAIN ? 1 : UNIT_COUNT); u++)
        for (size_t count = 0; count < MOST; count++)
          encode(d, &e, scaling, is_tame, is_wide, count, units[u]);
  }
  end(d);
}

void run_encoders(Driver *d) {
  for (size_t i = 0; i < policy_count; i++) {
    Named policy = policy_at(i);
    // Unsigned elements are scales only, which have kernels of their own.
    if (policy.element.is_unsigned) continue;
    run(d, &policy, true);
    if (policy.element.width <= 8) run(d, &policy, false);
  }
}

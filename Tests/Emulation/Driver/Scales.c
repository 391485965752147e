// Largest magnitudes, and scales from them.
#include "Cases.h"

enum { STRIDE = 140 };
static const size_t row_counts[] = {1, 2, 5, 16};

static uint32_t magnitude(uint64_t seed, uint64_t index) {
  return sample(seed, index) & 0x7FFFFFFF;
}
static uint32_t finite_magnitude(uint64_t seed, uint64_t index) {
  return tame_sample(seed, index) & 0x7FFFFFFF;
}

void run_magnitudes(Driver *d) {
  if (begin(d, "row_magnitudes")) {
    static const size_t more_units[] = {1, 2, 3, 4, 5, 8, 16, 32, 64, 100, 128};
    for (size_t u = 0; u < sizeof more_units / sizeof *more_units; u++)
      // Some counts that fill several vectors of maxima.
      for (size_t count = 0; count < MOST + 8; count++) {
        bool at_end = next_call(d);
        size_t n = count < MOST ? count : (count - MOST) * 333 + 260, unit = more_units[u];
        const float *values = floats(&d->in[0], n, at_end, sample, n);
        uint32_t *maxima = place(&d->out[0], (n + unit - 1) / unit * 4, at_end);
        d->kernels->row_magnitudes(values, n, unit, maxima);
        take(d, &d->out[0]);
      }
    end(d);
  }
  if (begin(d, "column_magnitudes")) {
    for (size_t r = 0; r < 4; r++)
      for (size_t columns = 0; columns < MOST; columns++) {
        bool at_end = next_call(d);
        size_t rows = row_counts[r], extent = (rows - 1) * STRIDE + columns;
        const float *values = floats(&d->in[0], extent, at_end, sample, columns + rows);
        uint32_t *maxima = place(&d->out[0], 4 * columns, at_end);
        d->kernels->column_magnitudes(values, rows, STRIDE, columns, maxima);
        take(d, &d->out[0]);
      }
    end(d);
  }
  if (begin(d, "finite_magnitudes")) {
    for (size_t u = 0; u < UNIT_COUNT; u++)
      for (size_t columns = 0; columns < MOST; columns++) {
        bool at_end = next_call(d);
        size_t rows = row_counts[columns % 4], extent = (rows - 1) * STRIDE + columns;
        size_t groups = (columns + units[u] - 1) / units[u];
        const float *values = floats(&d->in[0], extent, at_end, sample, columns + rows);
        uint32_t *maxima = place(&d->out[0], 4 * groups, at_end);
        uint8_t *flags = place(&d->out[1], groups, at_end);
        d->kernels->finite_magnitudes(values, rows, STRIDE, columns, units[u], maxima, flags);
        take(d, &d->out[0]);
        take(d, &d->out[1]);
      }
    end(d);
  }
}

static uint32_t usual_magnitude(uint64_t seed, uint64_t index) {
  return row_sample(seed, index) & 0x7FFFFFFF;
}

static uint8_t *scale_codes(
    Arena *arena, size_t count, bool at_end, const BKSharedScale *rule, uint64_t seed) {
  uint8_t *codes = place(arena, count, at_end);
  for (size_t i = 0; i < count; i++)
    codes[i] = (uint8_t)(mixed(seed, i) % (rule->nan_code + 1));
  return codes;
}

// The scales that the rule finds for blocks of sub-blocks with given largest magnitudes.
static uint8_t *own_codes(
    Driver *d, Arena *arena, bool at_end, const BKSharedScale *rule, const uint32_t *maxima,
    size_t count, size_t spread) {
  static uint32_t block_maxima[MOST];
  static float multipliers[MOST];
  size_t blocks = (count + spread - 1) / spread;
  uint8_t *codes = place(arena, blocks, at_end);
  d->kernels->row_magnitudes((const float *)maxima, count, spread, block_maxima);
  (void)d->kernels->shared_scales(rule, block_maxima, blocks, 0, codes, multipliers);
  return codes;
}

static void run_shared(Driver *d, const SharedRule *row) {
  static const size_t spreads[] = {1, 2, 3, 4, 8, 16, 32};
  const BKSharedScale *rule = &row->rule;
  if (begin(d, "shared_scales.%s", row->name)) {
    for (int step = -1; step <= 1; step++)
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        Generator generate = count % 2 ? magnitude : finite_magnitude;
        const uint32_t *maxima = words(&d->in[0], count, at_end, generate, count);
        uint8_t *codes = place(&d->out[0], count, at_end);
        float *multipliers = place(&d->out[1], 4 * count, at_end);
        take_word(d, d->kernels->shared_scales(rule, maxima, count, step, codes, multipliers));
        take(d, &d->out[0]);
        take(d, &d->out[1]);
      }
    end(d);
  }
  for (int derived = 0; derived < 2; derived++) {
    const char *kind = derived ? "shared_subscales.own" : "shared_subscales";
    if (!begin(d, "%s.%s", kind, row->name)) continue;
    // Rules are promised scales of their own; others may get any.
    BKSharedScale free_rule = *rule;
    if (!derived) free_rule.is_unstepped = false;
    for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++)
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        size_t blocks = (count + spreads[s] - 1) / spreads[s];
        Generator generate = count % 2 ? magnitude : finite_magnitude;
        if (derived && count % 4 > 1) generate = usual_magnitude;
        const uint32_t *maxima = words(&d->in[0], count, at_end, generate, count);
        const uint8_t *block_codes =
            derived ? own_codes(d, &d->in[1], at_end, rule, maxima, count, spreads[s])
                    : scale_codes(&d->in[1], blocks, at_end, rule, count);
        uint8_t *codes = place(&d->out[0], count, at_end);
        float *multipliers = place(&d->out[1], 4 * count, at_end);
        take_word(d, d->kernels->shared_subscales(
            &free_rule, maxima, count, spreads[s], block_codes, codes, multipliers));
        take(d, &d->out[0]);
        take(d, &d->out[1]);
      }
    end(d);
  }
  if (begin(d, "shared_values.%s", row->name)) {
    for (size_t s = 0; s < sizeof spreads / sizeof *spreads; s++)
      for (size_t count = 0; count < MOST; count++) {
        bool at_end = next_call(d);
        size_t blocks = (count + spreads[s] - 1) / spreads[s];
        const uint8_t *block_codes = scale_codes(&d->in[0], blocks, at_end, rule, count);
        uint8_t *subscales = NULL;
        if (rule->greatest_subscale > 0) {
          subscales = place(&d->in[1], count, at_end);
          for (size_t i = 0; i < count; i++)
            subscales[i] = (uint8_t)(mixed(count, i) % (rule->greatest_subscale + 1));
        }
        float *values = place(&d->out[0], 4 * count, at_end);
        d->kernels->shared_values(rule, block_codes, subscales, count, spreads[s], values);
        take(d, &d->out[0]);
      }
    end(d);
  }
}

static void run_two_level(Driver *d, const TwoLevelRule *row) {
  if (begin(d, "two_level_scales.%s", row->name)) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      const uint32_t *maxima = words(&d->in[0], count, at_end, magnitude, count);
      uint8_t *codes = place(&d->out[0], count, at_end);
      d->kernels->two_level_scales(&row->rule, maxima, count, codes);
      take(d, &d->out[0]);
    }
    end(d);
  }
  if (begin(d, "two_level_multipliers.%s", row->name)) {
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      Generator generate = count % 2 ? magnitude : finite_magnitude;
      const uint32_t *maxima = words(&d->in[0], count, at_end, generate, count);
      const uint8_t *codes =
          narrow_codes(&d->in[1], count, at_end, row->rule.scale.width, count);
      float *multipliers = place(&d->out[0], 4 * count, at_end);
      take_word(d, d->kernels->two_level_multipliers(
          &row->rule, maxima, count, codes, multipliers));
      take(d, &d->out[0]);
    }
    end(d);
  }
}

// Rules of chains differ from the others in nothing that these cases ask for.
static bool is_of_chain(const char *name) { return strncmp(name, "chain.", 6) == 0; }

void run_scales(Driver *d) {
  for (size_t i = 0; i < shared_rule_count; i++)
    if (!is_of_chain(shared_rules[i].name)) run_shared(d, &shared_rules[i]);
  for (size_t i = 0; i < float_rule_count; i++) {
    if (is_of_chain(float_rules[i].name)) continue;
    if (!begin(d, "float_scales.%s", float_rules[i].name)) continue;
    for (size_t count = 0; count < MOST; count++) {
      bool at_end = next_call(d);
      Generator generate = count % 2 ? magnitude : finite_magnitude;
      const uint32_t *maxima = words(&d->in[0], count, at_end, generate, count);
      uint32_t *scales = place(&d->out[0], 4 * count, at_end);
      float *multipliers = place(&d->out[1], 4 * count, at_end);
      take_word(d, d->kernels->float_scales(
          &float_rules[i].rule, maxima, count, scales, multipliers));
      take(d, &d->out[0]);
      take(d, &d->out[1]);
    }
    end(d);
  }
  for (size_t i = 0; i < two_level_rule_count; i++) {
    TwoLevelRule row = two_level_rule_at(i);
    if (!is_of_chain(row.name)) run_two_level(d, &row);
  }
}

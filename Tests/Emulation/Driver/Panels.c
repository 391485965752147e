// encode_panel, quantize_panel and decode_panel, and that they do what the kernels of each step do.
//
// The steps encode row by row with the promise of nothing, so that the cases of References.c and
// Chains.c speak for them.
#include "Cases.h"

enum { ROWS = 5, LONGEST = 1300, PLANE = ROWS * (LONGEST + 3) };

// A panel on its way, and what the steps make of it.
typedef struct {
  BKElement element;
  BKBlockRule rule;
  BKPanel panel;
  BKRandom random;
  const float *values;
  size_t units;  // rows of sub-blocks
} Panel;
typedef struct {
  size_t overflows;
  uint8_t codes[PLANE], scales[4 * LONGEST], subscales[PLANE], inexact[LONGEST];
  float values[PLANE];
} Steps;

static size_t bytes_of(size_t count, uint32_t width) { return (count * width + 7) / 8; }
static size_t groups_of(size_t count, size_t length) { return (count + length - 1) / length; }
// From the first of some rows to the end of the last.
static size_t span_of(size_t rows, size_t stride, size_t columns) {
  return columns == 0 || rows == 0 ? 0 : (rows - 1) * stride + columns;
}

static void fail(const Driver *d, const Panel *p, const char *what) {
  fprintf(stderr, "%s: %s of %zu columns in one call differ from the steps'\n", d->name, what,
          p->panel.columns);
  exit(1);
}

// What rows of codes are multiplied by, from packed scales.
static void find_factors(
    const BKKernels *k, const Panel *p, const uint8_t *scale_bytes, const uint8_t *subscale_bytes,
    size_t blocks, float *factors) {
  static uint8_t scales[LONGEST], subscales[LONGEST];
  const BKBlockRule *rule = &p->rule;
  if (rule->kind == BK_RULE_FLOAT) {
    memcpy(factors, scale_bytes, 4 * blocks);
    return;
  }
  k->unpack(scale_bytes, blocks, rule->scale_width, scales);
  if (rule->kind == BK_RULE_TWO_LEVEL) {
    k->decode(&rule->two_level.scale, BK_SCALE_NONE, scales, blocks, NULL, 1, 1, factors);
    return;
  }
  for (size_t unit = 0; unit < p->units; unit++) {
    if (rule->subscale_width > 0)
      k->unpack(
          subscale_bytes + unit * p->panel.subscale_stride, blocks, rule->subscale_width,
          subscales);
    k->shared_values(
        &rule->shared, scales, rule->subscale_width > 0 ? subscales : NULL, blocks, 1,
        factors + unit * blocks);
  }
}

static void decode_by_steps(
    const BKKernels *k, const Panel *p, const uint8_t *bytes, const uint8_t *scales,
    const uint8_t *subscales, size_t columns, float *values) {
  static uint8_t codes[LONGEST];
  static float factors[PLANE];
  const BKPanel *panel = &p->panel;
  size_t blocks = groups_of(columns, p->rule.block);
  find_factors(k, p, scales, subscales, blocks, factors);
  for (size_t row = 0; row < panel->rows; row++) {
    k->unpack(bytes + row * panel->code_stride, columns, p->element.width, codes);
    k->decode(
        &p->element, p->rule.scaling, codes, columns, factors + row / panel->unit_rows * blocks,
        p->rule.unit, p->rule.tensor_scale, values + row * panel->stride);
  }
}

// The first columns, step by step, to packed bytes and back.
static void run_steps(const BKKernels *k, const Panel *p, size_t columns, Steps *s) {
  static uint32_t column_maxima[LONGEST], maxima[PLANE], block_maxima[LONGEST], scales[LONGEST];
  static uint32_t words[LONGEST + 4];
  static uint8_t scale_codes[LONGEST], subscales[LONGEST], codes[LONGEST];
  static float multipliers[PLANE];
  const BKBlockRule *rule = &p->rule;
  const BKPanel *panel = &p->panel;
  size_t blocks = groups_of(columns, rule->block);
  for (size_t unit = 0; unit < p->units; unit++) {
    size_t first = unit * panel->unit_rows, left = panel->rows - first;
    k->column_magnitudes(
        p->values + first * panel->stride, left < panel->unit_rows ? left : panel->unit_rows,
        panel->stride, columns, column_maxima);
    k->row_magnitudes(
        (const float *)column_maxima, columns, rule->block, maxima + unit * blocks);
  }
  k->column_magnitudes((const float *)maxima, p->units, blocks, blocks, block_maxima);
  switch (rule->kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN: break;
    case BK_RULE_SHARED:
      k->shared_scales(&rule->shared, block_maxima, blocks, 0, scale_codes, multipliers);
      for (size_t unit = 0; rule->subscale_width > 0 && unit < p->units; unit++) {
        k->shared_subscales(
            &rule->shared, maxima + unit * blocks, blocks, 1, scale_codes, subscales,
            multipliers + unit * blocks);
        k->pack(
            subscales, blocks, rule->subscale_width, s->subscales + unit * panel->subscale_stride);
      }
      break;
    case BK_RULE_FLOAT:
      k->float_scales(&rule->floating, block_maxima, blocks, scales, multipliers);
      memcpy(s->scales, scales, 4 * blocks);
      break;
    case BK_RULE_TWO_LEVEL:
      k->two_level_scales(&rule->two_level, block_maxima, blocks, scale_codes);
      k->two_level_multipliers(&rule->two_level, block_maxima, blocks, scale_codes, multipliers);
      break;
  }
  if (rule->kind != BK_RULE_FLOAT) k->pack(scale_codes, blocks, rule->scale_width, s->scales);
  s->overflows = 0;
  bool is_stochastic = p->element.rounding == BK_STOCHASTIC;
  for (size_t row = 0; row < panel->rows; row++) {
    uint64_t first = p->random.first + row * panel->index_stride;
    size_t offset = first % 4;
    k->random_words(p->random.seed, p->random.stream, first - offset, columns + offset, words);
    s->overflows += k->encode(
        &p->element, false, p->values + row * panel->stride, columns,
        multipliers + row / panel->unit_rows * blocks, rule->unit,
        is_stochastic ? words + offset : NULL, 0, codes);
    k->pack(codes, columns, p->element.width, s->codes + row * panel->code_stride);
  }
  decode_by_steps(k, p, s->codes, s->scales, s->subscales, columns, s->values);
  memset(s->inexact, 0, sizeof s->inexact);
  for (size_t row = 0; row < panel->rows; row++)
    k->mark_inexact(
        p->values + row * panel->stride, s->values + row * panel->stride, columns, rule->block,
        s->inexact);
}

// Rows begin with expected bytes, and what is between and behind them is untouched.
static void check_rows(
    const Driver *d, const Panel *p, const Arena *arena, const void *start, size_t rows,
    size_t stride, const void *expected, size_t length, const char *what) {
  const uint8_t *end = arena->start + arena->count, *first = start;
  check_margin(arena, d->name);
  for (size_t row = 0; row < rows; row++)
    if (memcmp(first + row * stride, (const uint8_t *)expected + row * stride, length) != 0)
      fail(d, p, what);
  for (const uint8_t *byte = arena->start; byte < end; byte++) {
    size_t at = (size_t)(byte - first);
    bool is_inside = byte >= first && at / stride < rows && at % stride < length;
    if (!is_inside && *byte != MARK) fail(d, p, "bytes beside those");
  }
}

// Results at addresses that are multiples of a vector's size, of a value's only, and of nothing.
static const size_t skews[] = {0, 4, 3};

static float *place_result(Arena *arena, size_t count, size_t skew, bool at_end) {
  uint8_t *start = place(arena, 4 * count + skew, at_end);
  return (float *)(void *)(at_end ? start : start + skew);
}

static void decode(
    Driver *d, const Panel *p, const uint8_t *codes, const uint8_t *scales,
    const uint8_t *subscales, const float *expected, bool at_end) {
  const BKPanel *panel = &p->panel;
  size_t columns = panel->columns, blocks = groups_of(columns, p->rule.block);
  size_t sizes[] = {
      span_of(panel->rows, panel->code_stride, bytes_of(columns, p->element.width)),
      bytes_of(blocks, p->rule.scale_width),
      span_of(p->units, panel->subscale_stride, bytes_of(blocks, p->rule.subscale_width))};
  const uint8_t *sources[] = {codes, scales, subscales};
  uint8_t *planes[3];
  for (int i = 0; i < 3; i++) {
    planes[i] = place(&d->in[1 + i], sizes[i], at_end);
    memcpy(planes[i], sources[i], sizes[i]);
  }
  for (int way = 0; way < 6; way++) {
    size_t count = span_of(panel->rows, panel->stride, columns);
    float *result = place_result(&d->out[3], count, skews[way / 2], at_end);
    d->kernels->decode_panel(
        &p->element, &p->rule, panel, planes[0], planes[1],
        p->rule.subscale_width > 0 ? planes[2] : NULL, result, way % 2, d->workspace.start);
    check_rows(
        d, p, &d->out[3], result, panel->rows, 4 * panel->stride, expected, 4 * columns,
        "decoded values");
    if (way == 0) take(d, &d->out[3]);
  }
}

// In memory of its own or in that of the values.
static void quantize(Driver *d, const Panel *p, size_t done, const Steps *s, bool at_end) {
  const BKPanel *panel = &p->panel;
  size_t blocks = groups_of(panel->columns, p->rule.block);
  size_t count = span_of(panel->rows, panel->stride, panel->columns);
  for (int way = 0; way < 16; way++) {
    bool streams = way & 1, is_counted = way & 2, is_in_place = way / 4 == 3;
    float *result = place_result(&d->out[3], count, skews[way / 4 % 3], at_end);
    if (is_in_place) memcpy(result, p->values, 4 * count);
    uint8_t *flags = place(&d->out[0], blocks, at_end);
    memset(flags, 0, blocks);
    size_t overflows = 0, quantized = d->kernels->quantize_panel(
        &p->element, &p->rule, panel, p->random, is_in_place ? result : p->values, result,
        streams, is_counted ? flags : NULL, &overflows, d->workspace.start);
    if (quantized != done) fail(d, p, "how many");
    if (overflows != s->overflows) fail(d, p, "overflows");
    for (size_t row = 0; is_in_place && count > 0 && row < panel->rows; row++) {
      size_t first = row * panel->stride;
      size_t left = row + 1 < panel->rows ? panel->stride : panel->columns;
      if (memcmp(result + first + done, p->values + first + done, 4 * (left - done)) != 0)
        fail(d, p, "values in place");
      memset(result + first + done, MARK, 4 * (left - done));
    }
    check_rows(
        d, p, &d->out[3], result, panel->rows, 4 * panel->stride, s->values, 4 * done,
        "quantized values");
    check_margin(&d->out[0], d->name);
    if (is_counted && memcmp(flags, s->inexact, groups_of(done, p->rule.block)) != 0)
      fail(d, p, "flags");
    if (way == 2) take(d, &d->out[0]);
  }
}

static void run_panel(Driver *d, const Panel *p) {
  static Steps steps;
  const BKPanel *panel = &p->panel;
  const BKBlockRule *rule = &p->rule;
  bool at_end = next_call(d);
  size_t columns = panel->columns, blocks = groups_of(columns, rule->block);
  size_t code_bytes = bytes_of(columns, p->element.width);
  size_t subscale_bytes = bytes_of(blocks, rule->subscale_width);
  uint8_t *codes =
      place(&d->out[0], span_of(panel->rows, panel->code_stride, code_bytes), at_end);
  uint8_t *scales = place(&d->out[1], bytes_of(blocks, rule->scale_width), at_end);
  uint8_t *subscales =
      place(&d->out[2], span_of(p->units, panel->subscale_stride, subscale_bytes), at_end);
  size_t overflows = 0, done = d->kernels->encode_panel(
      &p->element, rule, panel, p->random, p->values, codes, scales,
      rule->subscale_width > 0 ? subscales : NULL, &overflows, d->workspace.start);
  take_word(d, done);
  take_word(d, overflows);
  for (int i = 0; i < 3; i++) take(d, &d->out[i]);
  if (done != columns && (done > columns || done % 1024 != 0)) fail(d, p, "how many");

  run_steps(d->kernels, p, done, &steps);
  if (overflows != steps.overflows) fail(d, p, "overflows");
  size_t done_blocks = groups_of(done, rule->block);
  check_rows(
      d, p, &d->out[0], codes, panel->rows, panel->code_stride, steps.codes,
      bytes_of(done, p->element.width), "codes");
  if (memcmp(scales, steps.scales, bytes_of(done_blocks, rule->scale_width)) != 0)
    fail(d, p, "scales");
  if (rule->subscale_width > 0)
    check_rows(
        d, p, &d->out[2], subscales, p->units, panel->subscale_stride, steps.subscales,
        bytes_of(done_blocks, rule->subscale_width), "sub-scales");
  quantize(d, p, done, &steps, at_end);
  // What the steps made, or any codes with any scales.
  if (done == columns)
    decode(d, p, steps.codes, steps.scales, steps.subscales, steps.values, at_end);
  for (size_t i = 0; i < PLANE; i++) {
    uint64_t word = mixed(columns + 5, i);
    steps.codes[i] = (uint8_t)word;
    steps.subscales[i] = (uint8_t)(word >> 8);
  }
  for (size_t i = 0; i < LONGEST; i++) {
    uint32_t scale = sample(columns + 6, i) & 0x7FFFFFFF;
    memcpy(steps.scales + 4 * i, &scale, 4);
  }
  decode_by_steps(
      d->kernels, p, steps.codes, steps.scales, steps.subscales, columns, steps.values);
  decode(d, p, steps.codes, steps.scales, steps.subscales, steps.values, at_end);
}

// Blocks of one column, or of several where there are no sub-blocks.
static void run_chain(Driver *d, const Chain *chain, size_t block, size_t rows) {
  static const size_t counts[] = {0, 1, 3, 17, 130, 1024, 1033, LONGEST};
  static const Generator generators[] = {level_sample, sparse_sample, row_sample, level_sample};
  Panel p = {.element = element_of(chain), .rule = rule_of(chain)};
  p.rule.block = p.rule.unit = block;
  size_t unit_rows = p.rule.subscale_width > 0 && chain->unit < rows ? chain->unit : rows;
  p.units = groups_of(rows, unit_rows);
  for (size_t content = 0; content < 4; content++)
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
      size_t columns = counts[i], stride = columns + i % 4;
      size_t code_stride = bytes_of(columns, p.element.width) + i % 3;
      size_t subscale_stride =
          bytes_of(groups_of(columns, block), p.rule.subscale_width) + i % 2;
      p.panel = (BKPanel){
          .rows = rows, .columns = columns, .stride = stride ? stride : 1,
          .index_stride = 3000 + i, .unit_rows = unit_rows,
          .code_stride = code_stride ? code_stride : 1,
          .subscale_stride = subscale_stride ? subscale_stride : 1};
      p.random = (BKRandom){0x0123456789ABCDEFull, 7, (1ull << 34) - 16 + i};
      size_t count = span_of(rows, p.panel.stride, columns);
      float *values =
          floats(&d->in[0], count, (i + content) % 2, generators[content], columns + content);
      // In the last strip, or the only one.
      uint32_t nan = 0xFFC00001;
      if (content == 3 && columns > 0)
        memcpy(&values[(rows - 1) * p.panel.stride + columns - 1], &nan, 4);
      p.values = values;
      run_panel(d, &p);
    }
}

void run_panels(Driver *d) {
  for (size_t i = 0; i < chain_count; i++) {
    if (!begin(d, "panels.%s", chains[i].name)) continue;
    run_chain(d, &chains[i], 1, ROWS);
    if (chains[i].subscale_width == 0) run_chain(d, &chains[i], chains[i].block, 3);
    end(d);
  }
}

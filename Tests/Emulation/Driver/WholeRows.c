// encode_row, quantize_row and decode_row, and that they do what the kernels of each step do.
//
// The steps encode with the promise of nothing, so that the cases of References.c and Chains.c
// speak for them.
#include "Cases.h"

enum { PART = 2048, LONGEST = 3 * PART + 7 };

// A row on its way, and what the steps make of it.
typedef struct {
  BKElement element;
  BKBlockRule rule;
  BKRandom random;
  const float *values;
  size_t count;
} Row;
typedef struct {
  size_t overflows;
  uint8_t codes[LONGEST], scales[4 * LONGEST], subscales[LONGEST];  // packed
  float values[LONGEST];
} Steps;

static size_t bytes_of(size_t count, uint32_t width) { return (count * width + 7) / 8; }
static size_t groups_of(size_t count, size_t length) { return (count + length - 1) / length; }

static void fail(const Driver *d, const Row *row, const char *what) {
  fprintf(stderr, "%s: %s of %zu values in one call differ from the steps'\n", d->name, what,
          row->count);
  exit(1);
}

// The first `count` values, step by step, to packed bytes.
static void encode_by_steps(const BKKernels *k, const Row *row, size_t count, Steps *s) {
  static uint32_t unit_maxima[LONGEST], block_maxima[LONGEST], random[LONGEST + 4];
  static uint8_t codes[LONGEST], scales[LONGEST], subscales[LONGEST];
  static float multipliers[LONGEST];
  const BKBlockRule *rule = &row->rule;
  size_t units = groups_of(count, rule->unit), blocks = groups_of(count, rule->block);
  size_t spread = rule->block / rule->unit;
  k->row_magnitudes(row->values, count, rule->unit, unit_maxima);
  k->row_magnitudes((const float *)unit_maxima, units, spread, block_maxima);
  switch (rule->kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN:
      for (size_t i = 0; i < units; i++) multipliers[i] = rule->multiplier;
      break;
    case BK_RULE_SHARED:
      k->shared_scales(&rule->shared, block_maxima, blocks, 0, scales, multipliers);
      if (rule->subscale_width > 0)
        k->shared_subscales(
            &rule->shared, unit_maxima, units, spread, scales, subscales, multipliers);
      break;
    case BK_RULE_FLOAT:
      k->float_scales(&rule->floating, block_maxima, blocks, (uint32_t *)s->values, multipliers);
      memcpy(s->scales, s->values, 4 * blocks);
      break;
    case BK_RULE_TWO_LEVEL:
      k->two_level_scales(&rule->two_level, block_maxima, blocks, scales);
      k->two_level_multipliers(&rule->two_level, block_maxima, blocks, scales, multipliers);
      break;
  }
  if (rule->kind == BK_RULE_SHARED || rule->kind == BK_RULE_TWO_LEVEL)
    k->pack(scales, blocks, rule->scale_width, s->scales);
  if (rule->subscale_width > 0) k->pack(subscales, units, rule->subscale_width, s->subscales);
  size_t offset = row->random.first % 4;
  k->random_words(
      row->random.seed, row->random.stream, row->random.first - offset, count + offset, random);
  bool is_stochastic = row->element.rounding == BK_STOCHASTIC;
  s->overflows = k->encode(
      &row->element, false, row->values, count, multipliers, rule->unit,
      is_stochastic ? random + offset : NULL, 0, codes);
  k->pack(codes, count, row->element.width, s->codes);
}

// Back from packed bytes.
static void decode_by_steps(
    const BKKernels *k, const Row *row, const uint8_t *bytes, const uint8_t *scale_bytes,
    const uint8_t *subscale_bytes, size_t count, float *values) {
  static uint8_t codes[LONGEST], scales[LONGEST], subscales[LONGEST];
  static float factors[LONGEST];
  const BKBlockRule *rule = &row->rule;
  size_t units = groups_of(count, rule->unit), blocks = groups_of(count, rule->block);
  k->unpack(bytes, count, row->element.width, codes);
  if (rule->kind == BK_RULE_SHARED || rule->kind == BK_RULE_TWO_LEVEL)
    k->unpack(scale_bytes, blocks, rule->scale_width, scales);
  if (rule->subscale_width > 0) k->unpack(subscale_bytes, units, rule->subscale_width, subscales);
  switch (rule->kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN:
      for (size_t i = 0; i < units; i++) factors[i] = rule->scale;
      break;
    case BK_RULE_SHARED:
      k->shared_values(
          &rule->shared, scales, rule->subscale_width > 0 ? subscales : NULL, units,
          rule->block / rule->unit, factors);
      break;
    case BK_RULE_FLOAT: memcpy(factors, scale_bytes, 4 * blocks); break;
    case BK_RULE_TWO_LEVEL:
      k->decode(&rule->two_level.scale, BK_SCALE_NONE, scales, blocks, NULL, 1, 1, factors);
      break;
  }
  k->decode(
      &row->element, rule->scaling, codes, count, factors, rule->unit, rule->tensor_scale, values);
}

// Results at addresses that are multiples of a vector's size, of a value's only, and of nothing.
static const size_t skews[] = {0, 4, 3};

static float *place_result(Arena *arena, size_t count, size_t skew, bool at_end) {
  uint8_t *start = place(arena, 4 * count + skew, at_end);
  return (float *)(void *)(at_end ? start : start + skew);
}

// The first `done` values are expected ones, and the others untouched.
static void check_result(
    const Driver *d, const Row *row, const Arena *arena, const float *result,
    const float *expected, size_t done, const char *what) {
  const uint8_t *first = (const uint8_t *)result, *end = arena->start + arena->count;
  check_margin(arena, d->name);
  if (memcmp(first, expected, 4 * done) != 0) fail(d, row, what);
  for (const uint8_t *p = arena->start; p < end; p++)
    if ((p < first || p >= first + 4 * done) && *p != MARK) fail(d, row, "values beside those");
}

// Decodes `count` values in every way; they are expected ones.
static void decode(
    Driver *d, const Row *row, const uint8_t *codes, const uint8_t *scales,
    const uint8_t *subscales, size_t count, const float *expected, bool at_end) {
  const BKBlockRule *rule = &row->rule;
  bool is_given = rule->kind == BK_RULE_GIVEN;
  size_t sizes[] = {
      bytes_of(count, row->element.width),
      bytes_of(groups_of(count, rule->block), is_given ? 0 : rule->scale_width),
      bytes_of(groups_of(count, rule->unit), rule->subscale_width)};
  const uint8_t *sources[] = {codes, scales, subscales};
  uint8_t *planes[3];
  for (int i = 0; i < 3; i++) {
    planes[i] = place(&d->in[1 + i], sizes[i], at_end);
    memcpy(planes[i], sources[i], sizes[i]);
  }
  for (int way = 0; way < 6; way++) {
    float *result = place_result(&d->out[3], count, skews[way / 2], at_end);
    d->kernels->decode_row(
        &row->element, rule, planes[0], is_given ? NULL : planes[1],
        rule->subscale_width > 0 ? planes[2] : NULL, NULL, count, result, way % 2,
        d->workspace.start);
    check_result(d, row, &d->out[3], result, expected, count, "decoded values");
    if (way == 0) take(d, &d->out[3]);
  }
}

// Quantizes in every way; the first `done` values are expected ones.
static void quantize(Driver *d, const Row *row, size_t done, const Steps *s, bool at_end) {
  static uint8_t expected[LONGEST];
  size_t blocks = groups_of(row->count, row->rule.block);
  memset(expected, 0, sizeof expected);
  d->kernels->mark_inexact(row->values, s->values, done, row->rule.block, expected);
  for (int way = 0; way < 12; way++) {
    float *result = place_result(&d->out[3], row->count, skews[way / 4], at_end);
    uint8_t *flags = place(&d->out[0], blocks, at_end);
    memset(flags, 0, blocks);
    size_t overflows = 0, quantized = d->kernels->quantize_row(
        &row->element, &row->rule, row->random, row->values, row->count, result, way % 2,
        way & 2 ? flags : NULL, &overflows, d->workspace.start);
    if (quantized != done) fail(d, row, "how many");
    if (overflows != s->overflows) fail(d, row, "overflows");
    check_result(d, row, &d->out[3], result, s->values, done, "quantized values");
    check_margin(&d->out[0], d->name);
    if (way & 2 && memcmp(flags, expected, blocks) != 0) fail(d, row, "flags");
    if (way == 2) take(d, &d->out[0]);
  }
}

static void run_row(Driver *d, const Row *row) {
  static Steps steps;
  const BKBlockRule *rule = &row->rule;
  bool at_end = next_call(d), is_given = rule->kind == BK_RULE_GIVEN;
  size_t blocks = groups_of(row->count, rule->block), units = groups_of(row->count, rule->unit);
  uint8_t *codes = place(&d->out[0], bytes_of(row->count, row->element.width), at_end);
  uint8_t *scales = place(&d->out[1], bytes_of(blocks, is_given ? 0 : rule->scale_width), at_end);
  uint8_t *subscales = place(&d->out[2], bytes_of(units, rule->subscale_width), at_end);
  size_t overflows = 0, done = d->kernels->encode_row(
      &row->element, rule, row->random, row->values, row->count, codes,
      is_given ? NULL : scales, rule->subscale_width > 0 ? subscales : NULL, &overflows,
      d->workspace.start);
  take_word(d, done);
  take_word(d, overflows);
  for (int i = 0; i < 3; i++) take(d, &d->out[i]);
  if (done != row->count && (done > row->count || done % (PART / 2) != 0)) fail(d, row, "how many");

  encode_by_steps(d->kernels, row, done, &steps);
  if (overflows != steps.overflows) fail(d, row, "overflows");
  if (memcmp(codes, steps.codes, bytes_of(done, row->element.width)) != 0) fail(d, row, "codes");
  size_t scale_bytes = bytes_of(groups_of(done, rule->block), is_given ? 0 : rule->scale_width);
  if (memcmp(scales, steps.scales, scale_bytes) != 0) fail(d, row, "scales");
  size_t subscale_bytes = bytes_of(groups_of(done, rule->unit), rule->subscale_width);
  if (memcmp(subscales, steps.subscales, subscale_bytes) != 0) fail(d, row, "sub-scales");

  decode_by_steps(
      d->kernels, row, steps.codes, steps.scales, steps.subscales, done, steps.values);
  quantize(d, row, done, &steps, at_end);
  decode(d, row, steps.codes, steps.scales, steps.subscales, done, steps.values, at_end);
  // Any codes with any scales.
  for (size_t i = 0; i < row->count; i++) {
    uint64_t word = mixed(row->count + 5, i);
    uint32_t scale = sample(row->count + 6, i) & 0x7FFFFFFF;
    steps.codes[i] = (uint8_t)word;
    steps.subscales[i] = (uint8_t)(word >> 8);
    memcpy(steps.scales + 4 * i, &scale, 4);
  }
  decode_by_steps(
      d->kernels, row, steps.codes, steps.scales, steps.subscales, row->count, steps.values);
  decode(d, row, steps.codes, steps.scales, steps.subscales, row->count, steps.values, at_end);
}

// Values of a row: of like size, less so, with blocks of zeros, of any size, with a NaN.
typedef enum { LEVEL, BROAD, SPARSE, WIDE, BROKEN, CONTENT_COUNT } Content;

static void fill_row(Driver *d, Row *row, Content content, size_t count, float factor) {
  static const Generator generators[] = {
      level_sample, broad_sample, sparse_sample, row_sample, level_sample};
  bool at_end = __builtin_parityll(count + content) != 0;
  float *values = floats(&d->in[0], count, at_end, generators[content], count);
  for (size_t i = 0; i < count; i++) values[i] *= factor;
  // In the last part but one, or the only one.
  if (content == BROKEN && count > 0) {
    uint32_t nan = 0xFFC00001;
    memcpy(&values[count > PART ? (count / PART - 1) * PART + 77 : count / 2], &nan, 4);
  }
  row->values = values;
  row->count = count;
  row->random = (BKRandom){0x0123456789ABCDEFull, 7, (1ull << 34) - 16 + count % 7};
}

static void run_chain(Driver *d, const Chain *chain) {
  static const size_t counts[] = {
      0, 1, 2, 15, 17, 33, 127, 1000, PART - 1, PART, PART + 1, PART + 16, PART + 130,
      2 * PART - 1, 2 * PART, 2 * PART + 9, LONGEST};
  if (!begin(d, "rows.%s", chain->name)) return;
  Row row = {.element = element_of(chain), .rule = rule_of(chain)};
  for (Content content = LEVEL; content < CONTENT_COUNT; content++)
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
      fill_row(d, &row, content, counts[i], 1);
      run_row(d, &row);
    }
  end(d);
}

// One multiplier for all, or none.
static void run_given(Driver *d, const Named *policy) {
  static const size_t counts[] = {0, 3, 500, PART, PART + 3, 2 * PART + 17};
  const BKElement *e = &policy->element;
  if (e->width > 8 || e->is_unsigned || !begin(d, "rows.given.%s", policy->name)) return;
  // Some values are beyond the largest one, and none the limit of what is tame.
  float factor = e->tame_limit * 0x1p-16f, multiplier = factor * 1.25f;
  for (int is_scaled = 0; is_scaled < 2; is_scaled++) {
    Row row = {.element = *e, .rule = {
        .kind = BK_RULE_GIVEN, .block = 32, .unit = 32, .multiplier = is_scaled ? multiplier : 1,
        .scale = is_scaled ? 1 / multiplier : 1, .tensor_scale = 1,
        .scaling = is_scaled ? BK_SCALE_BLOCK : BK_SCALE_NONE}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
      for (int is_broken = 0; is_broken < 2; is_broken++) {
        fill_row(d, &row, is_broken ? BROKEN : BROAD, counts[i], is_scaled ? 1 : factor);
        run_row(d, &row);
      }
  }
  end(d);
}

void run_whole_rows(Driver *d) {
  for (size_t i = 0; i < chain_count; i++) run_chain(d, &chains[i]);
  for (size_t i = 0; i < policy_count; i++) {
    Named policy = policy_at(i);
    run_given(d, &policy);
  }
}

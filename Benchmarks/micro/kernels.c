// Times every step of the kernel table, level by level, on rows in the first-level cache.
//
// The formats' constants are those of the emulation tests, which the library writes. Prints a
// Markdown table; run.sh builds and runs this file and adds the machine.
#include <time.h>

#include "Cases.h"

enum { COUNT = 1024, MOST_REPEATS = 1000, LEVELS = BK_LEVEL_COUNT };
// Some time of one measurement: far above the clock's resolution, far below a scheduler's slice.
static const double least_seconds = 0.0005;

// MARK: - Rows

// A format, and a row at every stage on the way to bytes and back.
typedef struct {
  const BKKernels *kernels;
  BKElement element;
  BKBlockRule rule;
  size_t units, blocks, spread;
  float values[COUNT], decoded[COUNT], multipliers[COUNT], factors[COUNT];
  uint32_t unit_maxima[COUNT], block_maxima[COUNT], wide_scales[COUNT], random[COUNT];
  uint8_t codes[COUNT], bytes[COUNT], scales[COUNT], subscales[COUNT];
  uint8_t scale_bytes[4 * COUNT], subscale_bytes[COUNT];
} Row;

static const BKRandom source = {.seed = 0x0123456789ABCDEFull, .stream = 7};

static void stop(const char *format, const char *what) {
  fprintf(stderr, "%s: %s\n", format, what);
  exit(1);
}

// Sums of four uniform numbers, nearly normal, with a deviation near that of the rows from which
// the table's two-level rules have their tensor scale.
static void fill(Row *row) {
  for (size_t i = 0; i < COUNT; i++) {
    uint64_t word = mixed(1, i);
    int32_t sum = -2 * 0xFFFF;
    for (int part = 0; part < 4; part++) sum += (int32_t)(word >> 16 * part & 0xFFFF);
    row->values[i] = (float)sum / 8;
  }
}

// The scale rule of a chain.
static BKBlockRule scale_rule(const Chain *chain) {
  BKBlockRule rule = {
      .kind = chain->kind, .block = chain->block, .unit = chain->unit,
      .scale_width = chain->scale_width, .subscale_width = chain->subscale_width,
      .tensor_scale = chain->tensor_scale,
      .scaling = chain->kind == BK_RULE_TWO_LEVEL ? BK_SCALE_TENSOR : BK_SCALE_BLOCK};
  for (size_t i = 0; i < shared_rule_count; i++)
    if (strcmp(shared_rules[i].name, chain->rule) == 0) rule.shared = shared_rules[i].rule;
  for (size_t i = 0; i < float_rule_count; i++)
    if (strcmp(float_rules[i].name, chain->rule) == 0) rule.floating = float_rules[i].rule;
  for (size_t i = 0; i < two_level_rule_count; i++)
    if (strcmp(two_level_rule_at(i).name, chain->rule) == 0)
      rule.two_level = two_level_rule_at(i).rule;
  return rule;
}

// MARK: - Steps

static void row_magnitudes(Row *r) {
  r->kernels->row_magnitudes(r->values, COUNT, r->rule.unit, r->unit_maxima);
}
static void block_magnitudes(Row *r) {
  r->kernels->row_magnitudes(
      (const float *)r->unit_maxima, r->units, r->spread, r->block_maxima);
}
static bool find_scales(Row *r) {
  const BKKernels *k = r->kernels;
  switch (r->rule.kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN: return false;
    case BK_RULE_SHARED:
      return k->shared_scales(
          &r->rule.shared, r->block_maxima, r->blocks, 0, r->scales, r->multipliers);
    case BK_RULE_FLOAT:
      return k->float_scales(
          &r->rule.floating, r->block_maxima, r->blocks, r->wide_scales, r->multipliers);
    case BK_RULE_TWO_LEVEL:
      k->two_level_scales(&r->rule.two_level, r->block_maxima, r->blocks, r->scales);
      return k->two_level_multipliers(
          &r->rule.two_level, r->block_maxima, r->blocks, r->scales, r->multipliers);
  }
  return false;
}
static void scales(Row *r) { (void)find_scales(r); }
static bool find_subscales(Row *r) {
  return r->kernels->shared_subscales(
      &r->rule.shared, r->unit_maxima, r->units, r->spread, r->scales, r->subscales,
      r->multipliers);
}
static void subscales(Row *r) { (void)find_subscales(r); }
static void random_words(Row *r) {
  r->kernels->random_words(source.seed, source.stream, 0, COUNT, r->random);
}
static void encode(Row *r) {
  r->kernels->encode(
      &r->element, true, r->values, COUNT, r->multipliers, r->rule.unit, r->random, 0, r->codes);
}
static void pack(Row *r) { r->kernels->pack(r->codes, COUNT, r->element.width, r->bytes); }
static void unpack(Row *r) { r->kernels->unpack(r->bytes, COUNT, r->element.width, r->codes); }
static void scale_values(Row *r) {
  switch (r->rule.kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN: break;
    case BK_RULE_SHARED:
      r->kernels->shared_values(
          &r->rule.shared, r->scales, r->rule.subscale_width > 0 ? r->subscales : NULL, r->units,
          r->spread, r->factors);
      break;
    case BK_RULE_FLOAT: memcpy(r->factors, r->wide_scales, 4 * r->blocks); break;
    case BK_RULE_TWO_LEVEL:
      r->kernels->decode(
          &r->rule.two_level.scale, BK_SCALE_NONE, r->scales, r->blocks, NULL, 1, 1, r->factors);
      break;
  }
}
static void decode(Row *r) {
  r->kernels->decode(
      &r->element, r->rule.scaling, r->codes, COUNT, r->factors, r->rule.unit,
      r->rule.tensor_scale, r->decoded);
}
// What calls on whole rows work in.
static _Alignas(BK_WORKSPACE_ALIGNMENT) uint8_t workspace[BK_WORKSPACE_BYTES];

static size_t encode_whole(Row *r) {
  size_t overflows = 0;
  return r->kernels->encode_row(
      &r->element, &r->rule, source, r->values, COUNT, r->bytes, r->scale_bytes,
      r->rule.subscale_width > 0 ? r->subscale_bytes : NULL, &overflows, workspace);
}
static void encode_row(Row *r) { (void)encode_whole(r); }
static void quantize_row(Row *r) {
  size_t overflows = 0;
  r->kernels->quantize_row(
      &r->element, &r->rule, source, r->values, COUNT, r->decoded, false, NULL, &overflows,
      workspace);
}
static void decode_row(Row *r) {
  r->kernels->decode_row(
      &r->element, &r->rule, r->bytes, r->scale_bytes,
      r->rule.subscale_width > 0 ? r->subscale_bytes : NULL, NULL, COUNT, r->decoded, false,
      workspace);
}

// Makes what the steps read, and ends the program where a row is not tame: its steps would be
// others than those of usual rows.
static void prepare(Row *r, const char *name) {
  row_magnitudes(r);
  block_magnitudes(r);
  bool is_tame = find_scales(r);
  if (r->rule.subscale_width > 0) is_tame = find_subscales(r);
  random_words(r);
  encode(r);
  scale_values(r);
  if (!is_tame || encode_whole(r) != COUNT) stop(name, "the row is not tame");
}

// MARK: - Measuring

typedef void (*Step)(Row *row);

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
static double time_of(Step step, Row *row, size_t calls) {
  double start = seconds();
  for (size_t i = 0; i < calls; i++) step(row);
  return seconds() - start;
}
static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// A line of the table. Levels take turns, so that a busy moment does not meet one of them only.
static void measure(
    const char *format, const char *name, Step step, Row *rows, size_t levels, size_t repeats) {
  static double times[LEVELS][MOST_REPEATS];
  size_t calls[LEVELS];
  for (size_t level = 0; level < levels; level++) {
    calls[level] = 16;  // Which also warms up.
    double taken;
    while ((taken = time_of(step, &rows[level], calls[level])) < least_seconds) calls[level] *= 2;
  }
  for (size_t repeat = 0; repeat < repeats; repeat++)
    for (size_t level = 0; level < levels; level++)
      times[level][repeat] =
          1e9 * time_of(step, &rows[level], calls[level]) / (double)calls[level];
  double spread = 0;
  printf("| %s | %s |", format, name);
  for (size_t level = 0; level < levels; level++) {
    double *own = times[level];
    qsort(own, repeats, sizeof *own, ascending);
    double median = own[repeats / 2];
    double quartiles = (own[3 * repeats / 4] - own[repeats / 4]) / median;
    if (quartiles > spread) spread = quartiles;
    printf(" %.1f | %.2f |", median, COUNT / median);
  }
  printf(" %.0f%% |\n", 100 * spread);
  fflush(stdout);
}

// The element of a chain under another rounding.
static BKElement rounded(const Chain *chain, const char *rounding) {
  char name[80];
  size_t length = strcspn(chain->policy, ".");
  snprintf(name, sizeof name, "%.*s.%s", (int)length, chain->policy, rounding);
  BKElement e = policy_named(name).element;
  e.is_scaling_exact = chain->is_scaling_exact;
  e.poison = chain->poison;
  return e;
}

// Makes rows anew: steps have written over each other's results.
static void take_rounding(const Chain *chain, const char *rounding, Row *rows, size_t levels) {
  for (size_t level = 0; level < levels; level++) {
    rows[level].element = rounded(chain, rounding);
    prepare(&rows[level], chain->name);
  }
}

static void measure_format(const Chain *chain, Row *rows, size_t levels, size_t repeats) {
  static const char *const roundings[] = {
      "nearest_even", "nearest_away", "toward_zero", "up", "down", "to_odd", "stochastic32"};
  char text[80];
  BKBlockRule rule = scale_rule(chain);
  for (size_t level = 0; level < levels; level++) {
    Row *row = &rows[level];
    row->rule = rule;
    row->units = COUNT / chain->unit;
    row->blocks = COUNT / chain->block;
    row->spread = chain->block / chain->unit;
  }
  take_rounding(chain, roundings[0], rows, levels);
#define MEASURE(title, step) measure(chain->name, title, step, rows, levels, repeats)
  static const char *const scale_names[] = {
      [BK_RULE_GIVEN] = "", [BK_RULE_SHARED] = "shared_scales", [BK_RULE_FLOAT] = "float_scales",
      [BK_RULE_TWO_LEVEL] = "two_level_scales, two_level_multipliers"};
  MEASURE("row_magnitudes", row_magnitudes);
  MEASURE(scale_names[rule.kind], scales);
  if (rule.subscale_width > 0) MEASURE("shared_subscales", subscales);
  if (rule.kind == BK_RULE_SHARED) MEASURE("shared_values", scale_values);
  // The thresholds of a table are those of one rounding.
  bool is_table = rows[0].element.kind == BK_TABLE;
  size_t rounding_count = is_table ? 1 : sizeof roundings / sizeof *roundings;
  for (size_t i = 0; i < rounding_count; i++) {
    take_rounding(chain, roundings[i], rows, levels);
    snprintf(text, sizeof text, "encode %s", roundings[i]);
    MEASURE(text, encode);
  }
  if (!is_table) MEASURE("encode_row stochastic32", encode_row);
  take_rounding(chain, roundings[0], rows, levels);
  MEASURE("encode_row nearest_even", encode_row);
  MEASURE("quantize_row nearest_even", quantize_row);
  MEASURE("pack", pack);
  MEASURE("unpack", unpack);
  MEASURE("decode", decode);
  MEASURE("decode_row", decode_row);
#undef MEASURE
}

int main(int count, char **arguments) {
  static const char *const names[] = {
      "mxfp4", "mxfp6_e2m3", "mxfp8_e4m3", "mxint8", "mx9", "nvfp4", "fp8_e4m3_1x128", "nf4"};
  static Row rows[LEVELS];
  long repeats = count == 2 ? strtol(arguments[1], NULL, 10) : 15;
  if (count > 2 || repeats < 1 || repeats > MOST_REPEATS) {
    fprintf(stderr, "usage: kernels [REPEATS], of 1 to %d\n", MOST_REPEATS);
    return 2;
  }
  size_t levels = 0;
  printf("| format | step |");
  for (int level = 0; level < LEVELS; level++) {
    if (!bk_is_supported((BKLevel)level)) continue;
    rows[levels].kernels = bk_kernels((BKLevel)level);
    fill(&rows[levels++]);
    printf(" %s ns | G/s |", bk_level_id((BKLevel)level));
  }
  printf(" spread |\n|---|---|");
  for (size_t level = 0; level < levels; level++) printf("---:|---:|");
  printf("---:|\n");
  measure("any", "random_words", random_words, rows, levels, (size_t)repeats);
  for (size_t name = 0; name < sizeof names / sizeof *names; name++)
    for (size_t i = 0; i < chain_count; i++)
      if (strcmp(chains[i].name, names[name]) == 0)
        measure_format(&chains[i], rows, levels, (size_t)repeats);
  return 0;
}

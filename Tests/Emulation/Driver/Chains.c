// Rows from values to packed bytes and back, by the calls that the library makes.
//
// EmulationReferenceTests.swift computes the hashes with the reference in Swift.
#include "Cases.h"

enum { COUNT = 1008 };

// A row on its way.
typedef struct {
  const Chain *chain;
  size_t blocks, units, spread;
  uint32_t block_maxima[COUNT], unit_maxima[COUNT], scales[COUNT];
  uint8_t scale_codes[COUNT], subscales[COUNT], codes[COUNT];
  float multipliers[COUNT], factors[COUNT];
  uint8_t *bytes;
} Row;

static void no_rule(const Chain *chain) {
  fprintf(stderr, "no rule %s\n", chain->rule);
  exit(1);
}
static const BKSharedScale *shared_rule(const Chain *chain) {
  for (size_t i = 0; i < shared_rule_count; i++)
    if (strcmp(shared_rules[i].name, chain->rule) == 0) return &shared_rules[i].rule;
  no_rule(chain);
  return NULL;
}
static const BKFloatScale *float_rule(const Chain *chain) {
  for (size_t i = 0; i < float_rule_count; i++)
    if (strcmp(float_rules[i].name, chain->rule) == 0) return &float_rules[i].rule;
  no_rule(chain);
  return NULL;
}
static BKTwoLevelScale two_level_rule(const Chain *chain) {
  for (size_t i = 0; i < two_level_rule_count; i++)
    if (strcmp(two_level_rule_at(i).name, chain->rule) == 0) return two_level_rule_at(i).rule;
  no_rule(chain);
  return (BKTwoLevelScale){0};
}

BKElement element_of(const Chain *chain) {
  BKElement e = policy_named(chain->policy).element;
  e.is_scaling_exact = chain->is_scaling_exact;
  e.poison = chain->poison;
  return e;
}

BKBlockRule rule_of(const Chain *chain) {
  BKBlockRule rule = {
      .kind = chain->kind, .block = chain->block, .unit = chain->unit,
      .scale_width = chain->scale_width, .subscale_width = chain->subscale_width,
      .tensor_scale = chain->tensor_scale, .scaling = BK_SCALE_BLOCK};
  switch (chain->kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN: break;
    case BK_RULE_SHARED: rule.shared = *shared_rule(chain); break;
    case BK_RULE_FLOAT: rule.floating = *float_rule(chain); break;
    case BK_RULE_TWO_LEVEL:
      rule.two_level = two_level_rule(chain);
      rule.scaling = BK_SCALE_TENSOR;
      break;
  }
  return rule;
}

// Takes packed codes into the hash, and leaves those that unpacking gives in `codes`.
static void pack(Driver *d, Row *row, uint8_t *codes, size_t count, uint32_t width) {
  size_t total = (count * width + 7) / 8;
  row->bytes = place(&d->out[0], total, true);
  d->kernels->pack(codes, count, width, row->bytes);
  take(d, &d->out[0]);
  d->kernels->unpack(row->bytes, count, width, codes);
}

// Finds scales and takes them into the hash; `factors` are what decoding multiplies by.
static bool find_scales(Driver *d, Row *row) {
  const BKKernels *k = d->kernels;
  const Chain *chain = row->chain;
  bool is_tame = false;
  switch (chain->kind) {
    case BK_RULE_STORED:
    case BK_RULE_GIVEN: break;
    case BK_RULE_SHARED: {
      const BKSharedScale *rule = shared_rule(chain);
      is_tame = k->shared_scales(
          rule, row->block_maxima, row->blocks, 0, row->scale_codes, row->multipliers);
      if (chain->subscale_width > 0)
        is_tame = k->shared_subscales(
            rule, row->unit_maxima, row->units, row->spread, row->scale_codes, row->subscales,
            row->multipliers);
      pack(d, row, row->scale_codes, row->blocks, chain->scale_width);
      if (chain->subscale_width > 0)
        pack(d, row, row->subscales, row->units, chain->subscale_width);
      k->shared_values(
          rule, row->scale_codes, chain->subscale_width > 0 ? row->subscales : NULL, row->units,
          row->spread, row->factors);
      break;
    }
    case BK_RULE_FLOAT:
      is_tame = k->float_scales(
          float_rule(chain), row->block_maxima, row->blocks, row->scales, row->multipliers);
      memcpy(row->factors, row->scales, 4 * row->blocks);
      memcpy(place(&d->out[0], 4 * row->blocks, true), row->scales, 4 * row->blocks);
      take(d, &d->out[0]);
      break;
    case BK_RULE_TWO_LEVEL: {
      BKTwoLevelScale rule = two_level_rule(chain);
      k->two_level_scales(&rule, row->block_maxima, row->blocks, row->scale_codes);
      is_tame = k->two_level_multipliers(
          &rule, row->block_maxima, row->blocks, row->scale_codes, row->multipliers);
      pack(d, row, row->scale_codes, row->blocks, rule.scale.width);
      k->decode(
          &rule.scale, BK_SCALE_NONE, row->scale_codes, row->blocks, NULL, 1, 1, row->factors);
      break;
    }
  }
  return is_tame;
}

static void run(Driver *d, const Chain *chain) {
  static Row row;
  const BKKernels *k = d->kernels;
  row = (Row){.chain = chain, .spread = chain->block / chain->unit};
  row.blocks = (COUNT + chain->block - 1) / chain->block;
  row.units = (COUNT + chain->unit - 1) / chain->unit;
  BKElement e = element_of(chain);

  const float *values = floats(&d->in[0], COUNT, true, row_sample, 3);
  k->row_magnitudes(values, COUNT, chain->unit, row.unit_maxima);
  k->row_magnitudes(
      (const float *)row.unit_maxima, row.units, row.spread, row.block_maxima);
  bool is_tame = find_scales(d, &row);

  uint32_t *random = NULL;
  if (e.rounding == BK_STOCHASTIC) {
    random = place(&d->in[1], 4 * COUNT, true);
    k->random_words(0x0123456789ABCDEFull, 7, 0, COUNT, random);
  }
  k->encode(
      &e, is_tame, values, COUNT, row.multipliers, chain->unit, random, 4 * COUNT, row.codes);
  pack(d, &row, row.codes, COUNT, e.width);
  float *decoded = place(&d->out[1], 4 * COUNT, true);
  BKScaling scaling = chain->kind == BK_RULE_TWO_LEVEL ? BK_SCALE_TENSOR : BK_SCALE_BLOCK;
  k->decode(
      &e, scaling, row.codes, COUNT, row.factors, chain->unit, chain->tensor_scale, decoded);
  take(d, &d->out[1]);
}

void run_chains(Driver *d) {
  for (size_t i = 0; i < chain_count; i++) {
    if (!begin(d, "reference.chain.%s", chains[i].name)) continue;
    run(d, &chains[i]);
    end(d);
  }
}

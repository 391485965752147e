// The rows of elements.inc, which the library's own definitions gave.
#include "Cases.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

#define FORMAT(name, ...) {name, __VA_ARGS__},
#define POLICY(...)
#define SHARED_RULE(...)
#define FLOAT_RULE(...)
#define TWO_LEVEL_RULE(...)
#define CHAIN(...)
#define CODER(...)
#define DOUBLING(...)
const Named formats[] = {
#include "elements.inc"
};
const size_t format_count = COUNT(formats);

#undef FORMAT
#define FORMAT(...)
#undef POLICY
#define POLICY(name, format, rounding, mask, over, under, infinite, negative, nan, saturates) \
  {name, format, rounding, mask, {over, under}, {infinite, negative}, nan, saturates},
static const struct {
  const char *name;
  uint32_t format;
  BKRounding rounding;
  uint32_t random_mask, overflow[2], infinity[2], nan, saturates;
} policies[] = {
#include "elements.inc"
};
const size_t policy_count = COUNT(policies);

#undef POLICY
#define POLICY(...)
#undef SHARED_RULE
#define SHARED_RULE(name, ...) {name, __VA_ARGS__},
const SharedRule shared_rules[] = {
#include "elements.inc"
};
const size_t shared_rule_count = COUNT(shared_rules);

#undef SHARED_RULE
#define SHARED_RULE(...)
#undef FLOAT_RULE
#define FLOAT_RULE(name, ...) {name, __VA_ARGS__},
const FloatRule float_rules[] = {
#include "elements.inc"
};
const size_t float_rule_count = COUNT(float_rules);

#undef FLOAT_RULE
#define FLOAT_RULE(...)
#undef TWO_LEVEL_RULE
#define TWO_LEVEL_RULE(name, ...) {name, __VA_ARGS__},
static const struct {
  const char *name;
  uint32_t format;
  float factor, tensor_reciprocal;
  uint32_t floor_code, zero_code;
  float tame_limit, least_multiplier;
} two_level_rules[] = {
#include "elements.inc"
};
const size_t two_level_rule_count = COUNT(two_level_rules);

#undef TWO_LEVEL_RULE
#define TWO_LEVEL_RULE(...)
#undef CHAIN
#define CHAIN(name, ...) {name, __VA_ARGS__},
const Chain chains[] = {
#include "elements.inc"
};
const size_t chain_count = COUNT(chains);

#undef CHAIN
#define CHAIN(...)
#undef CODER
#define CODER(name, ...) {name, __VA_ARGS__},
const Coder coders[] = {
#include "elements.inc"
};
const size_t coder_count = COUNT(coders);

#undef CODER
#define CODER(...)
#undef DOUBLING
#define DOUBLING(name, ...) {name, __VA_ARGS__},
const Doubling doublings[] = {
#include "elements.inc"
};
const size_t doubling_count = COUNT(doublings);

Named policy_at(size_t index) {
  BKElement e = formats[policies[index].format].element;
  e.rounding = policies[index].rounding;
  e.random_mask = policies[index].random_mask;
  for (int sign = 0; sign < 2; sign++) {
    e.overflow[sign] = policies[index].overflow[sign];
    e.infinity[sign] = policies[index].infinity[sign];
  }
  e.nan = policies[index].nan;
  e.saturates = policies[index].saturates != 0;
  return (Named){policies[index].name, e};
}

Named policy_named(const char *name) {
  for (size_t i = 0; i < policy_count; i++)
    if (strcmp(policies[i].name, name) == 0) return policy_at(i);
  fprintf(stderr, "no policy %s\n", name);
  exit(1);
}

// The policy of a format that scales are encoded with: to nearest even, saturating.
static BKElement scale_element(uint32_t format) {
  for (size_t i = 0; i < policy_count; i++)
    if (policies[i].format == format) return policy_at(i).element;
  fprintf(stderr, "no policy of format %u\n", format);
  exit(1);
}

TwoLevelRule two_level_rule_at(size_t index) {
  return (TwoLevelRule){
      two_level_rules[index].name,
      {.scale = scale_element(two_level_rules[index].format),
       .factor = two_level_rules[index].factor,
       .tensor_reciprocal = two_level_rules[index].tensor_reciprocal,
       .floor_code = two_level_rules[index].floor_code,
       .zero_code = two_level_rules[index].zero_code,
       .tame_limit = two_level_rules[index].tame_limit,
       .least_multiplier = two_level_rules[index].least_multiplier}};
}

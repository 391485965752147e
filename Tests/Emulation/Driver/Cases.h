// What the parts of the driver share.
#ifndef CASES_H
#define CASES_H

#include "CBlockKernels.h"
#include "CProductKernels.h"
#include "Inputs.h"
#include "Memory.h"

enum { MOST = 131 };  // counts are 0 to 130

static const size_t units[] = {1, 2, 3, 16, 32, 100};
enum { UNIT_COUNT = sizeof units / sizeof *units };

// The kernels under test, and memory for their arguments.
typedef struct {
  const BKKernels *kernels;
  const BKProductKernels *products;
  const char *only;   // runs only the cases whose name begins so
  bool is_detailed;   // prints the hash of every call
  char name[160];     // of the case that runs
  Hash hash;
  uint64_t call;
  Arena in[4], out[4], workspace;
} Driver;

// Begins a case unless it is left out.
bool begin(Driver *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Ends it: one line.
void end(Driver *d);

// Places of a call's buffers: at the end of memory and at its start, in no fixed rhythm.
static inline bool next_call(Driver *d) { return __builtin_parityll(d->call++) == 0; }

// Input words made by a generator.
typedef uint32_t (*Generator)(uint64_t seed, uint64_t index);
uint32_t *words(Arena *arena, size_t count, bool at_end, Generator generate, uint64_t seed);
float *floats(Arena *arena, size_t count, bool at_end, Generator generate, uint64_t seed);
// Codes of a width.
uint8_t *narrow_codes(Arena *arena, size_t count, bool at_end, uint32_t width, uint64_t seed);
uint32_t *wide_codes(Arena *arena, size_t count, bool at_end, uint32_t width, uint64_t seed);
// Takes an output into the hash and checks the memory beside it.
void take(Driver *d, Arena *arena);
void take_word(Driver *d, uint64_t word);

// The rows of elements.inc.
typedef struct {
  const char *name;
  BKElement element;
} Named;
typedef struct {
  const char *name;
  BKSharedScale rule;
} SharedRule;
typedef struct {
  const char *name;
  BKFloatScale rule;
} FloatRule;
typedef struct {
  const char *name;
  BKTwoLevelScale rule;
} TwoLevelRule;
typedef struct {
  const char *name, *policy;
  bool is_scaling_exact;
  uint32_t poison;
  size_t block, unit;
  uint32_t scale_width, subscale_width;  // 0 without sub-scales
  BKRuleKind kind;
  const char *rule;
  float tensor_scale;
} Chain;

typedef struct {
  const char *name;
  bool has_offsets;
  BKBlockCoder coder;
} Coder;

typedef struct {
  const char *name;
  BKElement element;
  BKDoublings rule;
} Doubling;

extern const size_t format_count, policy_count;
extern const size_t chain_count, shared_rule_count, float_rule_count, two_level_rule_count;
extern const Named formats[];
extern const SharedRule shared_rules[];
extern const FloatRule float_rules[];
extern const Chain chains[];
extern const size_t coder_count;
extern const Coder coders[];
extern const size_t doubling_count;
extern const Doubling doublings[];
Named policy_at(size_t index);  // an element with its policy
TwoLevelRule two_level_rule_at(size_t index);
Named policy_named(const char *name);
// A chain's element, and its rule for whole rows.
BKElement element_of(const Chain *chain);
BKBlockRule rule_of(const Chain *chain);

void run_encoders(Driver *d);
void run_decoders(Driver *d);
void run_magnitudes(Driver *d);
void run_scales(Driver *d);
void run_memory(Driver *d);
void run_references(Driver *d);
void run_chains(Driver *d);
void run_coders(Driver *d);
void run_doublings(Driver *d);
void run_whole_rows(Driver *d);
void run_panels(Driver *d);
void run_operands(Driver *d);
void run_products(Driver *d);
void run_narrow_columns(Driver *d);
void run_training(Driver *d);

#endif

// Runs every kernel of one level over deterministic inputs; prints a hash of each case's output.
#include <stdarg.h>

#include "Cases.h"

bool begin(Driver *d, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(d->name, sizeof d->name, format, arguments);
  va_end(arguments);
  d->hash = HASH_START;
  d->call = 0;
  return strncmp(d->name, d->only, strlen(d->only)) == 0;
}

void end(Driver *d) {
  check_margin(&d->workspace, d->name);
  printf("%016llx %s\n", (unsigned long long)d->hash, d->name);
}

uint32_t *words(Arena *arena, size_t count, bool at_end, Generator generate, uint64_t seed) {
  uint32_t *result = place(arena, 4 * count, at_end);
  for (size_t i = 0; i < count; i++) result[i] = generate(seed, i);
  return result;
}

float *floats(Arena *arena, size_t count, bool at_end, Generator generate, uint64_t seed) {
  return (float *)words(arena, count, at_end, generate, seed);
}

uint8_t *narrow_codes(Arena *arena, size_t count, bool at_end, uint32_t width, uint64_t seed) {
  uint8_t *result = place(arena, count, at_end);
  for (size_t i = 0; i < count; i++) result[i] = (uint8_t)(mixed(seed, i) >> (64 - width));
  return result;
}

uint32_t *wide_codes(Arena *arena, size_t count, bool at_end, uint32_t width, uint64_t seed) {
  uint32_t *result = place(arena, 4 * count, at_end);
  for (size_t i = 0; i < count; i++) result[i] = (uint32_t)(mixed(seed, i) >> (64 - width));
  return result;
}

void take(Driver *d, Arena *arena) {
  check_margin(arena, d->name);
  add_bytes(&d->hash, arena->start, arena->count);
  if (d->is_detailed) {
    Hash own = HASH_START;
    add_bytes(&own, arena->start, arena->count);
    printf("%016llx %s call %llu, %zu bytes\n", (unsigned long long)own, d->name,
           (unsigned long long)d->call, arena->count);
  }
}

void take_word(Driver *d, uint64_t word) {
  add_word(&d->hash, word);
  if (d->is_detailed)
    printf("%016llx %s call %llu, result\n", (unsigned long long)word, d->name,
           (unsigned long long)d->call);
}

static int usage(void) {
  fputs("usage: driver levels | best | run LEVEL [--only PREFIX] [--detail]\n", stderr);
  return 2;
}

int main(int count, char **arguments) {
  if (count < 2) return usage();
  if (strcmp(arguments[1], "best") == 0) {
    puts(bk_level_id(bk_best_level()));
    return 0;
  }
  if (strcmp(arguments[1], "levels") == 0) {
    for (int level = 0; level < BK_LEVEL_COUNT; level++)
      if (bk_is_supported((BKLevel)level)) puts(bk_level_id((BKLevel)level));
    return 0;
  }
  if (strcmp(arguments[1], "run") != 0 || count < 3) return usage();
  Driver d = {.only = ""};
  for (int level = 0; level < BK_LEVEL_COUNT; level++)
    if (strcmp(arguments[2], bk_level_id((BKLevel)level)) == 0 && bk_is_supported((BKLevel)level)) {
      d.kernels = bk_kernels((BKLevel)level);
      d.products = bk_product_kernels((BKLevel)level);
    }
  // The tables must be that level's own, not ones that stand for it.
  if (!d.kernels || strcmp(bk_level_id(d.kernels->level), arguments[2]) != 0 ||
      d.products->level != d.kernels->level) {
    fprintf(stderr, "this machine has no level %s\n", arguments[2]);
    return 3;
  }
  for (int i = 3; i < count; i++) {
    if (strcmp(arguments[i], "--detail") == 0) {
      d.is_detailed = true;
    } else if (strcmp(arguments[i], "--only") == 0 && i + 1 < count) {
      d.only = arguments[++i];
    } else {
      return usage();
    }
  }
  for (int i = 0; i < 4; i++) d.in[i] = make_arena();
  for (int i = 0; i < 4; i++) d.out[i] = make_arena();
  d.workspace = make_arena();
  place(&d.workspace, BK_WORKSPACE_BYTES, true);
  run_magnitudes(&d);
  run_scales(&d);
  run_memory(&d);
  run_decoders(&d);
  run_encoders(&d);
  run_references(&d);
  run_chains(&d);
  run_coders(&d);
  run_doublings(&d);
  run_whole_rows(&d);
  run_panels(&d);
  run_operands(&d);
  run_products(&d);
  run_narrow_columns(&d);
  run_training(&d);
  return 0;
}

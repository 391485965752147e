// The loop of a level for a group, from the tables of the levels that this architecture has.
#include "../Templates/Loops.h"

#define ENTRY(symbol, id, architecture, target) \
  BK_ON_##architecture([BK_##symbol] = &multiply_limit_##id,)
static const multiply_level *const levels[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

static const multiply_loop *loop_of(
    BKLevel level, enum multiply_limit_unit unit, const struct multiply_limit_group *group) {
  BKLevel usable = bk_usable_level(level);
  // The words of a group from which on tiles are quicker than vectors.
  BK_ON_X86_64(if (usable == BK_AVX512_AMX && group->words < 8) usable = BK_AVX512_DOT;)
  const multiply_level *table = levels[usable];
  while (table->loops[unit].run == NULL) table = table->base;
  return &table->loops[unit];
}

uint64_t multiply_limit_run(
    BKLevel level, const struct multiply_limit_group *group, size_t repetitions) {
  const multiply_loop *loop = loop_of(level, group->unit, group);
  size_t words = group->words * loop->steps;
  // Levels that add bytes in 32 bits know no runs.
  bool has_runs = loop->run != loop_of(level, MULTIPLY_LIMIT_INT8, group)->run;
  size_t run = group->unit == MULTIPLY_LIMIT_RUNS && has_runs ? group->run : words;
  return loop->run(words, run, group->adds_exponents, repetitions);
}

size_t multiply_limit_operations(BKLevel level, const struct multiply_limit_group *group) {
  const multiply_loop *loop = loop_of(level, group->unit, group);
  return loop->operations * (loop->steps == 0 ? 1 : group->words * loop->steps);
}

const char *multiply_limit_instructions(
    BKLevel level, const struct multiply_limit_group *group) {
  return loop_of(level, group->unit, group)->instructions;
}

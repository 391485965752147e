// A loop over groups, for which a file of Levels/ includes this one once for each kind of step. Expects:
//   LOOP_NAME          the function
//   LOOP_TARGET        the attribute that allows the instructions, or nothing
//   LOOP_SUMS          independent groups: with their sums and the operands, no more than there are
//                      registers
//   LOOP_SUM           the vector type of a sum of products
//   LOOP_OPERAND       the vector type of an operand
//   LOOP_ONES          an operand of ones
//   LOOP_INTEGERS, LOOP_FLOATS, LOOP_LANES
//                      the vector types of as many 32-bit lanes as a register has
//   LOOP_STEP(s,a,b)   the sum s after the products of a and b
//   LOOP_TOTAL(s)      the products of a run as sums of 32 bits
//   LOOP_NUMBERS(s)    sums of 32 bits as FP32 numbers

#define LOOP_JOIN(a, b) a##b
#define LOOP_JOINED(a, b) LOOP_JOIN(a, b)
#define LOOP_BODY LOOP_JOINED(LOOP_NAME, _of)

LOOP_TARGET
static inline __attribute__((always_inline)) uint64_t LOOP_BODY(
    const size_t words, const size_t run, const bool adds_exponents, size_t repetitions) {
  LOOP_FLOATS results[LOOP_SUMS];
  for (int i = 0; i < LOOP_SUMS; i++) results[i] = (LOOP_FLOATS){0};
  LOOP_OPERAND a = LOOP_ONES, b = LOOP_ONES;
  HIDE(a);
  // The scale 1 of a row, or the exponent by which it moves that of a column.
  LOOP_FLOATS column = (LOOP_FLOATS){0} + 1, row = column;
  LOOP_INTEGERS exponent = (LOOP_INTEGERS){0};
  HIDE(row);
  HIDE(exponent);
  for (size_t repetition = 0; repetition < repetitions; repetition++) {
    LOOP_INTEGERS totals[LOOP_SUMS];
#pragma clang loop unroll_count(2)
    for (size_t first = 0; first < words; first += run) {
      size_t count = words - first < run ? words - first : run;
      LOOP_SUM sums[LOOP_SUMS];
#pragma clang loop unroll(full)
      for (int i = 0; i < LOOP_SUMS; i++) sums[i] = (LOOP_SUM){0};
#pragma clang loop unroll_count(8)
      for (size_t word = 0; word < count; word++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < LOOP_SUMS; i++) {
          // No product is one that the compiler has seen before, and none waits for later ones.
          HIDE(b);
          sums[i] = LOOP_STEP(sums[i], a, b);
          HIDE(sums[i]);
        }
      }
#pragma clang loop unroll(full)
      for (int i = 0; i < LOOP_SUMS; i++) {
        LOOP_INTEGERS total = (LOOP_INTEGERS)LOOP_TOTAL(sums[i]);
        totals[i] = first == 0 ? total : totals[i] + total;
      }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < LOOP_SUMS; i++) {
      HIDE(column);
      LOOP_FLOATS factor =
          adds_exponents ? (LOOP_FLOATS)((LOOP_INTEGERS)column + exponent) : column * row;
      results[i] = __builtin_elementwise_fma(LOOP_NUMBERS(totals[i]), factor, results[i]);
    }
  }
  double total = 0;
  for (int i = 0; i < LOOP_SUMS; i++)
    for (int lane = 0; lane < LOOP_LANES; lane++) total += results[i][lane];
  return (uint64_t)total;
}

// Groups of usual lengths are known to the compiler, so that nothing but their arithmetic is left.
LOOP_TARGET
static uint64_t LOOP_NAME(size_t words, size_t run, bool adds_exponents, size_t repetitions) {
#define LOOP_WITH(words, run)                                                     \
  return adds_exponents ? LOOP_BODY(words, run, true, repetitions)                \
                        : LOOP_BODY(words, run, false, repetitions)
  if (words == 2 && run >= 2) LOOP_WITH(2, 2);
  if (words == 4 && run >= 4) LOOP_WITH(4, 4);
  if (words == 8 && run >= 8) LOOP_WITH(8, 8);
  if (words == 8 && run == 4) LOOP_WITH(8, 4);
  if (words == 16 && run >= 16) LOOP_WITH(16, 16);
  LOOP_WITH(words, run);
#undef LOOP_WITH
}

#undef LOOP_BODY
#undef LOOP_JOINED
#undef LOOP_JOIN
#undef LOOP_NAME
#undef LOOP_TARGET
#undef LOOP_SUMS
#undef LOOP_SUM
#undef LOOP_OPERAND
#undef LOOP_ONES
#undef LOOP_INTEGERS
#undef LOOP_FLOATS
#undef LOOP_LANES
#undef LOOP_STEP
#undef LOOP_TOTAL
#undef LOOP_NUMBERS

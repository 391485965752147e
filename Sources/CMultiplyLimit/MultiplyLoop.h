// One loop of CMultiplyLimit.c, which includes this file once for each kind of step. Expects:
//   LOOP_NAME          the function
//   LOOP_TARGET        the attribute that allows the instructions, or nothing
//   LOOP_SUMS          independent sums: with the operands, no more than there are registers
//   LOOP_SUM           the vector type of a sum
//   LOOP_OPERAND       the vector type of an operand
//   LOOP_ONES          an operand of ones
//   LOOP_LANES         the lanes of a sum
//   LOOP_STEP(s,a,b)   the sum s after the products of a and b

LOOP_TARGET
static uint64_t LOOP_NAME(size_t repetitions) {
  LOOP_SUM sums[LOOP_SUMS];
  for (int i = 0; i < LOOP_SUMS; i++) sums[i] = (LOOP_SUM){0};
  LOOP_OPERAND a = LOOP_ONES, b = LOOP_ONES;
  HIDE(a);
  for (size_t repetition = 0; repetition < repetitions; repetition++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < LOOP_SUMS; i++) {
      // No product is one that the compiler has seen before.
      HIDE(b);
      sums[i] = LOOP_STEP(sums[i], a, b);
    }
  }
  uint64_t total = 0;
  for (int i = 0; i < LOOP_SUMS; i++)
    for (int lane = 0; lane < LOOP_LANES; lane++) total += (uint64_t)sums[i][lane];
  return total;
}

#undef LOOP_NAME
#undef LOOP_TARGET
#undef LOOP_SUMS
#undef LOOP_SUM
#undef LOOP_OPERAND
#undef LOOP_ONES
#undef LOOP_LANES
#undef LOOP_STEP

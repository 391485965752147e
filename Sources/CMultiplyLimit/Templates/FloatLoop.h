// A loop over FP32 numbers, for which a file of Levels/ includes this one. Expects:
//   LOOP_NAME          the function
//   LOOP_TARGET        the attribute that allows the instructions, or nothing
//   LOOP_SUMS          independent sums: with the operands, no more than there are registers
//   LOOP_FLOATS        the vector type
//   LOOP_LANES         its lanes

LOOP_TARGET
static uint64_t LOOP_NAME(size_t words, size_t run, bool adds_exponents, size_t repetitions) {
  LOOP_FLOATS sums[LOOP_SUMS];
  for (int i = 0; i < LOOP_SUMS; i++) sums[i] = (LOOP_FLOATS){0};
  LOOP_FLOATS a = (LOOP_FLOATS){0} + 1, b = a;
  HIDE(a);
  for (size_t repetition = 0; repetition < repetitions; repetition++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < LOOP_SUMS; i++) {
      // No product is one that the compiler has seen before.
      HIDE(b);
      sums[i] = __builtin_elementwise_fma(a, b, sums[i]);
    }
  }
  double total = 0;
  for (int i = 0; i < LOOP_SUMS; i++)
    for (int lane = 0; lane < LOOP_LANES; lane++) total += sums[i][lane];
  return (uint64_t)total;
}

#undef LOOP_NAME
#undef LOOP_TARGET
#undef LOOP_SUMS
#undef LOOP_FLOATS
#undef LOOP_LANES

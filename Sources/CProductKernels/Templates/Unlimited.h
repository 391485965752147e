// Groups whose scales have a product beyond the exponents of FP32: half of the lanes at a time, in
// double.

// What half of the lanes hold.
typedef float hf __attribute__((ext_vector_type(LANES / 2)));
typedef double hd __attribute__((ext_vector_type(LANES / 2)));
typedef uint64_t hw __attribute__((ext_vector_type(LANES / 2)));

INLINE hw words_of(hd v) { hw r; memcpy(&r, &v, sizeof r); return r; }
INLINE hd doubles_of(hw v) { hd r; memcpy(&r, &v, sizeof r); return r; }
INLINE hd widened(hf v) { return __builtin_convertvector(v, hd); }
INLINE hf narrowed(hd v) { return __builtin_convertvector(v, hf); }
INLINE vf joined(hf low, hf high) {
  vf r;
  r.lo = low;
  r.hi = high;
  return r;
}

// The product of two scales rounded to 24 bits, to nearest, ties to even. It is exact before, and
// what is not finite has no bits to lose.
INLINE hd unlimited_product(hf a, hf b) {
  hw bits = words_of(widened(a) * widened(b));
  bits += 0x0FFFFFFF + ((bits >> 29) & 1);
  return doubles_of(bits & ~(hw)0x1FFFFFFF);
}

// dot * scale + sum, rounded to FP32 once. The product is exact; its sum is rounded to odd first:
// an inexact one with an even last bit becomes its neighbour on the side of the error, which 53
// bits before 24 make harmless (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums",
// 2008).
INLINE hf unlimited_fma(hf dot, hd scale, hf sum) {
  hd x = widened(dot) * scale, y = widened(sum), z = x + y;
  hd of_y = z - x;
  hd error = (x - (z - of_y)) + (y - of_y);
  hw bits = words_of(z);
  // NaN, the error of a sum that is not finite, is on no side.
  hw is_inexact = (hw)(error < 0) | (hw)(error > 0);
  hw step = 1 - 2 * ((words_of(error) ^ bits) >> 63);
  return narrowed(doubles_of(bits + (step & is_inexact & ((bits & 1) - 1))));
}

// A group's dot product times the scales of a row and some columns, added to a sum.
INLINE vf add_unlimited(const double unit, vf dot, vf columns, const float row, vf sum) {
  hd low = unlimited_product(columns.lo, (hf)row), high = unlimited_product(columns.hi, (hf)row);
  return joined(
      unlimited_fma(dot.lo, low * unit, sum.lo), unlimited_fma(dot.hi, high * unit, sum.hi));
}

// Times a number that 24 bits hold, with any exponent: in FP32 where that has it, and else exact in
// double, so that both round once.
INLINE vf times_unlimited(vf y, const double factor) {
  if ((float)factor == factor) return y * (vf)(float)factor;
  return joined(narrowed(widened(y.lo) * factor), narrowed(widened(y.hi) * factor));
}

// Groups whose scales have a product beyond the exponents of FP32: half of the lanes at a time, in
// double.

typedef float vh __attribute__((ext_vector_type(LANES / 2)));
typedef double vd __attribute__((ext_vector_type(LANES / 2)));
typedef uint64_t vw __attribute__((ext_vector_type(LANES / 2)));

INLINE vw words_of(vd v) { vw r; memcpy(&r, &v, sizeof r); return r; }
INLINE vd doubles_of(vw v) { vd r; memcpy(&r, &v, sizeof r); return r; }
INLINE vd widened(vh v) { return __builtin_convertvector(v, vd); }
INLINE vh narrowed(vd v) { return __builtin_convertvector(v, vh); }
INLINE vf joined(vh low, vh high) {
  vf r;
  r.lo = low;
  r.hi = high;
  return r;
}

// The product of two scales rounded to 24 bits, to nearest, ties to even. It is exact before, and
// what is not finite has no bits to lose.
INLINE vd unlimited_product(vh a, vh b) {
  vw bits = words_of(widened(a) * widened(b));
  bits += 0x0FFFFFFF + ((bits >> 29) & 1);
  return doubles_of(bits & ~(vw)0x1FFFFFFF);
}

// dot * scale + sum, rounded to FP32 once. The product is exact; its sum is rounded to odd first: an
// inexact one with an even last bit becomes its neighbour on the side of the error, which 53 bits
// before 24 make harmless (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
INLINE vh unlimited_fma(vh dot, vd scale, vh sum) {
  vd x = widened(dot) * scale, y = widened(sum), z = x + y;
  vd of_y = z - x;
  vd error = (x - (z - of_y)) + (y - of_y);
  vw bits = words_of(z);
  // NaN, the error of a sum that is not finite, is on no side.
  vw is_inexact = (vw)(error < 0) | (vw)(error > 0);
  vw step = 1 - 2 * ((words_of(error) ^ bits) >> 63);
  return narrowed(doubles_of(bits + (step & is_inexact & ((bits & 1) - 1))));
}

// A group's dot product times the scales of a row and some columns, added to a sum.
INLINE vf add_unlimited(const double unit, vf dot, vf columns, const float row, vf sum) {
  vd low = unlimited_product(columns.lo, (vh)row), high = unlimited_product(columns.hi, (vh)row);
  return joined(
      unlimited_fma(dot.lo, low * unit, sum.lo), unlimited_fma(dot.hi, high * unit, sum.hi));
}

// Times a number that 24 bits hold, with any exponent: in FP32 where that has it, and else exact in
// double, so that both round once.
INLINE vf times_unlimited(vf y, const double factor) {
  if ((float)factor == factor) return y * (vf)(float)factor;
  return joined(narrowed(widened(y.lo) * factor), narrowed(widened(y.hi) * factor));
}

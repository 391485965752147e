// Elementary functions of sixteen numbers.
//
// Polynomials are minimax in the relative error of what they end up in, fitted in double precision
// by Lawson's iteration, and coefficients then rounded to FP32. Errors are those that the
// exhaustive tests find.

#define LN_2 0x1.62e43p-1f
#define LOG2_E 0x1.715476p0f
#define INVERSE_ROOT_TWO_PI 0x1.988454p-2f

// exp(x) = 2^n exp(r), |r| <= ln(2) / 2: r is exact but for its last step, n LN_2 having few bits.
// exp(r) = 1 + r + r^2 P(r).
INLINE vf exp_f(vf x) {
  const float magic = 0x1.8p23f;
  x = at_least(at_most(x, 89.0f), -105.0f);
  vf sum = fma_f(x, all_f(LOG2_E), all_f(magic));
  vf n = sum - magic;
  vi integers = (vi)(bits_of(sum) - bits_of(all_f(magic)));
  vf r = fma_f(n, all_f(-LN_2), x);
  r = fma_f(n, all_f(0x1.05c61p-29f), r);
  vf p = all_f(0x1.6a2256p-10f);
  p = fma_f(p, r, all_f(0x1.123b02p-7f));
  p = fma_f(p, r, all_f(0x1.5558f8p-5f));
  p = fma_f(p, r, all_f(0x1.55549p-3f));
  p = fma_f(p, r, all_f(0x1.fffffcp-2f));
  return times_power(fma_f(p, r * r, r) + 1.0f, n, integers);
}

// log(1 + f) = f - f^2 / 2 + f^3 P(f) for |f| <= 1 / 3.
INLINE vf log_near_one(vf f) {
  vf p = all_f(-0x1.080574p-3f);
  p = fma_f(p, f, all_f(0x1.1e66c4p-3f));
  p = fma_f(p, f, all_f(-0x1.f31148p-4f));
  p = fma_f(p, f, all_f(0x1.1ed714p-3f));
  p = fma_f(p, f, all_f(-0x1.559dcap-3f));
  p = fma_f(p, f, all_f(0x1.99d028p-3f));
  p = fma_f(p, f, all_f(-0x1.fffefp-3f));
  p = fma_f(p, f, all_f(0x1.555506p-2f));
  p = fma_f(p, f, all_f(-0.5f));
  return fma_f(p, f * f, f);
}

// log(x) = n log(2) + log(1 + f), x = 2^n (1 + f) with 1 + f from 2 / 3 to 4 / 3.
INLINE vf log_f(vf x) {
  vf scaled = x < 0x1p-126f ? x * 0x1p23f : x;
  vf n = x < 0x1p-126f ? all_f(-23.0f) : all_f(0.0f);
  vu exponent = (bits_of(scaled) - 0x3F2AAAABu) & 0xFF800000u;
  vf f = floats_of(bits_of(scaled) - exponent) - 1.0f;
  n += __builtin_convertvector((vi)exponent >> 23, vf);
  vf y = fma_f(n, all_f(LN_2), log_near_one(f));
  y = ((x > 0) & (x < __builtin_inff())) ? y : x + __builtin_inff();
  y = x == 0 ? all_f(-__builtin_inff()) : y;
  return x < 0 ? all_f(__builtin_nanf("")) : y;
}

// log(1 + e) for e from 0 to 1: of (1 + e) / 2 above 4 / 3.
INLINE vf log_one_plus(vf e) {
  vi is_upper = e > 0x1.555556p-2f;
  vf y = log_near_one(is_upper ? fma_f(e, all_f(0.5f), all_f(-0.5f)) : e);
  return is_upper ? y + LN_2 : y;
}

// Of a = |x|, with x's sign: a + a^3 P(a^2) below 0.625, 1 - 2 / (exp(2 a) + 1) above.
INLINE vf tanh_f(vf x) {
  vf a = abs_f(x), z = a * a;
  vf p = all_f(-0x1.75e1cap-8f);
  p = fma_f(p, z, all_f(0x1.52269ap-6f));
  p = fma_f(p, z, all_f(-0x1.b83c5ap-5f));
  p = fma_f(p, z, all_f(0x1.110726p-3f));
  p = fma_f(p, z, all_f(-0x1.555532p-2f));
  vf large = 1.0f - 2.0f / (exp_f(a + a) + 1.0f);
  vf y = a < 0.625f ? fma_f(p, z * a, a) : large;
  return floats_of(bits_of(y) | (bits_of(x) & SIGN));
}

// The sigmoid s and s (1 - s), neither of which cancels.
typedef struct {
  vf value, slope;
} Sigmoid;

INLINE Sigmoid sigmoid_of(vf x) {
  vf e = exp_f(-abs_f(x)), r = 1.0f / (1.0f + e);
  return (Sigmoid){x < 0 ? e * r : r, e * r * r};
}

// The distribution function of the normal distribution, and its density. Below zero the first is
// exp(-t^2 / 2) u P(u), u = 1 / (1 + 5 t / 16), t = -x; the square's rounding is made good.
typedef struct {
  vf value, density;
} Normal;

#define NORMAL_LIMIT 14.6f

INLINE Normal normal_of(vf x) {
  vf t = at_most(abs_f(x), NORMAL_LIMIT);
  vf square = t * t, rest = fma_f(t, t, -square);
  vf e = exp_f(-0.5f * square);
  e = fma_f(-0.5f * e, rest, e);
  vf u = 1.0f / fma_f(t, all_f(0.3125f), all_f(1.0f));
  vf p = all_f(-0x1.386788p-6f);
  p = fma_f(p, u, all_f(0x1.777094p-4f));
  p = fma_f(p, u, all_f(-0x1.367f2ap-3f));
  p = fma_f(p, u, all_f(0x1.3310bcp-4f));
  p = fma_f(p, u, all_f(-0x1.947938p-9f));
  p = fma_f(p, u, all_f(0x1.c9513cp-5f));
  p = fma_f(p, u, all_f(0x1.709dbap-4f));
  p = fma_f(p, u, all_f(0x1.ca5b66p-4f));
  p = fma_f(p, u, all_f(0x1.fef7b8p-4f));
  p = fma_f(p, u, all_f(0x1.fea13cp-4f));
  vf tail = e * (u * p);
  return (Normal){x < 0 ? tail : 1.0f - tail, e * INVERSE_ROOT_TWO_PI};
}

// Vectors of sixteen 32-bit lanes on every level, beside what `Lanes/Vectors.h` has. Levels with
// narrower registers keep each in several, so that all compute the same bits.
//
// Operations in `#ifndef` are those that some levels are better at.
_Static_assert(LANES == 16, "sums have one order on every level");

typedef double vd __attribute__((ext_vector_type(LANES)));
typedef float vf8 __attribute__((ext_vector_type(8)));
typedef float vf4 __attribute__((ext_vector_type(4)));
typedef float vf2 __attribute__((ext_vector_type(2)));
typedef double vd8 __attribute__((ext_vector_type(8)));
typedef double vd4 __attribute__((ext_vector_type(4)));
typedef double vd2 __attribute__((ext_vector_type(2)));

INLINE void put_float(void *p, float x) { memcpy(p, &x, sizeof x); }

// Up to sixteen values; the other lanes are zero.
#ifdef HAS_MASKED_MOVES
INLINE vf load_part(const void *p, size_t n) { return load_some_f(p, n); }
INLINE void store_part(void *p, vf v, size_t n) { store_some_f(p, v, n); }
#else
INLINE vf load_part(const void *p, size_t n) {
  if (n >= LANES) return load_f(p);
  vf v = (vf)0.0f;
  memcpy(&v, p, n * sizeof(float));
  return v;
}
INLINE void store_part(void *p, vf v, size_t n) {
  if (n >= LANES) {
    store_f(p, v);
  } else {
    memcpy(p, &v, n * sizeof(float));
  }
}
#endif

INLINE vf abs_f(vf v) { return floats_of(bits_of(v) & ~SIGN); }
INLINE vf sqrt_f(vf v) { return __builtin_elementwise_sqrt(v); }
// The second where the first is NaN.
INLINE vf max_f(vf a, vf b) { return a > b ? a : b; }
// NaN stays.
INLINE vf at_most(vf v, float limit) { return v > limit ? all_f(limit) : v; }
INLINE vf at_least(vf v, float limit) { return v < limit ? all_f(limit) : v; }

// v * 2^n for integers n from -252 to 254, with one rounding.
#ifndef HAS_POWER_SCALING
INLINE vf times_power(vf v, vf n, vi integers) {
  vi half = integers >> 1;
  v *= floats_of((vu)(half + 127) << 23);
  return v * floats_of((vu)(integers - half + 127) << 23);
}
#endif

INLINE vf canonical(vf v) { return v != v ? floats_of((vu)CANONICAL_NAN) : v; }
INLINE void put_part(void *p, vf v, size_t n) { store_part(p, canonical(v), n); }
INLINE float canonical_scalar(float x) { return x != x ? __builtin_nanf("") : x; }

// MARK: - Over lanes

INLINE float sum_lanes(vf v) {
  vf8 a = v.lo + v.hi;
  vf4 b = a.lo + a.hi;
  vf2 c = b.lo + b.hi;
  return c.x + c.y;
}
INLINE double sum_double_lanes(vd v) {
  vd8 a = v.lo + v.hi;
  vd4 b = a.lo + a.hi;
  vd2 c = b.lo + b.hi;
  return c.x + c.y;
}
INLINE float max_lanes(vf v) {
  vf8 a = v.lo > v.hi ? v.lo : v.hi;
  vf4 b = a.lo > a.hi ? a.lo : a.hi;
  vf2 c = b.lo > b.hi ? b.lo : b.hi;
  return c.x > c.y ? c.x : c.y;
}
// The first n lanes, and the given number in the others.
INLINE vf first_lanes(vf v, size_t n, float other) {
  if (n >= LANES) return v;
  const vi numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return numbers < (vi)(int32_t)n ? v : all_f(other);
}

#define EACH_VECTOR(i, n) for (size_t i = 0; i < (n); i += LANES)

// What the block kernels do with lanes beside what `Lanes/Vectors.h` has.
//
// Operations in `#ifndef` are those that some levels are better at.

#define PAIRS 0x00FF00FF00FF00FFull

// Up to LANES values; the other lanes are zero.
#ifndef HAS_MASKED_MOVES
INLINE vf load_some_f(const float *p, size_t n) {
  vf v = 0;
  if (n >= LANES) return load_f(p);
  for (size_t i = 0; i < n; i++) { float x; memcpy(&x, (const char *)(p + i), 4); v[i] = x; }
  return v;
}
INLINE vu load_some_u(const uint32_t *p, size_t n) {
  vu v = 0;
  if (n >= LANES) return load_u(p);
  for (size_t i = 0; i < n; i++) v[i] = p[i];
  return v;
}
INLINE void store_some_f(float *p, vf v, size_t n) {
  if (n >= LANES) { store_f(p, v); return; }
  for (size_t i = 0; i < n; i++) { float x = v[i]; memcpy((char *)(p + i), &x, 4); }
}
INLINE void store_some_u(uint32_t *p, vu v, size_t n) {
  if (n >= LANES) { store_u(p, v); return; }
  for (size_t i = 0; i < n; i++) p[i] = v[i];
}
INLINE vb load_some_b(const uint8_t *p, size_t n) {
  vb v = 0;
  if (n >= LANES) return load_b(p);
  for (size_t i = 0; i < n; i++) v[i] = p[i];
  return v;
}
INLINE void store_some_b(uint8_t *p, vb v, size_t n) {
  if (n >= LANES) { store_b(p, v); return; }
  for (size_t i = 0; i < n; i++) p[i] = v[i];
}
#endif

// The powers of two below magnitudes, or the given one if it is larger, with the values' signs.
#ifndef HAS_SIGNED_BINADES
INLINE vu signed_binades(vf v, uint32_t lowest) {
  vu bits = bits_of(v);
  return max_u(bits & INFINITE, all_u(lowest)) | (bits & SIGN);
}
#endif
INLINE vf table_of(const float *values) { return load_f(values); }

// Lanes of a where the mask is all ones, of b where it is zero.
INLINE vu pick(vi mask, vu a, vu b) { return ((vu)mask & a) | (~(vu)mask & b); }
INLINE vf pick_f(vi mask, vf a, vf b) { return floats_of(pick(mask, bits_of(a), bits_of(b))); }
// Lanes of v, and one more where a is above b.
#ifndef HAS_COUNTED_COMPARISON
INLINE vu one_more_above(vu v, vi a, vi b) { return v - (vu)(a > b); }
#endif
INLINE vb narrow_b(vu v) { return __builtin_convertvector(v, vb); }
INLINE vu widen_b(vb v) { return __builtin_convertvector(v, vu); }
INLINE vh narrow_h(vu v) { return __builtin_convertvector(v, vh); }
INLINE vu widen_h(vh v) { return __builtin_convertvector(v, vu); }

#if LANES == 16
#define EIGHTFOLD \
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, \
    3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, \
    7, 7, 7, 7, 7, 7
#define EVEN_WORDS \
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, \
    46, 48, 50, 52, 54, 56, 58, 60, 62
#define ODD_WORDS \
    1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, \
    47, 49, 51, 53, 55, 57, 59, 61, 63
#define EVEN_BYTES \
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, \
    46, 48, 50, 52, 54, 56, 58, 60, 62, 64, 66, 68, 70, 72, 74, 76, 78, 80, 82, 84, 86, 88, \
    90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116, 118, 120, 122, 124, 126
#define ODD_BYTES \
    1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, \
    47, 49, 51, 53, 55, 57, 59, 61, 63, 65, 67, 69, 71, 73, 75, 77, 79, 81, 83, 85, 87, 89, \
    91, 93, 95, 97, 99, 101, 103, 105, 107, 109, 111, 113, 115, 117, 119, 121, 123, 125, 127
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define LOW_ZIP 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_ZIP 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define EVEN_PAIRS 0, 2, 16, 18, 4, 6, 20, 22, 8, 10, 24, 26, 12, 14, 28, 30
#define ODD_PAIRS 1, 3, 17, 19, 5, 7, 21, 23, 9, 11, 25, 27, 13, 15, 29, 31
#define EVEN_QUARTERS 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27
#define ODD_QUARTERS 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31
#define ORDERED_PAIRS 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
#elif LANES == 8
#define EIGHTFOLD \
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, \
    3, 3, 3
#define EVEN_WORDS \
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_WORDS \
    1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define EVEN_BYTES \
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, \
    46, 48, 50, 52, 54, 56, 58, 60, 62
#define ODD_BYTES \
    1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, \
    47, 49, 51, 53, 55, 57, 59, 61, 63
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15
#define LOW_ZIP 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH_ZIP 4, 12, 5, 13, 6, 14, 7, 15
#define EVEN_PAIRS 0, 2, 8, 10, 4, 6, 12, 14
#define ODD_PAIRS 1, 3, 9, 11, 5, 7, 13, 15
#define EVEN_QUARTERS 0, 1, 2, 3, 8, 9, 10, 11
#define ODD_QUARTERS 4, 5, 6, 7, 12, 13, 14, 15
#define ORDERED_PAIRS 0, 1, 4, 5, 2, 3, 6, 7
#define LANE_NUMBERS {0, 1, 2, 3, 4, 5, 6, 7}
#elif LANES == 4
#define EIGHTFOLD \
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1
#define EVEN_WORDS \
    0, 2, 4, 6, 8, 10, 12, 14
#define ODD_WORDS \
    1, 3, 5, 7, 9, 11, 13, 15
#define EVEN_BYTES \
    0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_BYTES \
    1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#define LOW_ZIP 0, 4, 1, 5
#define HIGH_ZIP 2, 6, 3, 7
#define EVEN_PAIRS 0, 2, 4, 6
#define ODD_PAIRS 1, 3, 5, 7
#define ORDERED_PAIRS 0, 1, 2, 3
#define LANE_NUMBERS {0, 1, 2, 3}
#endif

INLINE vu even_lanes(vu a, vu b) { return __builtin_shufflevector(a, b, EVEN_LANES); }
INLINE vu odd_lanes(vu a, vu b) { return __builtin_shufflevector(a, b, ODD_LANES); }
INLINE vu low_zip(vu a, vu b) { return __builtin_shufflevector(a, b, LOW_ZIP); }
INLINE vu high_zip(vu a, vu b) { return __builtin_shufflevector(a, b, HIGH_ZIP); }
// The even or odd lanes of every quarter of 128 bits of two vectors: a's, then b's.
INLINE vu even_pairs(vu a, vu b) { return __builtin_shufflevector(a, b, EVEN_PAIRS); }
INLINE vu odd_pairs(vu a, vu b) { return __builtin_shufflevector(a, b, ODD_PAIRS); }
// The even or odd quarters of two vectors that have several.
#if LANES > 4
INLINE vu even_quarters(vu a, vu b) { return __builtin_shufflevector(a, b, EVEN_QUARTERS); }
INLINE vu odd_quarters(vu a, vu b) { return __builtin_shufflevector(a, b, ODD_QUARTERS); }
#endif
// All lanes in order where each quarter has lanes of a, then lanes of b.
INLINE vu ordered_pairs(vu v) { return __builtin_shufflevector(v, v, ORDERED_PAIRS); }
// The low or the high halves of the lanes of two vectors, and the low bytes of two such.
INLINE vw low_words(vu a, vu b) {
  vw x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return __builtin_shufflevector(x, y, EVEN_WORDS);
}
INLINE vw high_words(vu a, vu b) {
  vw x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return __builtin_shufflevector(x, y, ODD_WORDS);
}
INLINE vq low_bytes(vw a, vw b) {
  vq x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return __builtin_shufflevector(x, y, EVEN_BYTES);
}
INLINE vq high_bytes(vw a, vw b) {
  vq x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return __builtin_shufflevector(x, y, ODD_BYTES);
}
#ifndef HAS_PAIR_ORDER
INLINE vw paired_low_words(vu a, vu b) { return low_words(a, b); }
INLINE vw paired_high_words(vu a, vu b) { return high_words(a, b); }
INLINE vw ordered_words(vw v) { return v; }
INLINE vq ordered_bytes(vw a, vw b) { return low_bytes(a, b); }
#endif

// What four vectors hold as bytes, in an order of the level's own, which ordered_quad undoes:
// magnitudes of 16-bit integers, at most 255; integers of eight bits, also from those of sixteen;
// and bytes whose top bit is the sign.
#ifndef HAS_QUAD_ORDER
INLINE vq magnitude_bytes(const vu *v) {
  vw words[2];
  for (int pair = 0; pair < 2; pair++) {
    words[pair] = low_words(v[2 * pair], v[2 * pair + 1]);
    words[pair] = (vw)__builtin_elementwise_abs((vws)words[pair]);
    words[pair] = __builtin_elementwise_min(words[pair], (vw)255);
  }
  return low_bytes(words[0], words[1]);
}
INLINE vws integer_words(vu a, vu b) { return (vws)low_words(a, b); }
INLINE vq bytes_of_words(vws a, vws b) { return low_bytes((vw)a, (vw)b); }
INLINE vq integer_bytes(const vu *v) {
  return bytes_of_words(integer_words(v[0], v[1]), integer_words(v[2], v[3]));
}
INLINE vq sign_bytes(const vf *v) {
  return high_bytes(
      high_words(bits_of(v[0]), bits_of(v[1])), high_words(bits_of(v[2]), bits_of(v[3])));
}
INLINE vq ordered_quad(vq v) { return v; }
#endif
// The lowest bytes of codes whose top bits, or those of the products, are signs; and these. Their
// order is undone by ordered_split.
#ifndef HAS_SPLIT_ORDER
INLINE void split_quad(const vu *codes, const vf *products, vq *low, vq *signs) {
  vw low_halves[2], high_halves[2];
  for (int pair = 0; pair < 2; pair++) {
    low_halves[pair] = low_words(codes[2 * pair], codes[2 * pair + 1]);
    high_halves[pair] = high_words(codes[2 * pair], codes[2 * pair + 1]);
  }
  *low = low_bytes(low_halves[0], low_halves[1]);
  *signs = high_bytes(high_halves[0], high_halves[1]);
}
INLINE vq ordered_split(vq v) { return v; }
#endif
INLINE size_t sum_bytes(vq v) {
  size_t sum = 0;
  uint64_t words[LANES / 2];
  memcpy(words, &v, sizeof words);
  // Sums of pairs of bytes, in four fields that the product adds in its uppermost.
  for (int i = 0; i < LANES / 2; i++) {
    uint64_t pairs = (words[i] & PAIRS) + (words[i] >> 8 & PAIRS);
    sum += (pairs * 0x0001000100010001ull) >> 48;
  }
  return sum;
}
INLINE size_t sum_words(vw v) {
  vu pairs;
  memcpy(&pairs, &v, sizeof pairs);
  return __builtin_reduce_add((pairs & 0xFFFF) + (pairs >> 16));
}
INLINE vu lane_numbers(void) { return (vu)LANE_NUMBERS; }
INLINE bool any_lane(vi mask) { return __builtin_reduce_or((vu)mask) != 0; }
INLINE uint32_t sum_lanes(vu v) {
  uint32_t sum = 0;
  for (int lane = 0; lane < LANES; lane++) sum += v[lane];
  return sum;
}

// The number of bits below a power of two.
INLINE uint32_t log_two(size_t n) { return (uint32_t)__builtin_ctzll(n); }
INLINE bool is_power_of_two(size_t n) { return n != 0 && (n & (n - 1)) == 0; }

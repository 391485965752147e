// Portable C: four lanes, which compilers map to any processor's vectors or to none.
#include "CKernelLevels.h"

#ifndef LANES
#define LANES 4
#endif
#include "Vectors.h"

#if LANES == 4

// MARK: - Lanes

// Shifts by the counts of the lanes; counts of 32 and more give zero.
INLINE vu shift_left(vu v, vu n) { return (v << (n & 31)) & (vu)(n < 32); }
INLINE vu shift_right(vu v, vu n) { return (v >> (n & 31)) & (vu)(n < 32); }

// Whole numbers nearest to values below 2^22, ties to even.
INLINE vu round_to_integers(vf v) { return bits_of(v + 0x1.8p23f) - bits_of(all_f(0x1.8p23f)); }
INLINE vf permute(vf v, vu lanes) {
  vf r;
  for (int i = 0; i < LANES; i++) r[i] = v[lanes[i] & 3];
  return r;
}
INLINE vf look_up(vf table, const float *values, vu codes) {
  vf r;
  for (int i = 0; i < LANES; i++) r[i] = values[codes[i] & 15];
  return r;
}

// MARK: - Packed codes

INLINE size_t pack_words(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  return 0;
}
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  return 0;
}

// MARK: - Bytes

typedef const int8_t *ByteTable;
INLINE ByteTable byte_table_of(const int8_t *values) { return values; }
INLINE vu nibble_values(ByteTable values, vu word) {
  vq codes = (vq)word & 15, r;
  for (int i = 0; i < 4 * LANES; i++) r[i] = (uint8_t)values[codes[i]];
  return (vu)r;
}

#endif

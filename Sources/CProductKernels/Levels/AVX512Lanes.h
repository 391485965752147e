// What both levels of AVX-512 share: sixteen lanes and permutations of bytes.
#define LANES 16
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#define HAS_OPAQUE_ZEROS
#include "../Templates/Lanes.h"

INLINE vu zeros(void) {
  vu v;
  __asm__("vpxord %0, %0, %0" : "=v"(v));
  return v;
}

typedef __m512i Table;
INLINE Table table_of(const int8_t *values) {
  return values ? _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)values))
                : _mm512_setzero_si512();
}
INLINE vu nibble_values(Table values, vu word) {
  return (vu)_mm512_shuffle_epi8(
      values, _mm512_and_si512((__m512i)word, _mm512_set1_epi8(15)));
}

// Tables of up to 256 bytes in four registers; bits 6 and 7 of a code choose among them.
#define HAS_BYTE_MAP
INLINE size_t map_int8_vectors(
    const uint8_t *codes, size_t count, uint32_t width, const int8_t *values, int8_t *elements) {
  __m512i table[4];
  for (uint32_t i = 0; i < 4; i++) {
    size_t first = 64 * i, length = (size_t)1 << width;
    size_t rest = first < length ? length - first : 0;
    __mmask64 mask = rest < 64 ? _bzhi_u64(~0ull, (uint32_t)rest) : ~0ull;
    table[i] = _mm512_maskz_loadu_epi8(mask, values + (mask ? first : 0));
  }
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i code = _mm512_loadu_si512(codes + i);
    __m512i value = _mm512_permutexvar_epi8(code, table[0]);
    if (width > 6) {
      value = _mm512_permutex2var_epi8(table[0], code, table[1]);
      if (width > 7)
        value = _mm512_mask_mov_epi8(
            value, _mm512_movepi8_mask(code),
            _mm512_permutex2var_epi8(table[2], code, table[3]));
    }
    _mm512_storeu_si512(elements + i, value);
  }
  return i;
}
// Tables of up to 64 words in two registers, of 256 in eight.
INLINE size_t map_int16_vectors(
    const uint8_t *codes, size_t count, uint32_t width, const int16_t *values,
    int16_t *elements) {
  __m512i table[8];
  for (uint32_t i = 0; i < 8; i++) {
    size_t first = 32 * i, length = (size_t)1 << width;
    size_t rest = first < length ? length - first : 0;
    __mmask32 mask = rest < 32 ? _bzhi_u32(~0u, (uint32_t)rest) : ~0u;
    table[i] = _mm512_maskz_loadu_epi16(mask, values + (mask ? first : 0));
  }
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m512i code =
        _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(codes + i)));
    __m512i value = _mm512_permutex2var_epi16(table[0], code, table[1]);
    if (width > 6) {
      __mmask32 bit6 = _mm512_test_epi16_mask(code, _mm512_set1_epi16(64));
      value = _mm512_mask_mov_epi16(
          value, bit6, _mm512_permutex2var_epi16(table[2], code, table[3]));
      if (width > 7) {
        __m512i upper = _mm512_mask_mov_epi16(
            _mm512_permutex2var_epi16(table[4], code, table[5]), bit6,
            _mm512_permutex2var_epi16(table[6], code, table[7]));
        value = _mm512_mask_mov_epi16(
            value, _mm512_test_epi16_mask(code, _mm512_set1_epi16(128)), upper);
      }
    }
    _mm512_storeu_si512(elements + i, value);
  }
  return i;
}

// Fourteen sums in integers and as many in FP32 leave room for two columns' words and a row's.
#define TILE_ROWS 7
#define TILE_VECTORS 2
#define FLOAT_ROWS 14
#define FLOAT_VECTORS 2

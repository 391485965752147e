// x86-64 with AVX2, FMA, F16C and BMI2: registers of eight lanes.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <immintrin.h>

#include "CKernelLevels.h"

// A level that extends this one opens its own region before.
#ifndef HAS_DOT_INSTRUCTIONS
#pragma clang attribute push(__attribute__((target(BK_AVX2_TARGET))), apply_to = function)
#endif

#ifndef LANES
#define LANES 8
#endif
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_NTA)
#define STORE_FENCE() _mm_sfence()
#include "Vectors.h"

#if LANES == 8

// MARK: - Lanes

// Shifts by the counts of the lanes; counts of 32 and more give zero.
INLINE vu shift_left(vu v, vu n) { return (vu)_mm256_sllv_epi32((__m256i)v, (__m256i)n); }
INLINE vu shift_right(vu v, vu n) { return (vu)_mm256_srlv_epi32((__m256i)v, (__m256i)n); }

// Products and sums are one operation.
#define HAS_FUSED_SUMS
// Whole numbers nearest to values below 2^31, ties to even.
INLINE vu round_to_integers(vf v) { return (vu)_mm256_cvtps_epi32((__m256)v); }
INLINE vf permute(vf v, vu lanes) {
  return (vf)_mm256_permutevar8x32_ps((__m256)v, (__m256i)lanes);
}
// A table in two registers. Codes from 8 on lie in the upper one; their bit 3 becomes the sign that
// blends.
#define HAS_TABLE_PARTS
INLINE vf look_up_part(const vf *parts, vu codes) {
  vf low = permute(parts[0], codes), high = permute(parts[1], codes);
  return (vf)_mm256_blendv_ps((__m256)low, (__m256)high, (__m256)(codes << 28));
}
INLINE vf look_up(vf table, const float *values, vu codes) {
  const vf parts[2] = {table, load_f(values + 8)};
  return look_up_part(parts, codes);
}
// Signs are quicker found apart from magnitudes.
#define HAS_SEPARATE_SIGNS

// Binary16 numbers nearest to values, ties to even, and the way back.
#define HAS_HALF_CONVERSION
INLINE vw half_words(vf a, vf b) {
  __m128i low = _mm256_cvtps_ph((__m256)a, _MM_FROUND_TO_NEAREST_INT);
  __m128i high = _mm256_cvtps_ph((__m256)b, _MM_FROUND_TO_NEAREST_INT);
  return (vw)_mm256_set_m128i(high, low);
}
INLINE vf half_values(vh v) { return (vf)_mm256_cvtph_ps((__m128i)v); }

// MARK: - Orders of words and bytes

#define HAS_PAIR_ORDER
// Packing works in halves of 128 bits: words of a pair are a's and b's lower lanes, then the upper.
INLINE vw paired_low_words(vu a, vu b) {
  __m256i low = _mm256_set1_epi32(0xFFFF);
  return (vw)_mm256_packus_epi32(
      _mm256_and_si256((__m256i)a, low), _mm256_and_si256((__m256i)b, low));
}
INLINE vw paired_high_words(vu a, vu b) {
  return (vw)_mm256_packus_epi32(
      _mm256_srli_epi32((__m256i)a, 16), _mm256_srli_epi32((__m256i)b, 16));
}
INLINE vw ordered_words(vw v) { return (vw)_mm256_permute4x64_epi64((__m256i)v, 0xD8); }
INLINE vq ordered_bytes(vw a, vw b) {
  __m256i low = _mm256_set1_epi16(0xFF);
  __m256i bytes = _mm256_packus_epi16(
      _mm256_and_si256((__m256i)a, low), _mm256_and_si256((__m256i)b, low));
  return (vq)_mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

#define HAS_QUAD_ORDER
#define HAS_SPLIT_ORDER
// Packing to bytes halves twice: pairs of a's, b's, c's and d's lower lanes, then the upper.
INLINE vq ordered_quad(vq v) {
  return (vq)_mm256_permutevar8x32_epi32(
      (__m256i)v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
INLINE vq ordered_split(vq v) { return ordered_quad(v); }
INLINE vq magnitude_bytes(const vu *v) {
  __m256i first = _mm256_packs_epi32((__m256i)v[0], (__m256i)v[1]);
  __m256i second = _mm256_packs_epi32((__m256i)v[2], (__m256i)v[3]);
  return (vq)_mm256_packus_epi16(_mm256_abs_epi16(first), _mm256_abs_epi16(second));
}
INLINE vws integer_words(vu a, vu b) {
  return (vws)_mm256_packs_epi32((__m256i)a, (__m256i)b);
}
INLINE vq bytes_of_words(vws a, vws b) { return (vq)_mm256_packs_epi16((__m256i)a, (__m256i)b); }
INLINE vq integer_bytes(const vu *v) {
  return bytes_of_words(integer_words(v[0], v[1]), integer_words(v[2], v[3]));
}
INLINE vq sign_bytes(const vf *v) {
  const vu bits[4] = {bits_of(v[0]), bits_of(v[1]), bits_of(v[2]), bits_of(v[3])};
  return integer_bytes(bits);
}
INLINE void split_quad(const vu *codes, const vf *products, vq *low, vq *signs) {
  __m256i byte = _mm256_set1_epi32(0xFF), v[4];
  for (int j = 0; j < 4; j++) v[j] = _mm256_and_si256((__m256i)codes[j], byte);
  *low = (vq)_mm256_packus_epi16(
      _mm256_packus_epi32(v[0], v[1]), _mm256_packus_epi32(v[2], v[3]));
  *signs = sign_bytes(products);
}

// MARK: - Packed codes

#define HAS_BIT_GATHER

// Thirty-two codes at a time, of any width but 4 and 8, as long as whole vectors fit the row.
INLINE size_t pack_sets(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  size_t i = 0, total = (count * width + 7) / 8;
  // Products with powers of two move the upper one of two codes, then of two pairs; shifts bring
  // four codes beside the four above them.
  __m256i by_one = _mm256_set1_epi16((short)(1 | 0x100 << width));
  __m256i by_two = _mm256_set1_epi32((int)(1u | 0x10000u << 2 * width));
  __m256i by_four = _mm256_set1_epi64x(32 - 4 * (int)width);
  uint8_t index[16];
  memset(index, 0xFF, sizeof index);
  for (uint32_t byte = 0; byte < 2 * width; byte++)
    index[byte] = (uint8_t)(byte / width * 8 + byte % width);
  __m256i squeezed = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)index));
  for (; i + 32 <= count; i += 32) {
    uint8_t *at = bytes + i / 8 * width;
    if (i / 8 * width + 2 * width + 16 > total) break;
    __m256i x = _mm256_maddubs_epi16(by_one, _mm256_loadu_si256((const __m256i *)(codes + i)));
    x = _mm256_sllv_epi32(_mm256_madd_epi16(x, by_two), by_four);
    x = _mm256_shuffle_epi8(_mm256_srlv_epi64(x, by_four), squeezed);
    // What the lower half writes too much the upper one overwrites.
    _mm_storeu_si128((__m128i *)at, _mm256_castsi256_si128(x));
    _mm_storeu_si128((__m128i *)(at + 2 * width), _mm256_extracti128_si256(x, 1));
  }
  return i;
}
INLINE size_t pack_words(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  if (width != 4) return pack_sets(codes, count, width, bytes);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i x = _mm256_loadu_si256((const __m256i *)(codes + i));
    __m256i pairs = _mm256_maddubs_epi16(x, _mm256_set1_epi16(0x1001));
    __m256i packed = _mm256_packus_epi16(pairs, pairs);
    packed = _mm256_permute4x64_epi64(packed, 0x08);
    _mm_storeu_si128((__m128i *)(bytes + i / 2), _mm256_castsi256_si128(packed));
  }
  return i;
}
// The same way back: each code is a field of two bytes, which a product moves to the top of a word.
INLINE size_t unpack_sets(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  size_t i = 0, total = (count * width + 7) / 8;
  uint8_t index[32];
  uint16_t factors[16];
  for (uint32_t j = 0; j < 16; j++) {
    index[2 * j] = (uint8_t)(j * width / 8);
    index[2 * j + 1] = (uint8_t)(j * width / 8 + 1);
    factors[j] = (uint16_t)(1u << (16 - width - j * width % 8));
  }
  __m256i spread = _mm256_loadu_si256((const __m256i *)index);
  __m256i factor = _mm256_loadu_si256((const __m256i *)factors);
  for (; i + 32 <= count; i += 32) {
    const uint8_t *at = bytes + i / 8 * width;
    if (i / 8 * width + 2 * width + 16 > total) break;
    __m256i words[2];
    for (uint32_t half = 0; half < 2; half++) {
      __m128i x = _mm_loadu_si128((const __m128i *)(at + 2 * half * width));
      words[half] = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(x), spread);
      words[half] = _mm256_srli_epi16(_mm256_mullo_epi16(words[half], factor), 16 - (int)width);
    }
    __m256i both = _mm256_packus_epi16(words[0], words[1]);
    _mm256_storeu_si256((__m256i *)(codes + i), _mm256_permute4x64_epi64(both, 0xD8));
  }
  return i;
}
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  if (width != 4) return unpack_sets(bytes, count, width, codes);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i pairs = _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(bytes + i / 2)));
    __m256i both = _mm256_or_si256(pairs, _mm256_slli_epi16(pairs, 4));
    _mm256_storeu_si256(
        (__m256i *)(codes + i), _mm256_and_si256(both, _mm256_set1_epi8(15)));
  }
  return i;
}

// MARK: - Bytes and dot products

typedef __m256i ByteTable;
INLINE ByteTable byte_table_of(const int8_t *values) {
  return values ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)values))
                : _mm256_setzero_si256();
}
INLINE vu nibble_values(ByteTable values, vu word) {
  return (vu)_mm256_shuffle_epi8(
      values, _mm256_and_si256((__m256i)word, _mm256_set1_epi8(15)));
}

#ifndef HAS_DOT_INSTRUCTIONS
// Sums of bytes saturate at 16 bits, so there is no dot product of all bytes.
#define HAS_BYTE_PAIRS
INLINE vws byte_pairs(vu unsigned_bytes, vu bytes) {
  return (vws)_mm256_maddubs_epi16((__m256i)unsigned_bytes, (__m256i)bytes);
}
#define HAS_WORD_DOT
INLINE vi dot_words(vi sum, vu a, vu b) {
  return sum + (vi)_mm256_madd_epi16((__m256i)a, (__m256i)b);
}
#endif

#endif

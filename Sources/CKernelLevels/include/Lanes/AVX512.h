// x86-64 with AVX-512 F, BW, VL, DQ and VBMI: registers of sixteen lanes.
//
// Opens a region for the level's instructions, which the including file closes:
// #pragma clang attribute pop.
#include <immintrin.h>

#include "CKernelLevels.h"

// A level that extends this one opens its own region before.
#ifndef HAS_DOT_INSTRUCTIONS
#pragma clang attribute push(__attribute__((target(BK_AVX512_TARGET))), apply_to = function)
#endif

#ifndef LANES
#define LANES 16
#endif
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_NTA)
#define STORE_FENCE() _mm_sfence()
#include "Vectors.h"

#if LANES == 16

// MARK: - Some of the lanes

#define HAS_MASKED_MOVES
// Whole moves are much quicker than masked ones, of narrowed lanes above all.
INLINE __mmask16 some(size_t n) { return (__mmask16)_bzhi_u32(0xFFFF, (uint32_t)n); }
INLINE vf load_some_f(const void *p, size_t n) {
  return n >= LANES ? load_f(p) : (vf)_mm512_maskz_loadu_ps(some(n), p);
}
INLINE vu load_some_u(const void *p, size_t n) {
  return n >= LANES ? load_u(p) : (vu)_mm512_maskz_loadu_epi32(some(n), p);
}
INLINE vb load_some_b(const void *p, size_t n) {
  return n >= LANES ? load_b(p) : (vb)_mm_maskz_loadu_epi8(some(n), p);
}
INLINE void store_some_f(void *p, vf v, size_t n) {
  if (n >= LANES) {
    store_f(p, v);
  } else {
    _mm512_mask_storeu_ps(p, some(n), (__m512)v);
  }
}
INLINE void store_some_u(void *p, vu v, size_t n) {
  if (n >= LANES) {
    store_u(p, v);
  } else {
    _mm512_mask_storeu_epi32(p, some(n), (__m512i)v);
  }
}
INLINE void store_some_b(void *p, vb v, size_t n) {
  if (n >= LANES) {
    store_b(p, v);
  } else {
    _mm_mask_storeu_epi8(p, some(n), (__m128i)v);
  }
}

// MARK: - Lanes

// Shifts by the counts of the lanes; counts of 32 and more give zero.
INLINE vu shift_left(vu v, vu n) { return (vu)_mm512_sllv_epi32((__m512i)v, (__m512i)n); }
INLINE vu shift_right(vu v, vu n) { return (vu)_mm512_srlv_epi32((__m512i)v, (__m512i)n); }

#define HAS_SIGNED_BINADES
INLINE vu signed_binades(vf v, uint32_t lowest) {
  // 0x03: the larger magnitude, with the first operand's sign.
  __m512 larger = _mm512_range_ps((__m512)v, (__m512)floats_of(all_u(lowest)), 0x03);
  return bits_of((vf)larger) & (SIGN | INFINITE);
}
// Products and sums are one operation.
#define HAS_FUSED_SUMS
// Whole numbers nearest to values below 2^31, ties to even.
INLINE vu round_to_integers(vf v) { return (vu)_mm512_cvtps_epi32((__m512)v); }
INLINE vf permute(vf v, vu lanes) { return (vf)_mm512_permutexvar_ps((__m512i)lanes, (__m512)v); }
INLINE vf look_up(vf table, const float *values, vu codes) { return permute(table, codes); }
#define HAS_TABLE_PARTS
INLINE vf look_up_part(const vf *parts, vu codes) { return permute(parts[0], codes); }
// The magnitudes of codes whose lower five bits say it.
#define HAS_MAGNITUDE_TABLE
INLINE vf look_up_magnitude(const float *values, vu codes) {
  return (vf)_mm512_permutex2var_ps(
      (__m512)load_f(values), (__m512i)codes, (__m512)load_f(values + 16));
}

#define HAS_COUNTED_COMPARISON
INLINE vu one_more_above(vu v, vi a, vi b) {
  __mmask16 is_above = _mm512_cmpgt_epi32_mask((__m512i)a, (__m512i)b);
  // Compilers make lanes of the mask first.
  __asm__("vpaddd %2, %0, %0 %{%1%}" : "+v"(v) : "Yk"(is_above), "v"(all_u(1)));
  return v;
}

#define HAS_POWER_SCALING
INLINE vf times_power(vf v, vf n, vi integers) {
  return (vf)_mm512_scalef_ps((__m512)v, (__m512)n);
}
// Compilers that know a register to be zero keep it, and run out of registers.
#define HAS_OPAQUE_ZEROS
INLINE vu zeros(void) {
  vu v;
  __asm__("vpxord %0, %0, %0" : "=v"(v));
  return v;
}

// Binary16 numbers nearest to values, ties to even, and the way back.
#define HAS_HALF_CONVERSION
INLINE vw half_words(vf a, vf b) {
  __m256i low = _mm512_cvtps_ph((__m512)a, _MM_FROUND_TO_NEAREST_INT);
  __m256i high = _mm512_cvtps_ph((__m512)b, _MM_FROUND_TO_NEAREST_INT);
  return (vw)_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
INLINE vf half_values(vh v) { return (vf)_mm512_cvtph_ps((__m256i)v); }

// MARK: - Orders of words and bytes

#define HAS_QUAD_ORDER
#define HAS_SPLIT_ORDER
#define OUTER_BYTES \
    0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 84, 88, \
    92, 96, 100, 104, 108, 112, 116, 120, 124, 3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, \
    51, 55, 59, 63, 67, 71, 75, 79, 83, 87, 91, 95, 99, 103, 107, 111, 115, 119, 123, 127

// Packing works in quarters of 128 bits: four bytes of each vector's first quarter, then the next.
INLINE vq ordered_quad(vq v) {
  return (vq)_mm512_permutexvar_epi32(
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), (__m512i)v);
}
INLINE vq magnitude_bytes(const vu *v) {
  __m512i first = _mm512_packs_epi32((__m512i)v[0], (__m512i)v[1]);
  __m512i second = _mm512_packs_epi32((__m512i)v[2], (__m512i)v[3]);
  return (vq)_mm512_packus_epi16(_mm512_abs_epi16(first), _mm512_abs_epi16(second));
}
INLINE vws integer_words(vu a, vu b) {
  return (vws)_mm512_packs_epi32((__m512i)a, (__m512i)b);
}
INLINE vq bytes_of_words(vws a, vws b) { return (vq)_mm512_packs_epi16((__m512i)a, (__m512i)b); }
INLINE vq integer_bytes(const vu *v) {
  return bytes_of_words(integer_words(v[0], v[1]), integer_words(v[2], v[3]));
}
INLINE vq sign_bytes(const vf *v) {
  const vu bits[4] = {bits_of(v[0]), bits_of(v[1]), bits_of(v[2]), bits_of(v[3])};
  return integer_bytes(bits);
}
// The lowest and the uppermost bytes of a pair fill one vector, the codes' order.
INLINE void split_quad(const vu *codes, const vf *products, vq *low, vq *signs) {
  vq v[4], pair[2];
  memcpy(v, codes, sizeof v);
  for (int i = 0; i < 2; i++)
    pair[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], OUTER_BYTES);
  *low = (vq)_mm512_shuffle_i64x2((__m512i)pair[0], (__m512i)pair[1], 0x44);
  *signs = (vq)_mm512_shuffle_i64x2((__m512i)pair[0], (__m512i)pair[1], 0xEE);
}
INLINE vq ordered_split(vq v) { return v; }

// MARK: - Packed codes

#define HAS_BIT_GATHER

// The bytes of eight words, whose halves have four consecutive codes each; odd widths have
// eight codes in the lower bits.
INLINE __m512i squeezed_bytes(uint32_t width) {
  uint8_t index[64];
  memset(index, 0, sizeof index);
  for (uint32_t word = 0; word < 8; word++)
    for (uint32_t byte = 0; byte < width; byte++) {
      uint32_t skipped = width % 2 == 0 && byte >= width / 2 ? 4 - width / 2 : 0;
      index[word * width + byte] = (uint8_t)(word * 8 + byte + skipped);
    }
  return _mm512_loadu_si512(index);
}
// Sixty-four codes at a time.
INLINE size_t pack_sets(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  size_t i = 0, total = (count * width + 7) / 8;
  __m512i index = squeezed_bytes(width);
  __mmask64 mask = _bzhi_u64(~0ull, 8 * width);
  // Products with powers of two move the upper one of two codes, then of two pairs.
  __m512i by_one = _mm512_set1_epi16((short)(1 | 0x100 << width));
  __m512i by_two = _mm512_set1_epi32((int)(1u | 0x10000u << 2 * width));
  __m512i four = _mm512_set1_epi64((long long)((1ull << 4 * width) - 1));
  for (; i + 64 <= count; i += 64) {
    __m512i x = _mm512_maddubs_epi16(by_one, _mm512_loadu_si512(codes + i));
    x = _mm512_madd_epi16(x, by_two);
    if (width % 2 != 0)
      x = _mm512_ternarylogic_epi64(four, x, _mm512_srli_epi64(x, 32 - 4 * width), 0xCA);
    x = _mm512_permutexvar_epi8(index, x);
    // Whole stores are quicker; what they write too much the next one overwrites.
    if (i / 8 * width + 64 <= total) {
      _mm512_storeu_si512(bytes + i / 8 * width, x);
    } else {
      _mm512_mask_storeu_epi8(bytes + i / 8 * width, mask, x);
    }
  }
  return i;
}
INLINE size_t pack_words(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  size_t i = 0;
  if (width == 4) {
    for (; i + 64 <= count; i += 64) {
      __m512i x = _mm512_loadu_si512(codes + i);
      __m512i pairs = _mm512_maddubs_epi16(x, _mm512_set1_epi16(0x1001));
      _mm256_storeu_si256((__m256i *)(bytes + i / 2), _mm512_cvtepi16_epi8(pairs));
    }
    return i;
  }
  if (width == 1) {
    for (; i + 64 <= count; i += 64) {
      __mmask64 bits = _mm512_test_epi8_mask(_mm512_loadu_si512(codes + i), _mm512_set1_epi8(1));
      memcpy(bytes + i / 8, &bits, 8);
    }
    return i;
  }
  switch (width) {
    case 5: return pack_sets(codes, count, 5, bytes);
    case 6: return pack_sets(codes, count, 6, bytes);
    default: return pack_sets(codes, count, width, bytes);
  }
}
// How far ahead packed bytes are fetched: a page, at whose end the processor's own prefetching stops.
#define UNPACKING_FETCH_DISTANCE 4096
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  size_t i = 0;
  if (width == 1) {
    for (; i + 64 <= count; i += 64) {
      __mmask64 bits;
      memcpy(&bits, bytes + i / 8, 8);
      _mm512_storeu_si512(codes + i, _mm512_maskz_set1_epi8(bits, 1));
    }
    return i;
  }
  // Byte j of word k is byte width * k + j of the packed row; then each code is a field of its
  // word.
  uint8_t index[64];
  uint64_t fields = 0;
  for (uint32_t i = 0; i < 64; i++) index[i] = (uint8_t)((i / 8 * width + i % 8) & 63);
  for (uint32_t j = 0; j < 8; j++) fields |= (uint64_t)(j * width) << (8 * j);
  __m512i spread = _mm512_loadu_si512(index), control = _mm512_set1_epi64((long long)fields);
  __m512i low_bits = _mm512_set1_epi8((char)((1u << width) - 1));
  __mmask64 mask = _bzhi_u64(~0ull, 8 * width);
  size_t total = (count * width + 7) / 8;
  for (; i + 64 <= count; i += 64) {
    const uint8_t *at = bytes + i / 8 * width;
    PREFETCH(at + UNPACKING_FETCH_DISTANCE);
    __m512i x = i / 8 * width + 64 <= total ? _mm512_loadu_si512(at)
                                            : _mm512_maskz_loadu_epi8(mask, at);
    x = _mm512_permutexvar_epi8(spread, x);
    x = _mm512_and_si512(_mm512_multishift_epi64_epi8(control, x), low_bits);
    _mm512_storeu_si512(codes + i, x);
  }
  return i;
}

// MARK: - Bytes and dot products

typedef __m512i ByteTable;
INLINE ByteTable byte_table_of(const int8_t *values) {
  return values ? _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)values))
                : _mm512_setzero_si512();
}
INLINE vu nibble_values(ByteTable values, vu word) {
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

#ifndef HAS_DOT_INSTRUCTIONS
// Sums of bytes saturate at 16 bits, so there is no dot product of all bytes.
#define HAS_BYTE_PAIRS
INLINE vws byte_pairs(vu unsigned_bytes, vu bytes) {
  return (vws)_mm512_maddubs_epi16((__m512i)unsigned_bytes, (__m512i)bytes);
}
#define HAS_WORD_DOT
INLINE vi dot_words(vi sum, vu a, vu b) {
  return sum + (vi)_mm512_madd_epi16((__m512i)a, (__m512i)b);
}
#endif

#endif

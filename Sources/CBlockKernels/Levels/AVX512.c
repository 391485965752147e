// x86-64 with AVX-512 F, BW, VL, DQ and VBMI: sixteen lanes.
#if defined(__x86_64__)
#pragma STDC FP_CONTRACT OFF
#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,bmi,bmi2,avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,evex512"))), \
    apply_to = function)

#define LANES 16
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T0)
#define STORE_FENCE() _mm_sfence()

#define HAS_BIT_GATHER
#define HAS_MASKED_MOVES
#include "../Templates/Lanes.h"

INLINE __mmask16 some(size_t n) { return (__mmask16)_bzhi_u32(0xFFFF, n > 16 ? 16 : (uint32_t)n); }
INLINE vf load_some_f(const float *p, size_t n) { return (vf)_mm512_maskz_loadu_ps(some(n), p); }
INLINE vu load_some_u(const uint32_t *p, size_t n) {
  return (vu)_mm512_maskz_loadu_epi32(some(n), p);
}
INLINE vb load_some_b(const uint8_t *p, size_t n) { return (vb)_mm_maskz_loadu_epi8(some(n), p); }
INLINE void store_some_f(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, some(n), (__m512)v); }
INLINE void store_some_u(uint32_t *p, vu v, size_t n) {
  _mm512_mask_storeu_epi32(p, some(n), (__m512i)v);
}
INLINE void store_some_b(uint8_t *p, vb v, size_t n) {
  _mm_mask_storeu_epi8(p, some(n), (__m128i)v);
}

// Shifts by the counts of the lanes; counts of 32 and more give zero.
INLINE vu shift_left(vu v, vu n) { return (vu)_mm512_sllv_epi32((__m512i)v, (__m512i)n); }
INLINE vu shift_right(vu v, vu n) { return (vu)_mm512_srlv_epi32((__m512i)v, (__m512i)n); }

INLINE vf permute(vf v, vu lanes) { return (vf)_mm512_permutexvar_ps((__m512i)lanes, (__m512)v); }
INLINE vf table_of(const float *values) { return load_f(values); }
INLINE vf look_up(vf table, const float *values, vu codes) { return permute(table, codes); }

// The bytes of the squeezed words of 64 codes, one behind the other.
INLINE __m512i squeezed_bytes(uint32_t width) {
  uint8_t index[64];
  for (uint32_t i = 0; i < 64; i++) index[i] = (uint8_t)(i / width % 8 * 8 + i % width);
  return _mm512_loadu_si512(index);
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
  __m512i index = squeezed_bytes(width);
  __mmask64 mask = _bzhi_u64(~0ull, 8 * width);
  __m128i by_one = _mm_cvtsi32_si128(8 - (int)width), by_two = _mm_cvtsi32_si128(16 - 2 * (int)width);
  __m128i by_four = _mm_cvtsi32_si128(32 - 4 * (int)width);
  __m512i pairs = _mm512_set1_epi64((long long)0x00FF00FF00FF00FFull);
  __m512i fours = _mm512_set1_epi64((long long)0x0000FFFF0000FFFFull);
  __m512i eights = _mm512_set1_epi64((long long)0x00000000FFFFFFFFull);
  for (; i + 64 <= count; i += 64) {
    __m512i x = _mm512_loadu_si512(codes + i);
    // Codes fit their width, so a shift inside pairs leaves only the odd code's bits above.
    x = _mm512_or_si512(
        _mm512_and_si512(x, pairs), _mm512_srl_epi64(_mm512_andnot_si512(pairs, x), by_one));
    x = _mm512_or_si512(
        _mm512_and_si512(x, fours), _mm512_srl_epi64(_mm512_andnot_si512(fours, x), by_two));
    x = _mm512_or_si512(
        _mm512_and_si512(x, eights), _mm512_srl_epi64(_mm512_andnot_si512(eights, x), by_four));
    _mm512_mask_storeu_epi8(bytes + i / 8 * width, mask, _mm512_permutexvar_epi8(index, x));
  }
  return i;
}
INLINE size_t unpack_words(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  // Byte j of word k is byte width * k + j of the packed row; then each code is a field of its word.
  uint8_t index[64];
  uint64_t fields = 0;
  for (uint32_t i = 0; i < 64; i++) index[i] = (uint8_t)((i / 8 * width + i % 8) & 63);
  for (uint32_t j = 0; j < 8; j++) fields |= (uint64_t)(j * width) << (8 * j);
  __m512i spread = _mm512_loadu_si512(index), control = _mm512_set1_epi64((long long)fields);
  __m512i low_bits = _mm512_set1_epi8((char)((1u << width) - 1));
  __mmask64 mask = _bzhi_u64(~0ull, 8 * width);
  size_t i = 0;
  for (; i + 64 <= count; i += 64) {
    __m512i x = _mm512_maskz_loadu_epi8(mask, bytes + i / 8 * width);
    x = _mm512_permutexvar_epi8(spread, x);
    x = _mm512_and_si512(_mm512_multishift_epi64_epi8(control, x), low_bits);
    _mm512_storeu_si512(codes + i, x);
  }
  return i;
}

#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_avx512_kernels, BK_AVX512);
// Quantizing has no use for dot products.
KERNEL_TABLE(bk_avx512_dot_kernels, BK_AVX512_DOT);

#pragma clang attribute pop
#endif

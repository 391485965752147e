#include "CMultiplyLimit.h"

#pragma STDC FP_CONTRACT OFF

// Makes the compiler forget what a register holds, at the price of no instruction.
#if defined(__x86_64__)
#include <immintrin.h>
#define HIDE(v) __asm__("" : "+x"(v))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define HIDE(v) __asm__("" : "+w"(v))
#else
#define HIDE(v) __asm__("" : "+m"(v))
#endif

typedef int32_t int_4 __attribute__((vector_size(16)));
typedef float float_4 __attribute__((vector_size(16)));

// MARK: - Portable C

// Both halves of every lane, as the products of this level take them.
#define LOOP_NAME portable_int16
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int_4
#define LOOP_ONES ((int_4){0} + 0x00010001)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((s) + ((a) << 16 >> 16) * ((b) << 16 >> 16) + ((a) >> 16) * ((b) >> 16))
#include "MultiplyLoop.h"

#define LOOP_NAME portable_float32
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM float_4
#define LOOP_OPERAND float_4
#define LOOP_ONES ((float_4){0} + 1)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) __builtin_elementwise_fma(a, b, s)
#include "MultiplyLoop.h"

// MARK: - x86-64

#if defined(__x86_64__)

typedef int32_t int_8 __attribute__((vector_size(32)));
typedef int32_t int_16 __attribute__((vector_size(64)));

#define AVX2 __attribute__((target(BK_AVX2_TARGET)))
#define AVX512 __attribute__((target(BK_AVX512_TARGET)))
#define AVX512_DOT __attribute__((target(BK_AVX512_DOT_TARGET)))

#define LOOP_NAME avx2_int16
#define LOOP_TARGET AVX2
#define LOOP_SUMS 12
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi16(1)
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((s) + (int_8)_mm256_madd_epi16(a, b))
#include "MultiplyLoop.h"

#define LOOP_NAME avx2_float32
#define LOOP_TARGET AVX2
#define LOOP_SUMS 12
#define LOOP_SUM __m256
#define LOOP_OPERAND __m256
#define LOOP_ONES _mm256_set1_ps(1)
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) _mm256_fmadd_ps(a, b, s)
#include "MultiplyLoop.h"

#define LOOP_NAME avx512_int16
#define LOOP_TARGET AVX512
#define LOOP_SUMS 24
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((s) + (int_16)_mm512_madd_epi16(a, b))
#include "MultiplyLoop.h"

#define LOOP_NAME avx512_float32
#define LOOP_TARGET AVX512
#define LOOP_SUMS 24
#define LOOP_SUM __m512
#define LOOP_OPERAND __m512
#define LOOP_ONES _mm512_set1_ps(1)
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) _mm512_fmadd_ps(a, b, s)
#include "MultiplyLoop.h"

#define LOOP_NAME avx512_dot_int8
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 24
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi8(1)
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((int_16)_mm512_dpbusd_epi32((__m512i)(s), a, b))
#include "MultiplyLoop.h"

// Compilers that tune for no processor in particular make two instructions of the intrinsic.
AVX512_DOT
static inline __attribute__((always_inline)) int_16 dot_int16(int_16 s, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
  return s;
}

#define LOOP_NAME avx512_dot_int16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 24
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) dot_int16(s, a, b)
#include "MultiplyLoop.h"

#define LOOP_NAME avx512_dot_bfloat16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 24
#define LOOP_SUM __m512
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(0x3F80)
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) _mm512_dpbf16_ps(s, (__m512bh)(a), (__m512bh)(b))
#include "MultiplyLoop.h"

#endif

// MARK: - arm64

#if defined(__aarch64__)

#define LOOP_NAME neon_int8
#define LOOP_TARGET
#define LOOP_SUMS 24
#define LOOP_SUM int32x4_t
#define LOOP_OPERAND int8x8_t
#define LOOP_ONES vdup_n_s8(1)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) vpadalq_s16(s, vmull_s8(a, b))
#include "MultiplyLoop.h"

#define LOOP_NAME neon_int16
#define LOOP_TARGET
#define LOOP_SUMS 24
#define LOOP_SUM int32x4_t
#define LOOP_OPERAND int16x4_t
#define LOOP_ONES vdup_n_s16(1)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) vmlal_s16(s, a, b)
#include "MultiplyLoop.h"

#define LOOP_NAME neon_float32
#define LOOP_TARGET
#define LOOP_SUMS 24
#define LOOP_SUM float32x4_t
#define LOOP_OPERAND float32x4_t
#define LOOP_ONES vdupq_n_f32(1)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) vfmaq_f32(s, a, b)
#include "MultiplyLoop.h"

#define LOOP_NAME neon_dot_int8
#define LOOP_TARGET __attribute__((target(BK_NEON_DOT_TARGET)))
#define LOOP_SUMS 24
#define LOOP_SUM int32x4_t
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) vdotq_s32(s, a, b)
#include "MultiplyLoop.h"

#endif

// MARK: - Choice

typedef struct {
  uint64_t (*run)(size_t repetitions);
  // Of a repetition: sums times lanes times products of a lane.
  size_t operations;
} multiply_loop;

// In the order of `multiply_limit_unit`.
typedef multiply_loop multiply_level[4];

static const multiply_level portable = {
    {portable_int16, 12 * 4 * 2}, {portable_int16, 12 * 4 * 2},
    {portable_float32, 12 * 4}, {portable_float32, 12 * 4}};

#if defined(__x86_64__)
static const multiply_level avx2 = {
    {avx2_int16, 12 * 8 * 2}, {avx2_int16, 12 * 8 * 2},
    {avx2_float32, 12 * 8}, {avx2_float32, 12 * 8}};
static const multiply_level avx512 = {
    {avx512_int16, 24 * 16 * 2}, {avx512_int16, 24 * 16 * 2},
    {avx512_float32, 24 * 16}, {avx512_float32, 24 * 16}};
static const multiply_level avx512_dot = {
    {avx512_dot_int8, 24 * 16 * 4}, {avx512_dot_int16, 24 * 16 * 2},
    {avx512_dot_bfloat16, 24 * 16 * 2}, {avx512_float32, 24 * 16}};
#elif defined(__aarch64__)
static const multiply_level neon = {
    {neon_int8, 24 * 4 * 2}, {neon_int16, 24 * 4}, {neon_float32, 24 * 4}, {neon_float32, 24 * 4}};
static const multiply_level neon_dot = {
    {neon_dot_int8, 24 * 4 * 4}, {neon_int16, 24 * 4}, {neon_float32, 24 * 4},
    {neon_float32, 24 * 4}};
#endif

#define ENTRY(symbol, id, architecture, target) BK_ON_##architecture([BK_##symbol] = &id,)
static const multiply_level *const levels[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

static const multiply_loop *loop_of(BKLevel level, enum multiply_limit_unit unit) {
  return &(*levels[bk_usable_level(level)])[unit];
}

uint64_t multiply_limit_run(BKLevel level, enum multiply_limit_unit unit, size_t repetitions) {
  return loop_of(level, unit)->run(repetitions);
}

size_t multiply_limit_operations(BKLevel level, enum multiply_limit_unit unit) {
  return loop_of(level, unit)->operations;
}

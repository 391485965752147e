#include "CMultiplyLimit.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

// Makes the compiler forget what a register holds, at the price of no instruction. None of them moves
// past another.
#if defined(__x86_64__)
#include <immintrin.h>
#define HIDE(v) __asm__ volatile("" : "+x"(v))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define HIDE(v) __asm__ volatile("" : "+w"(v))
#else
#define HIDE(v) __asm__ volatile("" : "+m"(v))
#endif

#define VECTOR(bytes) __attribute__((vector_size(bytes)))
typedef int32_t int_4 VECTOR(16);
typedef float float_4 VECTOR(16);

// Sums of 32 bits as numbers: integers, and what are numbers already.
#define CONVERTED(sum) __builtin_convertvector(sum, LOOP_FLOATS)
#define REINTERPRETED(sum) ((LOOP_FLOATS)(sum))

// MARK: - Portable C

// Both halves of every lane, as the products of this level take them.
#define LOOP_NAME portable_int16
#define LOOP_TARGET
#define LOOP_SUMS 6
#define LOOP_SUM int_4
#define LOOP_OPERAND int_4
#define LOOP_ONES ((int_4){0} + 0x00010001)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((s) + ((a) << 16 >> 16) * ((b) << 16 >> 16) + ((a) >> 16) * ((b) >> 16))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

// A word is two BF16 numbers, which are multiplied as FP32 ones.
#define LOOP_NAME portable_bfloat16
#define LOOP_TARGET
#define LOOP_SUMS 6
#define LOOP_SUM float_4
#define LOOP_OPERAND float_4
#define LOOP_ONES ((float_4){0} + 1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "GroupLoop.h"

#define LOOP_NAME portable_float32
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#include "FloatLoop.h"

// MARK: - x86-64

#if defined(__x86_64__)

typedef int32_t int_8 VECTOR(32);
typedef int16_t short_16 VECTOR(32);
typedef float float_8 VECTOR(32);
typedef int32_t int_16 VECTOR(64);
typedef int16_t short_32 VECTOR(64);
typedef float float_16 VECTOR(64);

#define AVX2 __attribute__((target(BK_AVX2_TARGET)))
#define AVX_VNNI __attribute__((target(BK_AVX_VNNI_TARGET)))
#define AVX512 __attribute__((target(BK_AVX512_TARGET)))
#define AVX512_DOT __attribute__((target(BK_AVX512_DOT_TARGET)))

#define LOOP_NAME avx2_int16
#define LOOP_TARGET AVX2
#define LOOP_SUMS 6
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi16(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((s) + (int_8)_mm256_madd_epi16(a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx2_runs
#define LOOP_TARGET AVX2
#define LOOP_SUMS 6
#define LOOP_SUM short_16
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi8(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((s) + (short_16)_mm256_maddubs_epi16(a, b))
#define LOOP_TOTAL(s) _mm256_madd_epi16((__m256i)(s), _mm256_set1_epi16(1))
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx2_bfloat16
#define LOOP_TARGET AVX2
#define LOOP_SUMS 10
#define LOOP_SUM float_8
#define LOOP_OPERAND float_8
#define LOOP_ONES ((float_8){0} + 1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx2_float32
#define LOOP_TARGET AVX2
#define LOOP_SUMS 12
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#include "FloatLoop.h"

#define LOOP_NAME avx_vnni_int8
#define LOOP_TARGET AVX_VNNI
#define LOOP_SUMS 10
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi8(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) ((int_8)_mm256_dpbusd_avx_epi32((__m256i)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

// Compilers that tune for no processor in particular make two instructions of the intrinsic.
AVX_VNNI
static inline __attribute__((always_inline)) int_8 vnni_int16(int_8 s, __m256i a, __m256i b) {
  __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(s) : "x"(a), "x"(b));
  return s;
}

#define LOOP_NAME avx_vnni_int16
#define LOOP_TARGET AVX_VNNI
#define LOOP_SUMS 10
#define LOOP_SUM int_8
#define LOOP_OPERAND __m256i
#define LOOP_ONES _mm256_set1_epi16(1)
#define LOOP_INTEGERS int_8
#define LOOP_FLOATS float_8
#define LOOP_LANES 8
#define LOOP_STEP(s, a, b) vnni_int16(s, a, b)
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx512_int16
#define LOOP_TARGET AVX512
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((s) + (int_16)_mm512_madd_epi16(a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx512_runs
#define LOOP_TARGET AVX512
#define LOOP_SUMS 12
#define LOOP_SUM short_32
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi8(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((s) + (short_32)_mm512_maddubs_epi16(a, b))
#define LOOP_TOTAL(s) _mm512_madd_epi16((__m512i)(s), _mm512_set1_epi16(1))
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx512_bfloat16
#define LOOP_TARGET AVX512
#define LOOP_SUMS 14
#define LOOP_SUM float_16
#define LOOP_OPERAND float_16
#define LOOP_ONES ((float_16){0} + 1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx512_float32
#define LOOP_TARGET AVX512
#define LOOP_SUMS 24
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#include "FloatLoop.h"

#define LOOP_NAME avx512_dot_int8
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi8(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) ((int_16)_mm512_dpbusd_epi32((__m512i)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

// Compilers that tune for no processor in particular make two instructions of the intrinsic.
AVX512_DOT
static inline __attribute__((always_inline)) int_16 dot_int16(int_16 s, __m512i a, __m512i b) {
  __asm__("vpdpwssd %2, %1, %0" : "+v"(s) : "v"(a), "v"(b));
  return s;
}

#define LOOP_NAME avx512_dot_int16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM int_16
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(1)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) dot_int16(s, a, b)
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME avx512_dot_bfloat16
#define LOOP_TARGET AVX512_DOT
#define LOOP_SUMS 12
#define LOOP_SUM __m512
#define LOOP_OPERAND __m512i
#define LOOP_ONES _mm512_set1_epi16(0x3F80)
#define LOOP_INTEGERS int_16
#define LOOP_FLOATS float_16
#define LOOP_LANES 16
#define LOOP_STEP(s, a, b) _mm512_dpbf16_ps(s, (__m512bh)(a), (__m512bh)(b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "GroupLoop.h"

#include "TileLoop.h"

#endif

// MARK: - arm64

#if defined(__aarch64__)

#define LOOP_NAME neon_int8
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((int_4)vpadalq_s16(                                                       \
      vpadalq_s16((int32x4_t)(s), vmull_s8(vget_low_s8(a), vget_low_s8(b))), \
      vmull_high_s8(a, b)))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME neon_int16
#define LOOP_TARGET
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int16x8_t
#define LOOP_ONES vdupq_n_s16(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  ((int_4)vmlal_high_s16(                                             \
      vmlal_s16((int32x4_t)(s), vget_low_s16(a), vget_low_s16(b)), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

#define LOOP_NAME neon_bfloat16
#define LOOP_TARGET
#define LOOP_SUMS 14
#define LOOP_SUM float_4
#define LOOP_OPERAND float_4
#define LOOP_ONES ((float_4){0} + 1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) \
  __builtin_elementwise_fma(a, b, __builtin_elementwise_fma(a, b, s))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) REINTERPRETED(s)
#include "GroupLoop.h"

#define LOOP_NAME neon_float32
#define LOOP_TARGET
#define LOOP_SUMS 24
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#include "FloatLoop.h"

#define LOOP_NAME neon_dot_int8
#define LOOP_TARGET __attribute__((target(BK_NEON_DOT_TARGET)))
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) ((int_4)vdotq_s32((int32x4_t)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

// Two words of two rows times those of two columns.
#define LOOP_NAME neon_matrix_pairs
#define LOOP_TARGET __attribute__((target(BK_NEON_MATRIX_TARGET)))
#define LOOP_SUMS 12
#define LOOP_SUM int_4
#define LOOP_OPERAND int8x16_t
#define LOOP_ONES vdupq_n_s8(1)
#define LOOP_INTEGERS int_4
#define LOOP_FLOATS float_4
#define LOOP_LANES 4
#define LOOP_STEP(s, a, b) ((int_4)vmmlaq_s32((int32x4_t)(s), a, b))
#define LOOP_TOTAL(s) (s)
#define LOOP_NUMBERS(s) CONVERTED(s)
#include "GroupLoop.h"

// Groups of an odd number of words are left to dot products, which take as many sums.
static uint64_t neon_matrix_int8(
    size_t words, size_t run, bool adds_exponents, size_t repetitions) {
  if (words % 2 != 0) return neon_dot_int8(words, run, adds_exponents, repetitions);
  return neon_matrix_pairs(words / 2, words / 2, adds_exponents, repetitions);
}

#endif

// MARK: - Choice

typedef struct {
  uint64_t (*run)(size_t words, size_t run, bool adds_exponents, size_t repetitions);
  // Of a step: sums times lanes times products of a lane.
  size_t operations;
  // For a word of elements; 0 where there are no words, and a repetition is one.
  size_t steps;
  const char *instructions;
} multiply_loop;

// In the order of `multiply_limit_unit`.
typedef multiply_loop multiply_level[5];

static const multiply_level portable = {
    {portable_int16, 6 * 4 * 2, 2, "portable C"},
    {portable_int16, 6 * 4 * 2, 1, "portable C"},
    {portable_bfloat16, 6 * 4 * 2, 1, "portable C"},
    {portable_float32, 12 * 4, 0, "portable C"},
    {portable_int16, 6 * 4 * 2, 2, "portable C"}};

#if defined(__x86_64__)
static const multiply_level avx2 = {
    {avx2_int16, 6 * 8 * 2, 2, "vpmaddwd, vpaddd"},
    {avx2_int16, 6 * 8 * 2, 1, "vpmaddwd, vpaddd"},
    {avx2_bfloat16, 10 * 8 * 2, 1, "vfmadd231ps"},
    {avx2_float32, 12 * 8, 0, "vfmadd231ps"},
    {avx2_runs, 6 * 8 * 4, 1, "vpmaddubsw, vpaddw"}};
static const multiply_level avx_vnni = {
    {avx_vnni_int8, 10 * 8 * 4, 1, "vpdpbusd"},
    {avx_vnni_int16, 10 * 8 * 2, 1, "vpdpwssd"},
    {avx2_bfloat16, 10 * 8 * 2, 1, "vfmadd231ps"},
    {avx2_float32, 12 * 8, 0, "vfmadd231ps"},
    {avx_vnni_int8, 10 * 8 * 4, 1, "vpdpbusd"}};
static const multiply_level avx512 = {
    {avx512_int16, 12 * 16 * 2, 2, "vpmaddwd, vpaddd"},
    {avx512_int16, 12 * 16 * 2, 1, "vpmaddwd, vpaddd"},
    {avx512_bfloat16, 14 * 16 * 2, 1, "vfmadd231ps"},
    {avx512_float32, 24 * 16, 0, "vfmadd231ps"},
    {avx512_runs, 12 * 16 * 4, 1, "vpmaddubsw, vpaddw"}};
static const multiply_level avx512_dot = {
    {avx512_dot_int8, 12 * 16 * 4, 1, "vpdpbusd"},
    {avx512_dot_int16, 12 * 16 * 2, 1, "vpdpwssd"},
    {avx512_dot_bfloat16, 12 * 16 * 2, 1, "vdpbf16ps"},
    {avx512_float32, 24 * 16, 0, "vfmadd231ps"},
    {avx512_dot_int8, 12 * 16 * 4, 1, "vpdpbusd"}};
static const multiply_level avx512_amx = {
    {avx512_amx_int8, 4 * 16 * 16 * 4, 1, "tdpbssd"},
    {avx512_dot_int16, 12 * 16 * 2, 1, "vpdpwssd"},
    {avx512_dot_bfloat16, 12 * 16 * 2, 1, "vdpbf16ps"},
    {avx512_float32, 24 * 16, 0, "vfmadd231ps"},
    {avx512_amx_int8, 4 * 16 * 16 * 4, 1, "tdpbssd"}};
#elif defined(__aarch64__)
static const multiply_level neon = {
    {neon_int8, 12 * 4 * 4, 1, "smull, sadalp"},
    {neon_int16, 12 * 4 * 2, 1, "smlal"},
    {neon_bfloat16, 14 * 4 * 2, 1, "fmla"},
    {neon_float32, 24 * 4, 0, "fmla"},
    {neon_int8, 12 * 4 * 4, 1, "smull, sadalp"}};
static const multiply_level neon_dot = {
    {neon_dot_int8, 12 * 4 * 4, 1, "sdot"},
    {neon_int16, 12 * 4 * 2, 1, "smlal"},
    {neon_bfloat16, 14 * 4 * 2, 1, "fmla"},
    {neon_float32, 24 * 4, 0, "fmla"},
    {neon_dot_int8, 12 * 4 * 4, 1, "sdot"}};
// BF16 numbers of many rows are FP32 ones, as at the levels below.
static const multiply_level neon_matrix = {
    {neon_matrix_int8, 12 * 4 * 4, 1, "smmla"},
    {neon_int16, 12 * 4 * 2, 1, "smlal"},
    {neon_bfloat16, 14 * 4 * 2, 1, "fmla"},
    {neon_float32, 24 * 4, 0, "fmla"},
    {neon_matrix_int8, 12 * 4 * 4, 1, "smmla"}};
#endif

#define ENTRY(symbol, id, architecture, target) BK_ON_##architecture([BK_##symbol] = &id,)
static const multiply_level *const levels[BK_LEVEL_COUNT] = {BK_LEVELS(ENTRY)};

static const multiply_loop *loop_of(
    BKLevel level, enum multiply_limit_unit unit, const struct multiply_limit_group *group) {
  BKLevel usable = bk_usable_level(level);
  // The words of a group from which on tiles are quicker than vectors.
  BK_ON_X86_64(if (usable == BK_AVX512_AMX && group->words < 8) usable = BK_AVX512_DOT;)
  return &(*levels[usable])[unit];
}

uint64_t multiply_limit_run(
    BKLevel level, const struct multiply_limit_group *group, size_t repetitions) {
  const multiply_loop *loop = loop_of(level, group->unit, group);
  size_t words = group->words * loop->steps;
  // Levels that add bytes in 32 bits know no runs.
  bool has_runs = loop->run != loop_of(level, MULTIPLY_LIMIT_INT8, group)->run;
  size_t run = group->unit == MULTIPLY_LIMIT_RUNS && has_runs ? group->run : words;
  return loop->run(words, run, group->adds_exponents, repetitions);
}

size_t multiply_limit_operations(BKLevel level, const struct multiply_limit_group *group) {
  const multiply_loop *loop = loop_of(level, group->unit, group);
  return loop->operations * (loop->steps == 0 ? 1 : group->words * loop->steps);
}

const char *multiply_limit_instructions(
    BKLevel level, const struct multiply_limit_group *group) {
  return loop_of(level, group->unit, group)->instructions;
}

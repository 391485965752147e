// The levels of all vector kernels: the sets of processor instructions that they are compiled for,
// which of them this machine has, and which one is in use.
//
// A level is a line of `BK_LEVELS`. The enumeration, ids, detection and each module's table of
// kernels follow from that line; its vectors are in `Lanes/`.
#ifndef C_KERNEL_LEVELS_H
#define C_KERNEL_LEVELS_H

#include <stdbool.h>

#pragma clang assume_nonnull begin

// MARK: - The list

// What code of a level may use beyond its architecture: features by the names that compilers have
// for them, with commas between. Detection asks the processor for each, so that a level is supported
// as a whole or not at all.
#define BK_AVX2_TARGET "avx2,fma,f16c,bmi,bmi2"
#define BK_AVX_VNNI_TARGET BK_AVX2_TARGET ",avxvnni"
#define BK_AVX512_TARGET BK_AVX2_TARGET ",avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi"
#define BK_AVX512_DOT_TARGET BK_AVX512_TARGET ",avx512vnni,avx512bf16"
#define BK_AVX512_AMX_TARGET BK_AVX512_DOT_TARGET ",amx-tile,amx-int8"
#define BK_NEON_DOT_TARGET "dotprod"
#define BK_NEON_MATRIX_TARGET BK_NEON_DOT_TARGET ",i8mm,bf16"

// LEVEL(symbol, id, architecture, target) for every level; of two that a machine has, the later one
// is the higher. Numbers are places in the list. The id is the one in options and reports; tables of
// kernels have it in their names.
#define BK_LEVELS(LEVEL)                                                                          \
  LEVEL(PORTABLE, portable, ANY, "")                                                              \
  LEVEL(AVX2, avx2, X86_64, BK_AVX2_TARGET)                                                       \
  LEVEL(AVX_VNNI, avx_vnni, X86_64, BK_AVX_VNNI_TARGET)                                           \
  LEVEL(AVX512, avx512, X86_64, BK_AVX512_TARGET)                                                 \
  LEVEL(AVX512_DOT, avx512_dot, X86_64, BK_AVX512_DOT_TARGET)                                     \
  LEVEL(AVX512_AMX, avx512_amx, X86_64, BK_AVX512_AMX_TARGET)                                     \
  LEVEL(NEON, neon, ARM64, "")                                                                    \
  LEVEL(NEON_DOT, neon_dot, ARM64, BK_NEON_DOT_TARGET)                                            \
  LEVEL(NEON_MATRIX, neon_matrix, ARM64, BK_NEON_MATRIX_TARGET)

// BK_ON_<architecture>(text): the text where code for the architecture is compiled, else nothing.
#define BK_ON_ANY(...) __VA_ARGS__
#if defined(__x86_64__)
#define BK_ON_X86_64(...) __VA_ARGS__
#else
#define BK_ON_X86_64(...)
#endif
#if defined(__aarch64__)
#define BK_ON_ARM64(...) __VA_ARGS__
#else
#define BK_ON_ARM64(...)
#endif

// MARK: - Levels

#define BK_NUMBER(symbol, id, architecture, target) BK_##symbol,
typedef enum { BK_LEVELS(BK_NUMBER) BK_LEVEL_COUNT } BKLevel;
#undef BK_NUMBER

// The id of one of the levels, of this machine or not.
const char *bk_level_id(BKLevel level);

// Whether this machine can run a level.
bool bk_is_supported(BKLevel level);

// The level in use: the highest supported one, or a lower one whose id the environment variable
// BLOCKFORMATS_KERNEL_LEVEL holds.
BKLevel bk_best_level(void);

// A supported level itself; the one in use for any other.
BKLevel bk_usable_level(BKLevel level);

#pragma clang assume_nonnull end

#endif

// Which levels the machine has, and which one is in use.
#include "../include/CBlockKernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "Tables.h"

#if defined(__x86_64__)
#include <cpuid.h>

// The registers that the operating system saves.
static uint64_t saved_state(void) {
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t)high << 32 | low;
}

static bool has_bits(uint32_t word, uint32_t bits) { return (word & bits) == bits; }

static BKLevel detect(void) {
  uint32_t a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return BK_PORTABLE;
  const uint32_t fma = 1u << 12, osxsave = 1u << 27, avx = 1u << 28, f16c = 1u << 29;
  if (!has_bits(c, fma | osxsave | avx | f16c)) return BK_PORTABLE;
  uint64_t state = saved_state();
  const uint64_t ymm = 0x6;
  if ((state & ymm) != ymm) return BK_PORTABLE;

  uint32_t features, more, unused;
  if (!__get_cpuid_count(7, 0, &a, &features, &more, &unused)) return BK_PORTABLE;
  const uint32_t bmi = 1u << 3, avx2 = 1u << 5, bmi2 = 1u << 8;
  if (!has_bits(features, bmi | avx2 | bmi2)) return BK_PORTABLE;

  const uint32_t f = 1u << 16, dq = 1u << 17, bw = 1u << 30, vl = 1u << 31, vbmi = 1u << 1;
#if defined(__APPLE__)
  // The system saves these registers on first use, and announces them only afterwards.
  bool saves_zmm = true;
#else
  const uint64_t zmm = 0xE6;
  bool saves_zmm = (state & zmm) == zmm;
#endif
  if (!saves_zmm || !has_bits(features, f | dq | bw | vl) || !has_bits(more, vbmi))
    return BK_AVX2;

  const uint32_t vnni = 1u << 11, bf16 = 1u << 5;
  if (!has_bits(more, vnni) || !__get_cpuid_count(7, 1, &a, &b, &c, &d) || !has_bits(a, bf16))
    return BK_AVX512;
  return BK_AVX512_DOT;
}
#elif defined(__aarch64__)
#if defined(__APPLE__)
#include <sys/sysctl.h>
#include <sys/types.h>

static bool has_dot_products(void) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, NULL, 0) == 0 && value != 0;
}
#elif defined(__linux__)
#include <sys/auxv.h>

static bool has_dot_products(void) { return (getauxval(AT_HWCAP) & (1ul << 20)) != 0; }
#else
static bool has_dot_products(void) { return false; }
#endif

static BKLevel detect(void) { return has_dot_products() ? BK_NEON_DOT : BK_NEON; }
#else
static BKLevel detect(void) { return BK_PORTABLE; }
#endif

static const char *const level_names[BK_LEVEL_COUNT] = {
    "portable", "avx2", "avx512", "avx512_dot", "neon", "neon_dot"};

static const BKKernels *const tables[BK_LEVEL_COUNT] = {
    &bk_portable_kernels, &bk_avx2_kernels, &bk_avx512_kernels,
    &bk_avx512_dot_kernels, &bk_neon_kernels, &bk_neon_dot_kernels};

static bool is_included(BKLevel level, BKLevel highest) {
  if (level == BK_PORTABLE) return true;
#if defined(__aarch64__)
  return level >= BK_NEON && level <= highest;
#else
  return level <= highest;
#endif
}

// Asking the processor is slow on virtual machines, so the answer is kept.
static BKLevel highest_level(void) {
  static _Atomic int found = -1;
  int level = atomic_load_explicit(&found, memory_order_relaxed);
  if (level < 0) {
    level = detect();
    atomic_store_explicit(&found, level, memory_order_relaxed);
  }
  return (BKLevel)level;
}

bool bk_is_supported(BKLevel level) {
  return level >= BK_PORTABLE && level < BK_LEVEL_COUNT && is_included(level, highest_level());
}

// The environment can only lower the level; a name that is none of ours, or higher, changes
// nothing.
static BKLevel choose(void) {
  BKLevel highest = highest_level();
  const char *wish = getenv("BLOCKFORMATS_KERNEL_LEVEL");
  if (wish)
    for (int level = 0; level < BK_LEVEL_COUNT; level++)
      if (strcmp(wish, level_names[level]) == 0 && is_included((BKLevel)level, highest))
        return (BKLevel)level;
  return highest;
}

BKLevel bk_best_level(void) {
  static _Atomic int chosen = -1;
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level < 0) {
    level = choose();
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
  }
  return (BKLevel)level;
}

const BKKernels *bk_kernels(BKLevel level) {
  return tables[bk_is_supported(level) ? level : bk_best_level()];
}

// Which levels the machine has, and which one is in use.
#include "CKernelLevels.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// MARK: - Features

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

// What CPUID says, in the four registers of a leaf.
typedef enum { EAX, EBX, ECX, EDX } Register;
typedef enum { LEAF_1, LEAF_7, LEAF_7_1, LEAF_COUNT } Leaf;

// The registers that the operating system must save, as XCR0 has them.
#define YMM 0x06
#define ZMM 0xE6
#define TILES 0x60000

// Where a feature is announced. Source: Intel's Software Developer's Manual, volume 2, CPUID.
typedef struct {
  const char *name;
  Leaf leaf;
  Register in;
  uint32_t bit;
  uint32_t saved;
} Feature;

static const Feature features[] = {
    {"fma", LEAF_1, ECX, 12, YMM},
    {"f16c", LEAF_1, ECX, 29, YMM},
    {"bmi", LEAF_7, EBX, 3, 0},
    {"avx2", LEAF_7, EBX, 5, YMM},
    {"bmi2", LEAF_7, EBX, 8, 0},
    {"avx512f", LEAF_7, EBX, 16, ZMM},
    {"avx512dq", LEAF_7, EBX, 17, ZMM},
    {"avx512bw", LEAF_7, EBX, 30, ZMM},
    {"avx512vl", LEAF_7, EBX, 31, ZMM},
    {"avx512vbmi", LEAF_7, ECX, 1, ZMM},
    {"avx512vnni", LEAF_7, ECX, 11, ZMM},
    {"avxvnni", LEAF_7_1, EAX, 4, YMM},
    {"avx512bf16", LEAF_7_1, EAX, 5, ZMM},
    {"amx-tile", LEAF_7, EDX, 24, TILES},
    {"amx-int8", LEAF_7, EDX, 25, TILES},
};

typedef struct {
  uint32_t words[LEAF_COUNT][4];
  uint32_t saved;
} Processor;

static void read_leaf(Processor *processor, Leaf leaf, uint32_t number, uint32_t part) {
  uint32_t *w = processor->words[leaf];
  // Leaves that there are none of stay zero.
  if (!__get_cpuid_count(number, part, &w[EAX], &w[EBX], &w[ECX], &w[EDX])) memset(w, 0, 16);
}

// Whether the operating system lets this process use tiles, which are large: Linux has to be asked
// once, and answers for all threads; other systems save them for nobody.
static bool may_use_tiles(void) {
#if defined(__linux__)
  const long request_permission = 0x1023, tile_data = 18;
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
  return false;
#endif
}

static uint32_t saved_registers(const Processor *processor) {
  const uint32_t osxsave = 1u << 27, avx = 1u << 28;
  if (~processor->words[LEAF_1][ECX] & (osxsave | avx)) return 0;
  uint32_t low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
#if defined(__APPLE__)
  // The system saves these registers on first use, and announces them only afterwards.
  if ((low & YMM) == YMM) low |= ZMM;
#endif
  if ((low & TILES) == TILES && !may_use_tiles()) low &= ~(uint32_t)TILES;
  return low;
}

static Processor this_processor(void) {
  Processor processor;
  read_leaf(&processor, LEAF_1, 1, 0);
  read_leaf(&processor, LEAF_7, 7, 0);
  read_leaf(&processor, LEAF_7_1, 7, 1);
  processor.saved = saved_registers(&processor);
  return processor;
}

static bool has_feature(const Processor *processor, const Feature *feature) {
  return (processor->words[feature->leaf][feature->in] >> feature->bit & 1) != 0 &&
         (processor->saved & feature->saved) == feature->saved;
}

#elif defined(__aarch64__)
#if defined(__APPLE__)
#include <sys/sysctl.h>
#include <sys/types.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#endif

// The words in which Linux announces features.
typedef enum { HWCAP, HWCAP2, WORD_COUNT } Word;

// Where a feature is announced: a bit of one of Linux's words, and a name of macOS.
typedef struct {
  const char *name;
  Word word;
  uint32_t bit;
  const char *system_name;
} Feature;

static const Feature features[] = {
    {"dotprod", HWCAP, 20, "hw.optional.arm.FEAT_DotProd"},
    {"i8mm", HWCAP2, 13, "hw.optional.arm.FEAT_I8MM"},
    {"bf16", HWCAP2, 14, "hw.optional.arm.FEAT_BF16"},
};

typedef struct {
  unsigned long words[WORD_COUNT];
} Processor;

static Processor this_processor(void) {
#if defined(__linux__)
  return (Processor){{getauxval(AT_HWCAP), getauxval(AT_HWCAP2)}};
#else
  return (Processor){{0}};
#endif
}

static bool has_feature(const Processor *processor, const Feature *feature) {
#if defined(__APPLE__)
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(feature->system_name, &value, &size, NULL, 0) == 0 && value != 0;
#else
  return (processor->words[feature->word] >> feature->bit & 1) != 0;
#endif
}

#else

typedef struct {
  const char *name;
} Feature;

static const Feature features[] = {{""}};

typedef struct {
  bool is_unknown;
} Processor;

static Processor this_processor(void) { return (Processor){true}; }

static bool has_feature(const Processor *processor, const Feature *feature) { return false; }

#endif

// MARK: - Levels

// Whether the processor has every feature of a target. One that no entry describes is taken for
// missing.
static bool has_target(const Processor *processor, const char *target) {
  while (*target != 0) {
    size_t length = strcspn(target, ",");
    bool is_found = false;
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
      if (strlen(features[i].name) == length && strncmp(features[i].name, target, length) == 0)
        is_found = has_feature(processor, &features[i]);
    if (!is_found) return false;
    target += length;
    if (*target == ',') target++;
  }
  return true;
}

// A bit for every supported level, at the place of its number. Asking the processor is slow on
// virtual machines, so the answer is kept; zero, which no answer is, stands for none so far.
static uint32_t supported_levels(void) {
  static _Atomic uint32_t found = 0;
  uint32_t levels = atomic_load_explicit(&found, memory_order_relaxed);
  if (levels == 0) {
    Processor processor = this_processor();
#define DETECT(symbol, id, architecture, target) \
  BK_ON_##architecture(if (has_target(&processor, target)) levels |= 1u << BK_##symbol;)
    BK_LEVELS(DETECT)
#undef DETECT
    atomic_store_explicit(&found, levels, memory_order_relaxed);
  }
  return levels;
}

bool bk_is_supported(BKLevel level) {
  return level < BK_LEVEL_COUNT && (supported_levels() >> level & 1) != 0;
}

const char *bk_level_id(BKLevel level) {
#define ID(symbol, id, architecture, target) #id,
  static const char *const ids[BK_LEVEL_COUNT] = {BK_LEVELS(ID)};
#undef ID
  return ids[level];
}

// The environment can only lower the level; an id that is none of ours, or higher, changes nothing.
static BKLevel choose(void) {
  const char *wish = getenv("BLOCKFORMATS_KERNEL_LEVEL");
  if (wish)
    for (BKLevel level = 0; level < BK_LEVEL_COUNT; level++)
      if (strcmp(wish, bk_level_id(level)) == 0 && bk_is_supported(level)) return level;
  return (BKLevel)(31 - __builtin_clz(supported_levels()));
}

BKLevel bk_best_level(void) {
  static _Atomic int chosen = -1;
  int level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level < 0) {
    level = (int)choose();
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
  }
  return (BKLevel)level;
}

BKLevel bk_usable_level(BKLevel level) {
  return bk_is_supported(level) ? level : bk_best_level();
}

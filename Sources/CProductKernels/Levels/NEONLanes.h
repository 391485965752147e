// What both levels of arm64 share: four lanes.
#include <arm_neon.h>

#define LANES 4
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#include "../Templates/Lanes.h"
#include "../Templates/Word.h"

typedef int8x16_t Table;
INLINE Table table_of(const int8_t *values) { return values ? vld1q_s8(values) : vdupq_n_s8(0); }
INLINE vu nibble_values(Table values, vu word) {
  return (vu)vqtbl1q_s8(values, vandq_u8((uint8x16_t)word, vdupq_n_u8(15)));
}

#define TILE_ROWS 4
#define TILE_VECTORS 2
#define FLOAT_ROWS 6
#define FLOAT_VECTORS 4

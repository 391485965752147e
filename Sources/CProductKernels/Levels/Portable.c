// Portable C: four lanes, which compilers map to any processor's vectors or to none.
#pragma STDC FP_CONTRACT OFF

#define LANES 4
#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))

#include "../Templates/Lanes.h"

typedef const int8_t *Table;
INLINE Table table_of(const int8_t *values) { return values; }
INLINE vu nibble_values(Table values, vu word) {
  vq codes = (vq)word & 15, r;
  for (int i = 0; i < 4 * LANES; i++) r[i] = (uint8_t)values[codes[i]];
  return (vu)r;
}

#define TILE_ROWS 2
#define TILE_VECTORS 2
#define FLOAT_ROWS 4
#define FLOAT_VECTORS 2
#define PREFERS_INT16 true
#include "../Templates/Kernels.h"

KERNEL_TABLE(bk_portable_products, BK_PORTABLE);

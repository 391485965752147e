// Portable C, which compilers map to any processor's vectors or to none.
#define LANES 16
#define HAS_MULTIPLY_ADD
#include "Lanes/Portable.h"

// Calls of a library where the processor may lack the instruction.
static NOINLINE void multiply_add(const float *a, const float *b, const float *c, float *y) {
  for (int i = 0; i < LANES; i++) y[i] = __builtin_fmaf(a[i], b[i], c[i]);
}
INLINE vf fma_f(vf a, vf b, vf c) {
  float x[LANES], y[LANES], z[LANES];
  store_f(x, a);
  store_f(y, b);
  store_f(z, c);
  multiply_add(x, y, z, z);
  return load_f(z);
}

#define TILE_LANES 4
#include "../Templates/Kernels.h"

KERNEL_TABLE(PORTABLE, portable);

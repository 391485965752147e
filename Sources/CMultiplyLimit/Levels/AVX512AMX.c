// x86-64 with AVX-512, VNNI and BF16 as above, and AMX for 8-bit integers.
#if defined(__x86_64__)
#include "../Templates/Loops.h"
#include "../Templates/TileLoop.h"

const multiply_level multiply_limit_avx512_amx = {
  .base = &multiply_limit_avx512_dot,
  .loops = {
    [MULTIPLY_LIMIT_INT8] = {avx512_amx_int8, 4 * 16 * 16 * 4, 1, "tdpbssd"},
    [MULTIPLY_LIMIT_RUNS] = {avx512_amx_int8, 4 * 16 * 16 * 4, 1, "tdpbssd"},
  },
};
#endif

// Vectors of LANES 32-bit lanes, in the compiler's portable vector notation.
//
// The including file defines LANES, INLINE and NOINLINE.
#include <string.h>

#include "../include/CProductKernels.h"

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef int16_t vs __attribute__((ext_vector_type(2 * LANES)));
typedef uint8_t vq __attribute__((ext_vector_type(4 * LANES)));

#define UNROLLED _Pragma("clang loop unroll(full)")

#define SIGN 0x80000000u
#define INFINITE 0x7F800000u
#define CANONICAL_NAN 0x7FC00000u

// Memory may lie at any address, so its pointers only ever serve as those of bytes.
INLINE vu load_u(const void *p) { vu v; memcpy(&v, p, sizeof v); return v; }
INLINE vf load_f(const void *p) { vf v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_f(void *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE uint32_t word_at(const void *p) { uint32_t w; memcpy(&w, p, sizeof w); return w; }
INLINE float float_at(const void *p) { float x; memcpy(&x, p, sizeof x); return x; }

INLINE vu bits_of(vf v) { vu r; memcpy(&r, &v, sizeof r); return r; }
INLINE vf floats_of(vu v) { vf r; memcpy(&r, &v, sizeof r); return r; }
INLINE vf fma_f(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }

// Compilers that know a register to be zero keep it, and run out of registers.
#ifndef HAS_OPAQUE_ZEROS
INLINE vu zeros(void) { return (vu)0; }
#endif

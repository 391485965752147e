// Vectors of LANES 32-bit lanes, in the compiler's portable vector notation, and what all kernels do with
// them.
//
// Each file in this folder is the vectors of one level: it opens the region of code that may use the
// level's instructions, sets LANES to those of a register, includes this file, and defines operations
// that the notation lacks or that the level is better at. Intrinsics are there and nowhere else, but for
// those of AMX's tiles, which are no vectors.
//
// Targets include the file of a level, then their templates. Those that want another number of lanes
// define LANES before; what has the width of a register is then left out.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF
// Vectors wider than registers are passed to functions that are inlined, and to no others.
#pragma clang diagnostic ignored "-Wpsabi"

#define INLINE static inline __attribute__((always_inline, unused))
#define NOINLINE __attribute__((noinline))
#define UNROLLED _Pragma("clang loop unroll(full)")

// Where a level has no better ones.
#ifndef PREFETCH
#define PREFETCH(p) __builtin_prefetch(p)
#define STORE_FENCE() __atomic_thread_fence(__ATOMIC_SEQ_CST)
#endif

typedef float vf __attribute__((ext_vector_type(LANES)));
typedef uint32_t vu __attribute__((ext_vector_type(LANES)));
typedef int32_t vi __attribute__((ext_vector_type(LANES)));
typedef uint16_t vh __attribute__((ext_vector_type(LANES)));
typedef uint8_t vb __attribute__((ext_vector_type(LANES)));
// What two vectors hold as bytes and as 16-bit lanes, and four as bytes.
typedef uint8_t vp __attribute__((ext_vector_type(2 * LANES)));
typedef uint16_t vw __attribute__((ext_vector_type(2 * LANES)));
typedef int16_t vws __attribute__((ext_vector_type(2 * LANES)));
typedef uint8_t vq __attribute__((ext_vector_type(4 * LANES)));
typedef int8_t vqs __attribute__((ext_vector_type(4 * LANES)));

#define SIGN 0x80000000u
#define MAGNITUDE 0x7FFFFFFFu
#define INFINITE 0x7F800000u
#define CANONICAL_NAN 0x7FC00000u

// Memory may lie at any address, so its pointers only ever serve as those of bytes.
INLINE vf load_f(const void *p) { vf v; memcpy(&v, p, sizeof v); return v; }
INLINE vu load_u(const void *p) { vu v; memcpy(&v, p, sizeof v); return v; }
INLINE vb load_b(const void *p) { vb v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_f(void *p, vf v) { memcpy(p, &v, sizeof v); }
INLINE void store_u(void *p, vu v) { memcpy(p, &v, sizeof v); }
INLINE void store_b(void *p, vb v) { memcpy(p, &v, sizeof v); }
INLINE float float_at(const void *p) { float x; memcpy(&x, p, sizeof x); return x; }

INLINE vu bits_of(vf v) { vu r; memcpy(&r, &v, sizeof r); return r; }
INLINE vf floats_of(vu v) { vf r; memcpy(&r, &v, sizeof r); return r; }
INLINE vu all_u(uint32_t x) { return (vu)x; }
INLINE vf all_f(float x) { return (vf)x; }
INLINE vu max_u(vu a, vu b) { return __builtin_elementwise_max(a, b); }
INLINE vu min_u(vu a, vu b) { return __builtin_elementwise_min(a, b); }
INLINE vi max_i(vi a, vi b) { return __builtin_elementwise_max(a, b); }
INLINE vi min_i(vi a, vi b) { return __builtin_elementwise_min(a, b); }
#ifndef HAS_MULTIPLY_ADD
INLINE vf fma_f(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
#endif

// What the kernels of products do with lanes beside what `Lanes/Vectors.h` has.

INLINE uint32_t word_at(const void *p) { uint32_t w; memcpy(&w, p, sizeof w); return w; }

// Compilers that know a register to be zero keep it; levels that then run out of registers hide it.
#ifndef HAS_OPAQUE_ZEROS
INLINE vu zeros(void) { return (vu)0; }
#endif

// One loop of CStreamLimit.c, which includes this file once for each vector width and kind of
// store. Expects:
//   LOOP_NAME       the function
//   LOOP_TARGET     the attribute that allows the width, or nothing
//   LOOP_BYTES      bytes of a vector
//   LOOP_STORE(v,p) stores vector v at p

#define LOOP_JOIN_(a, b) a##b
#define LOOP_JOIN(a, b) LOOP_JOIN_(a, b)
#define LOOP_VECTOR LOOP_JOIN(LOOP_NAME, _vector)

typedef uint64_t LOOP_VECTOR __attribute__((vector_size(LOOP_BYTES), may_alias));

// Whole vectors of both sides: `reads` and `writes` of them.
LOOP_TARGET
static uint64_t LOOP_NAME(
    const void *input, size_t reads, void *output, size_t writes, uint64_t pattern) {
  const LOOP_VECTOR *in = (const LOOP_VECTOR *)input;
  LOOP_VECTOR *out = (LOOP_VECTOR *)output;
  // Several sums, so that no addition waits for the one before it.
  LOOP_VECTOR s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
  LOOP_VECTOR fill = (LOOP_VECTOR){0} + pattern;

  // The longer side advances by a fixed number of vectors, the shorter one as many as it takes to
  // keep up, found by a multiplication of 32.32 bits. At the end the shorter one may lag behind by
  // rounding; the loops after it finish both.
  size_t r = 0, w = 0;
  const int is_far = reads * LOOP_BYTES > NEAR_BYTES;
  if (reads >= writes) {
    uint64_t sections = reads / SECTION;
    uint64_t step = sections ? ((uint64_t)writes << 32) / sections : 0;
    for (uint64_t section = 1; section <= sections; section++) {
      if (is_far) {
        // Processors that are left to themselves stop at the end of every page.
        uintptr_t ahead = (uintptr_t)(in + r) + READ_AHEAD;
        for (int line = 0; line < SECTION * LOOP_BYTES; line += 64)
          __builtin_prefetch((const void *)(ahead + (uintptr_t)line));
      }
      for (int i = 0; i < SECTION; i += 4) {
        s0 += in[r + i];
        s1 += in[r + i + 1];
        s2 += in[r + i + 2];
        s3 += in[r + i + 3];
      }
      r += SECTION;
      for (size_t end = (size_t)((section * step) >> 32); w < end; w++) LOOP_STORE(fill, &out[w]);
    }
  } else {
    uint64_t sections = writes / SECTION;
    uint64_t step = sections ? ((uint64_t)reads << 32) / sections : 0;
    for (uint64_t section = 1; section <= sections; section++) {
      for (size_t end = (size_t)((section * step) >> 32); r < end; r++) s0 += in[r];
      for (int i = 0; i < SECTION; i++) LOOP_STORE(fill, &out[w + i]);
      w += SECTION;
    }
  }
  for (; r < reads; r++) s0 += in[r];
  for (; w < writes; w++) LOOP_STORE(fill, &out[w]);

  LOOP_VECTOR sums = (s0 + s1) + (s2 + s3);
  uint64_t sum = 0;
  for (int i = 0; i < (int)(LOOP_BYTES / sizeof(uint64_t)); i++) sum += sums[i];
  return sum;
}

#undef LOOP_VECTOR
#undef LOOP_JOIN
#undef LOOP_JOIN_
#undef LOOP_NAME
#undef LOOP_TARGET
#undef LOOP_BYTES
#undef LOOP_STORE

#include "CStreamLimit.h"

#include <string.h>

#include "CKernelLevels.h"

// Vectors that the longer side advances by before the other follows: few enough that reads and
// writes overlap in flight, enough that the other side's loop costs nothing beside them.
#define SECTION 16
// Bytes from what is read to what is asked for, where there are more than a near cache may hold.
#define READ_AHEAD 4096
#define NEAR_BYTES (1 << 20)

#define STORE(v, p) (*(p) = (v))
#if defined(__has_builtin)
#if __has_builtin(__builtin_nontemporal_store)
#define STORE_PAST_CACHES(v, p) __builtin_nontemporal_store((v), (p))
#endif
#endif
#ifndef STORE_PAST_CACHES
#define STORE_PAST_CACHES(v, p) STORE(v, p)
#endif

#define LOOP_NAME move_16
#define LOOP_TARGET
#define LOOP_BYTES 16
#define LOOP_STORE STORE
#include "StreamLoop.h"

#define LOOP_NAME move_16_past_caches
#define LOOP_TARGET
#define LOOP_BYTES 16
#define LOOP_STORE STORE_PAST_CACHES
#include "StreamLoop.h"

#if defined(__x86_64__)

#define LOOP_NAME move_32
#define LOOP_TARGET __attribute__((target(BK_AVX2_TARGET)))
#define LOOP_BYTES 32
#define LOOP_STORE STORE
#include "StreamLoop.h"

#define LOOP_NAME move_32_past_caches
#define LOOP_TARGET __attribute__((target(BK_AVX2_TARGET)))
#define LOOP_BYTES 32
#define LOOP_STORE STORE_PAST_CACHES
#include "StreamLoop.h"

#define LOOP_NAME move_64
#define LOOP_TARGET __attribute__((target(BK_AVX512_TARGET)))
#define LOOP_BYTES 64
#define LOOP_STORE STORE
#include "StreamLoop.h"

#define LOOP_NAME move_64_past_caches
#define LOOP_TARGET __attribute__((target(BK_AVX512_TARGET)))
#define LOOP_BYTES 64
#define LOOP_STORE STORE_PAST_CACHES
#include "StreamLoop.h"

#endif

size_t stream_limit_vector_bytes(void) {
  if (bk_is_supported(BK_AVX512)) return 64;
  return bk_is_supported(BK_AVX2) ? 32 : 16;
}

typedef uint64_t move_loop(const void *, size_t, void *, size_t, uint64_t);

static move_loop *loop_of(size_t vector_bytes, enum stream_limit_stores stores) {
  int past_caches = stores == STREAM_LIMIT_NON_TEMPORAL;
#if defined(__x86_64__)
  if (vector_bytes == 64) return past_caches ? move_64_past_caches : move_64;
  if (vector_bytes == 32) return past_caches ? move_32_past_caches : move_32;
#else
  (void)vector_bytes;
#endif
  return past_caches ? move_16_past_caches : move_16;
}

uint64_t stream_limit_move(
    const void *input, size_t input_bytes, void *output, size_t output_bytes, uint8_t pattern,
    enum stream_limit_stores stores, size_t vector_bytes) {
  size_t reads = input_bytes / vector_bytes, writes = output_bytes / vector_bytes;
  uint64_t sum = loop_of(vector_bytes, stores)(
      input, reads, output, writes, pattern * UINT64_C(0x0101010101010101));

  const uint8_t *in = (const uint8_t *)input;
  for (size_t i = reads * vector_bytes; i < input_bytes; i += sizeof(uint64_t)) {
    uint64_t word = 0;
    size_t left = input_bytes - i;
    memcpy(&word, in + i, left < sizeof(word) ? left : sizeof(word));
    sum += word;
  }
  size_t written = writes * vector_bytes;
  if (written < output_bytes) memset((uint8_t *)output + written, pattern, output_bytes - written);
#if defined(__x86_64__)
  // Past the caches, stores may still be on their way; they are part of the work.
  if (stores == STREAM_LIMIT_NON_TEMPORAL) __builtin_ia32_sfence();
#endif
  return sum;
}

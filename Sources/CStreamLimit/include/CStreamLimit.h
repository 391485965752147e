#ifndef CSTREAMLIMIT_H
#define CSTREAMLIMIT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How the loops write.
enum stream_limit_stores {
  /// Stores that first bring the line into the cache.
  STREAM_LIMIT_ORDINARY = 0,
  /// Stores that go past the caches; ordinary ones where the compiler has no others.
  STREAM_LIMIT_NON_TEMPORAL = 1,
};

/// Reads every input byte and writes every output byte once, and does nothing else.
///
/// Both sides advance together at the ratio of their sizes. Any kernel that turns the one into the
/// other has at least this to do.
///
/// - input, output: aligned to 64 bytes; they must not overlap.
/// - input_bytes, output_bytes: any sizes, 0 included.
/// - vector_bytes: 16, 32 or 64, at most `stream_limit_vector_bytes()`.
/// - pattern: the value of every byte written. Not 0, which some caches store more cheaply.
/// - Returns the sum, modulo 2^64, of the input as 64-bit words in the machine's byte order, the
///   last one filled up with zero bytes: the proof that everything was read.
uint64_t stream_limit_move(
    const void *input, size_t input_bytes, void *output, size_t output_bytes, uint8_t pattern,
    enum stream_limit_stores stores, size_t vector_bytes);

/// The bytes of the widest vectors that a level of this machine has.
size_t stream_limit_vector_bytes(void);

#ifdef __cplusplus
}
#endif

#endif

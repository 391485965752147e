// Philox4x32-10: block k gives the words of elements 4k to 4k + 3.

// One block a 64-bit lane, each word in the lower half; what the upper half holds never matters,
// since products take lower halves.
typedef uint64_t vl __attribute__((ext_vector_type(LANES / 2)));

#define LOWER 0xFFFFFFFFull

// The keys of ten rounds.
typedef struct { vl first[10], second[10]; } RoundKeys;

INLINE RoundKeys round_keys(uint64_t seed, uint32_t stream) {
  RoundKeys keys;
  uint32_t k0 = (uint32_t)seed, k1 = stream;
  for (int round = 0; round < 10; round++) {
    keys.first[round] = (vl)(uint64_t)k0;
    keys.second[round] = (vl)(uint64_t)k1;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return keys;
}

// Chains of products that are worked on at once, to hide how long each takes.
#define CHAINS 4

// The words of CHAINS vectors of blocks.
INLINE void philox_rounds(
    const RoundKeys *keys, uint64_t seed, uint64_t block, vl words[CHAINS][4]) {
  for (int chain = 0; chain < CHAINS; chain++) {
    vl number = block + (uint64_t)chain * (LANES / 2);
    for (int lane = 0; lane < LANES / 2; lane++) number[lane] += (uint64_t)lane;
    words[chain][0] = number;
    words[chain][1] = number >> 32;
    words[chain][2] = seed >> 32;
    words[chain][3] = 0;
  }
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; round++) {
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
      vl *c = words[chain];
      vl first = (c[0] & LOWER) * 0xD2511F53ull, second = (c[2] & LOWER) * 0xCD9E8D57ull;
      c[0] = (second >> 32) ^ c[1] ^ keys->first[round];
      c[1] = second;
      c[2] = (first >> 32) ^ c[3] ^ keys->second[round];
      c[3] = first;
    }
  }
}

#if LANES == 16
#define FIRST_PAIRS 0, 8, 1, 9, 2, 10, 3, 11
#define LAST_PAIRS 4, 12, 5, 13, 6, 14, 7, 15
#elif LANES == 8
#define FIRST_PAIRS 0, 4, 1, 5
#define LAST_PAIRS 2, 6, 3, 7
#elif LANES == 4
#define FIRST_PAIRS 0, 2
#define LAST_PAIRS 1, 3
#endif

static void random_words(
    uint64_t seed, uint32_t stream, uint64_t first, size_t count, uint32_t *words) {
  RoundKeys keys = round_keys(seed, stream);
  uint64_t block = first / 4;
  const size_t step = 2 * LANES * CHAINS;
  for (size_t i = 0; i < count; i += step, block += step / 4) {
    vl c[CHAINS][4], pairs[CHAINS][2];
    philox_rounds(&keys, seed, block, c);
    for (int chain = 0; chain < CHAINS; chain++) {
      vl low = (c[chain][0] & LOWER) | (c[chain][1] << 32);
      vl high = (c[chain][2] & LOWER) | (c[chain][3] << 32);
      pairs[chain][0] = __builtin_shufflevector(low, high, FIRST_PAIRS);
      pairs[chain][1] = __builtin_shufflevector(low, high, LAST_PAIRS);
    }
    if (count - i >= step) {
      memcpy(words + i, pairs, sizeof pairs);
    } else {
      memcpy(words + i, pairs, (count - i) * sizeof(uint32_t));
    }
  }
}

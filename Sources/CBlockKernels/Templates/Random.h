// Philox4x32-10: block k gives the words of elements 4k to 4k + 3.

typedef uint64_t vl __attribute__((ext_vector_type(LANES / 2)));

// The high and low halves of 32-bit products.
INLINE void multiply(vu a, uint32_t factor, vu *high, vu *low) {
  vl pairs;
  memcpy(&pairs, &a, sizeof pairs);
  vl even = (pairs & 0xFFFFFFFF) * (uint64_t)factor, odd = (pairs >> 32) * (uint64_t)factor;
  vl top = (even >> 32) | (odd & 0xFFFFFFFF00000000ull);
  vl bottom = (even & 0xFFFFFFFF) | (odd << 32);
  memcpy(high, &top, sizeof top);
  memcpy(low, &bottom, sizeof bottom);
}

INLINE void philox(uint64_t seed, uint32_t stream, uint64_t block, vu words[4]) {
  uint32_t k0 = (uint32_t)seed, k1 = stream;
  vu c0 = lane_numbers() + (uint32_t)block;
  vu c1 = all_u((uint32_t)(block >> 32)) - (vu)(c0 < (uint32_t)block);
  vu c2 = all_u((uint32_t)(seed >> 32)), c3 = 0;
  for (int round = 0; round < 10; round++) {
    vu high0, low0, high1, low1;
    multiply(c0, 0xD2511F53u, &high0, &low0);
    multiply(c2, 0xCD9E8D57u, &high1, &low1);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  // From words of blocks to words in the order of elements.
  vu low02 = low_zip(c0, c2), high02 = high_zip(c0, c2);
  vu low13 = low_zip(c1, c3), high13 = high_zip(c1, c3);
  words[0] = low_zip(low02, low13);
  words[1] = high_zip(low02, low13);
  words[2] = low_zip(high02, high13);
  words[3] = high_zip(high02, high13);
}

static void random_words(
    uint64_t seed, uint32_t stream, uint64_t first, size_t count, uint32_t *words) {
  uint64_t block = first / 4;
  size_t i = 0;
  vu group[4];
  for (; i + 4 * LANES <= count; i += 4 * LANES, block += LANES) {
    philox(seed, stream, block, group);
    for (int j = 0; j < 4; j++) store_u(words + i + j * LANES, group[j]);
  }
  if (i < count) {
    philox(seed, stream, block, group);
    memcpy(words + i, group, (count - i) * sizeof(uint32_t));
  }
}

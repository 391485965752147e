// Codes of 1 to 8 bits to and from packed bytes, eight codes a 64-bit word.
//
// A word of eight bytes is squeezed in three steps: pairs of codes, then of pairs, then of fours.

#define FOURS 0x0000FFFF0000FFFFull
#define EIGHTS 0x00000000FFFFFFFFull

INLINE uint64_t ones(uint32_t count) { return count >= 64 ? ~0ull : (1ull << count) - 1; }

#ifndef HAS_BIT_GATHER
INLINE uint64_t squeeze(uint64_t x, uint32_t width) {
  x = (x & PAIRS) | ((x & ~PAIRS) >> (8 - width));
  x = (x & FOURS) | ((x & ~FOURS) >> (16 - 2 * width));
  return (x & EIGHTS) | ((x & ~EIGHTS) >> (32 - 4 * width));
}

INLINE uint64_t spread_word(uint64_t x, uint32_t width) {
  x &= ones(8 * width);
  x = (x & ones(4 * width)) | ((x & ~ones(4 * width)) << (32 - 4 * width));
  uint64_t low = ones(2 * width) * 0x0000000100000001ull;
  x = (x & low) | ((x & ~low) << (16 - 2 * width));
  low = ones(width) * 0x0001000100010001ull;
  return (x & low) | ((x & ~low) << (8 - width));
}
#else
INLINE uint64_t squeeze(uint64_t x, uint32_t width) {
  return _pext_u64(x, ones(width) * 0x0101010101010101ull);
}

INLINE uint64_t spread_word(uint64_t x, uint32_t width) {
  return _pdep_u64(x, ones(width) * 0x0101010101010101ull);
}
#endif

// Words are stored and loaded whole where that stays inside the row: the next word overwrites, or
// never looks at, the bytes behind its own.
static void pack(const uint8_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  if (width == 8) {
    memcpy(bytes, codes, count);
    return;
  }
  size_t total = (count * width + 7) / 8, i = pack_words(codes, count, width, bytes);
  size_t position = i / 8 * width;
  for (; i + 8 <= count; i += 8, position += width) {
    uint64_t word;
    memcpy(&word, codes + i, 8);
    word = squeeze(word, width);
    if (position + 8 <= total) {
      memcpy(bytes + position, &word, 8);
    } else {
      memcpy(bytes + position, &word, width);
    }
  }
  if (i < count) {
    uint64_t word = 0;
    memcpy(&word, codes + i, count - i);
    word = squeeze(word, width);
    memcpy(bytes + position, &word, total - position);
  }
}

static void unpack(const uint8_t *bytes, size_t count, uint32_t width, uint8_t *codes) {
  if (width == 8) {
    memcpy(codes, bytes, count);
    return;
  }
  size_t total = (count * width + 7) / 8, i = unpack_words(bytes, count, width, codes);
  size_t position = i / 8 * width;
  for (; i + 8 <= count; i += 8, position += width) {
    uint64_t word = 0;
    if (position + 8 <= total) {
      memcpy(&word, bytes + position, 8);
    } else {
      memcpy(&word, bytes + position, width);
    }
    word = spread_word(word, width);
    memcpy(codes + i, &word, 8);
  }
  if (i < count) {
    uint64_t word = 0;
    memcpy(&word, bytes + position, total - position);
    word = spread_word(word, width);
    memcpy(codes + i, &word, count - i);
  }
}

static void pack_wide(const uint32_t *codes, size_t count, uint32_t width, uint8_t *bytes) {
  size_t i = 0;
  if (width == 32) {
    memcpy(bytes, codes, 4 * count);
    return;
  }
  if (width == 16) {
    for (; i + LANES <= count; i += LANES) {
      vh half = narrow_h(load_u(codes + i));
      memcpy(bytes + 2 * i, &half, sizeof half);
    }
    bytes += 2 * i;
  }
  uint64_t pending = 0;
  uint32_t bits = 0;
  for (; i < count; i++) {
    pending |= (uint64_t)codes[i] << bits;
    bits += width;
    uint32_t whole = bits / 8;
    memcpy(bytes, &pending, whole);
    bytes += whole;
    pending = whole == 8 ? 0 : pending >> (8 * whole);
    bits -= 8 * whole;
  }
  if (bits > 0) *bytes = (uint8_t)pending;
}

static void unpack_wide(const uint8_t *bytes, size_t count, uint32_t width, uint32_t *codes) {
  size_t i = 0;
  if (width == 32) {
    memcpy(codes, bytes, 4 * count);
    return;
  }
  if (width == 16) {
    for (; i + LANES <= count; i += LANES) {
      vh half;
      memcpy(&half, bytes + 2 * i, sizeof half);
      store_u(codes + i, widen_h(half));
    }
    bytes += 2 * i;
  }
  uint64_t pending = 0;
  uint32_t bits = 0;
  for (; i < count; i++) {
    uint32_t needed = width > bits ? (width - bits + 7) / 8 : 0;
    uint64_t next = 0;
    memcpy(&next, bytes, needed);
    bytes += needed;
    pending |= next << bits;
    bits += 8 * needed;
    codes[i] = (uint32_t)(pending & ones(width));
    pending >>= width;
    bits -= width;
  }
}

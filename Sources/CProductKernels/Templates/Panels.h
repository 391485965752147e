// From codes to operands.

// Levels whose permutations do better define their own.
#ifndef HAS_BYTE_MAP
INLINE size_t map_int8_vectors(
    const uint8_t *codes, size_t count, uint32_t width, const int8_t *values, int8_t *elements) {
  return 0;
}
INLINE size_t map_int16_vectors(
    const uint8_t *codes, size_t count, uint32_t width, const int16_t *values,
    int16_t *elements) {
  return 0;
}
#endif

static void map_int8(
    const uint8_t *codes, size_t count, uint32_t width, const int8_t *values, int8_t *elements) {
  size_t i = map_int8_vectors(codes, count, width, values, elements);
  for (; i < count; i++) elements[i] = values[codes[i]];
}

static void map_int16(
    const uint8_t *codes, size_t count, uint32_t width, const int16_t *values,
    int16_t *elements) {
  size_t i = map_int16_vectors(codes, count, width, values, elements);
  for (; i < count; i++) elements[i] = values[codes[i]];
}

static void scale_int16(
    int16_t *elements, size_t count, size_t length, const uint8_t *shifts, uint32_t deepest) {
  if (length == 2) {
    for (size_t pair = 0; pair < count / 2; pair++) {
      int16_t factor = (int16_t)(1 << (deepest - shifts[pair]));
      elements[2 * pair] = (int16_t)(elements[2 * pair] * factor);
      elements[2 * pair + 1] = (int16_t)(elements[2 * pair + 1] * factor);
    }
    if (count % 2)
      elements[count - 1] =
          (int16_t)(elements[count - 1] * (1 << (deepest - shifts[count / 2])));
    return;
  }
  for (size_t i = 0; i < count; i++)
    elements[i] = (int16_t)(elements[i] * (1 << (deepest - shifts[i / length])));
}

static void join_shifts(
    uint8_t *codes, size_t count, size_t length, const uint8_t *shifts, uint32_t width) {
  if (length == 2) {
    for (size_t pair = 0; pair < count / 2; pair++) {
      uint8_t bits = (uint8_t)(shifts[pair] << width);
      codes[2 * pair] |= bits;
      codes[2 * pair + 1] |= bits;
    }
    if (count % 2) codes[count - 1] |= (uint8_t)(shifts[count / 2] << width);
    return;
  }
  for (size_t i = 0; i < count; i++) codes[i] |= (uint8_t)(shifts[i / length] << width);
}

// The sums of the four bytes of every lane.
#ifdef HAS_UNSIGNED_BYTE_DOT
INLINE vi byte_sums(vu v) { return dot_unsigned_bytes((vi)0, (vu)0x01010101u, v); }
#else
INLINE vi byte_sums(vu v) {
  vws pairs = ((vws)v << 8 >> 8) + ((vws)v >> 8);
  return ((vi)pairs << 16 >> 16) + ((vi)pairs >> 16);
}
#endif

#define OFFSET_WORDS 256

INLINE void word_group_offsets(
    const int32_t *words, size_t count, const size_t length, int32_t *offsets) {
  for (size_t group = 0; group < count / length; group++) {
    int32_t sum = 0;
    UNROLLED for (size_t i = 0; i < length; i++) sum += words[group * length + i];
    offsets[group] = -128 * sum;
  }
}

static void group_offsets(
    const int8_t *elements, size_t count, size_t length, int32_t *offsets) {
  size_t i = 0;
  if (length == 16 || length == 32) {
    int32_t words[OFFSET_WORDS];
    for (; i + sizeof words <= count; i += sizeof words) {
      for (size_t word = 0; word < OFFSET_WORDS; word += LANES) {
        vi sums = byte_sums(load_u(elements + i + 4 * word));
        memcpy(words + word, &sums, sizeof sums);
      }
      if (length == 16) {
        word_group_offsets(words, OFFSET_WORDS, 4, offsets + i / 16);
      } else {
        word_group_offsets(words, OFFSET_WORDS, 8, offsets + i / 32);
      }
    }
  }
  for (; i < count; i += length) {
    size_t end = count - i < length ? count : i + length;
    int32_t sum = 0;
    for (size_t k = i; k < end; k++) sum += elements[k];
    offsets[i / length] = (int32_t)(-128u * (uint32_t)sum);
  }
}

// The offset of a run from the sums of bytes 0 and 1, and of 2 and 3, of its words.
INLINE int32_t run_offset(uint32_t low, uint32_t high, uint32_t bias) {
  return (int32_t)((-bias * low & 0xFFFF) | -bias * high << 16);
}

// The same from both in one word, 256 too large for each of their words: so none is negative, and
// nothing is carried from one to the other.
INLINE void word_run_offsets(
    const uint32_t *words, size_t count, const size_t run, uint32_t bias, int32_t *offsets) {
  for (size_t i = 0; i < count / run; i++) {
    uint32_t sum = 0;
    UNROLLED for (size_t word = 0; word < run; word++) sum += words[i * run + word];
    uint32_t excess = 256 * (uint32_t)run;
    offsets[i] = run_offset((sum & 0xFFFF) - excess, (sum >> 16) - excess, bias);
  }
}

static void run_offsets(
    const int8_t *elements, size_t groups, size_t words, size_t run, uint32_t bias,
    int32_t *offsets) {
  size_t group = 0;
  if (words % run == 0 && (run == 4 || run == 8) && OFFSET_WORDS % words == 0) {
    uint32_t halves[OFFSET_WORDS];
    for (; group + OFFSET_WORDS / words <= groups; group += OFFSET_WORDS / words) {
      for (size_t word = 0; word < OFFSET_WORDS; word += LANES) {
        vws bytes = (vws)load_u(elements + 4 * word);
        vws sums = (bytes << 8 >> 8) + (bytes >> 8) + 256;
        memcpy(halves + word, &sums, sizeof sums);
      }
      if (run == 4) {
        word_run_offsets(halves, OFFSET_WORDS, 4, bias, offsets);
      } else {
        word_run_offsets(halves, OFFSET_WORDS, 8, bias, offsets);
      }
      elements += 4 * OFFSET_WORDS;
      offsets += OFFSET_WORDS / run;
    }
  }
  for (; group < groups; group++) {
    for (size_t word = 0; word < words; word += run) {
      size_t end = words - word < run ? words : word + run;
      uint32_t low = 0, high = 0;
      for (size_t i = 4 * word; i < 4 * end; i += 4) {
        low += (uint32_t)(elements[i] + elements[i + 1]);
        high += (uint32_t)(elements[i + 2] + elements[i + 3]);
      }
      *offsets++ = run_offset(low, high, bias);
    }
    elements += 4 * words;
  }
}

static uint32_t least_bfloat16(const uint8_t *elements, size_t count) {
  // One less than the bits, so that zeros become the greatest.
  vw least = (vw)(uint16_t)0xFFFF;
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    vw bits = (vw)load_u(elements + 2 * i) & 0x7FFF;
    least = __builtin_elementwise_min(least, bits - 1);
  }
  uint16_t result = 0xFFFF;
  for (int lane = 0; lane < 2 * LANES; lane++) result = least[lane] < result ? least[lane] : result;
  for (; i < count; i++) {
    uint16_t bits;
    memcpy(&bits, elements + 2 * i, sizeof bits);
    bits = (uint16_t)((bits & 0x7FFF) - 1);
    result = bits < result ? bits : result;
  }
  return result + 1u;
}

static void interleave(
    const uint8_t *elements, size_t stride, size_t rows, size_t words, uint8_t *panel) {
  for (size_t word = 0; word < words; word++) {
    uint32_t line[BK_PANEL] = {0};
    for (size_t row = 0; row < rows; row++) line[row] = word_at(elements + row * stride + 4 * word);
    memcpy(panel + word * sizeof line, line, sizeof line);
  }
}

static void widen_bfloat16_row(const uint8_t *row, size_t words, uint8_t *wide) {
  size_t word = 0;
  typedef uint32_t half __attribute__((ext_vector_type(LANES / 2)));
  for (; word + LANES / 2 <= words; word += LANES / 2) {
    half pairs;
    memcpy(&pairs, row + 4 * word, sizeof pairs);
    hw each = __builtin_convertvector(pairs, hw);
    each = (each & 0xFFFF0000) | each << 48;
    vu numbers;
    memcpy(&numbers, &each, sizeof numbers);
    store_f(wide + 8 * word, flush(floats_of(numbers)));
  }
  for (; word < words; word++) {
    uint32_t pair = word_at(row + 4 * word);
    const uint32_t numbers[2] = {pair & 0xFFFF0000u, pair << 16};
    for (int i = 0; i < 2; i++) {
      uint32_t bits = numbers[i] & INFINITE ? numbers[i] : numbers[i] & SIGN;
      memcpy(wide + 8 * word + 4 * i, &bits, sizeof bits);
    }
  }
}

static void widen_bfloat16_panel(const uint8_t *panel, size_t words, uint8_t *wide) {
  for (size_t word = 0; word < words; word++) {
    for (size_t i = 0; i < 4 * BK_PANEL; i += sizeof(vu)) {
      vu pairs = load_u(panel + i);
      store_f(wide + i, flush(floats_of(pairs & 0xFFFF0000u)));
      store_f(wide + 4 * BK_PANEL + i, flush(floats_of(pairs << 16)));
    }
    panel += 4 * BK_PANEL;
    wide += 8 * BK_PANEL;
  }
}

static void widen_bytes(const uint8_t *panel, size_t words, uint8_t *wide) {
  for (size_t word = 0; word < words; word++) {
    for (size_t i = 0; i < 4 * BK_PANEL; i += sizeof(vu)) {
      vi bytes = (vi)load_u(panel + i);
      vi first = ((bytes << 24 >> 24) & 0xFFFF) | (bytes << 16 >> 24 << 16);
      vi second = ((bytes << 8 >> 24) & 0xFFFF) | (bytes >> 24 << 16);
      memcpy(wide + i, &first, sizeof first);
      memcpy(wide + 4 * BK_PANEL + i, &second, sizeof second);
    }
    panel += 4 * BK_PANEL;
    wide += 8 * BK_PANEL;
  }
}

static void join_nibbles(const uint8_t *panel, size_t words, uint8_t *nibbles) {
  for (size_t pair = 0; pair < words / 2; pair++) {
    for (size_t i = 0; i < 4 * BK_PANEL; i++)
      nibbles[i] = (uint8_t)(panel[i] | panel[i + 4 * BK_PANEL] << 4);
    panel += 8 * BK_PANEL;
    nibbles += 4 * BK_PANEL;
  }
}

static void split_nibbles(
    const uint8_t *nibbles, size_t words, const int8_t *values, uint8_t *panel) {
  ByteTable table = byte_table_of(values);
  for (size_t pair = 0; pair < words / 2; pair++) {
    for (size_t i = 0; i < 4 * BK_PANEL; i += sizeof(vu)) {
      vu word = load_u(nibbles + i);
      vu low = nibble_values(table, word), high = nibble_values(table, word >> 4);
      memcpy(panel + i, &low, sizeof low);
      memcpy(panel + 4 * BK_PANEL + i, &high, sizeof high);
    }
    panel += 8 * BK_PANEL;
    nibbles += 4 * BK_PANEL;
  }
}

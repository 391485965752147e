// Four vectors of tame values to codes: the usual case, finished in 16-bit lanes.

// Ways to round tame values.
typedef enum {
  TAME_NEAREST_FLOAT,      // to nearest even, with exponents
  TAME_NEAREST_MAGNITUDE,  // to nearest even, sign and magnitude
  TAME_NEAREST_INTEGER,    // to nearest even, two's complement
  TAME_TABLE,              // by a table's thresholds
  TAME_ANY,                // by the element's rounding
} TameWay;

// Words of pairs of vectors may come in an order of the level's own, which ordered_bytes and
// ordered_words undo.

// Counts of overflows in lanes of words or bytes, emptied before they are full.
typedef struct {
  vw words;
  vq bytes;
  uint32_t steps;
  size_t total;
} OverflowCount;

INLINE void flush_overflows(OverflowCount *count) {
  if (__builtin_reduce_or(count->words) != 0) count->total += sum_words(count->words);
  count->total += sum_bytes(count->bytes);
  count->words = 0;
  count->bytes = 0;
  count->steps = 0;
}

// Signed codes of magnitude codes, given words whose top bit is the sign.
INLINE vw finish_words(const Rounder *r, vw code, vw signs, bool is_integer, OverflowCount *over) {
  vw limit = (vw)(uint16_t)r->e.greatest;
  if (is_integer)
    limit += (signs >> 15) & (uint16_t)(r->e.greatest_negative - r->e.greatest);
  vw kept = __builtin_elementwise_min(code, limit);
  over->words -= (vw)(code != kept);
  code = kept;
  if (is_integer) {
    vw sign = (vw)((vws)signs >> 15);
    return (code ^ sign) - sign;
  }
  vw sign = (signs >> (16 - r->e.width)) & (uint16_t)r->sign_bit;
  return code | sign;
}

// Adding 2^23 spacings of its binade to a magnitude makes the processor round it to a whole number
// of spacings: the low half of the sum. The high half has sign and binade.
INLINE vu magic_sums(const Rounder *r, vf values, vu binades) {
#ifdef HAS_FUSED_SUMS
  // A product with a power of two is exact: the sum is rounded as without it.
  return bits_of(fma_f(floats_of(binades), all_f(r->magic_factor), values));
#else
  return bits_of(values + floats_of(binades + r->magic));
#endif
}
INLINE vu nearest_sums(const Rounder *r, vf values) {
  return magic_sums(r, values, signed_binades(values, r->lowest_bits));
}

// The same for codes of a byte, which find signs elsewhere where that is quicker.
INLINE vu quad_sums(const Rounder *r, vf values) {
#ifdef HAS_SEPARATE_SIGNS
  vu magnitude = bits_of(values) & MAGNITUDE;
  vu binade = max_u(magnitude & INFINITE, all_u(r->lowest_bits));
  return magic_sums(r, floats_of(magnitude), binade);
#else
  return nearest_sums(r, values);
#endif
}

INLINE vw nearest_words(const Rounder *r, vu first, vu second, OverflowCount *over) {
  vw spacings = paired_low_words(first, second), high = paired_high_words(first, second);
  vw binade = (high & 0x7FFF) - (uint16_t)((r->lowest_bits + r->magic) >> 16);
  // The binade lies at bit 7 of its half; codes have it above their fraction.
  vw field = r->e.fraction_bits > 7 ? binade << (r->e.fraction_bits - 7)
                                    : binade >> (7 - r->e.fraction_bits);
  return finish_words(r, field + spacings, high, false, over);
}

// The same for one spacing everywhere, where rounding is a conversion.
INLINE vw fixed_words(
    const Rounder *r, bool is_integer, vf first, vf second, OverflowCount *over) {
  vw whole = paired_low_words(round_to_integers(first), round_to_integers(second));
  vw signs = is_integer ? whole : paired_high_words(bits_of(first), bits_of(second));
  return finish_words(
      r, (vw)__builtin_elementwise_abs((vws)whole), signs, is_integer, over);
}

// Magnitude codes by any rounding.
INLINE vu any_magnitudes(
    const Rounder *r, BKRounding rounding, vf value, vf product, vu random) {
  vu bits = bits_of(product);
  if (r->e.kind == BK_PATTERN) return pattern_codes(r, rounding, bits, random);
  // Where scaling is exact a value above zero may leave FP32 but does not become zero.
  vu source = r->e.is_scaling_exact ? bits_of(value) : bits;
  return rounded_codes(r, rounding, bits, (source & MAGNITUDE) == 0, random);
}

INLINE vw any_words(
    const Rounder *r, BKRounding rounding, const vf *values, const vf *products, const vu *random,
    OverflowCount *over) {
  vu code[2];
  for (int j = 0; j < 2; j++)
    code[j] = min_u(
        any_magnitudes(r, rounding, values[j], products[j], random[j]), all_u(0xFFFF));
  return finish_words(
      r, paired_low_words(code[0], code[1]),
      paired_high_words(bits_of(products[0]), bits_of(products[1])), r->e.kind == BK_INTEGER,
      over);
}

// The codes of 4 * LANES values, in two vectors of words; where the way is fixed, `multipliers`
// include the spacings of one.
INLINE void tame_words(
    const Rounder *r, TameWay way, BKRounding rounding, const vf *values, const vf *multipliers,
    const vu *random, OverflowCount *over, vw words[2]) {
  vf products[4];
  for (int j = 0; j < 4; j++) products[j] = values[j] * multipliers[j];
  for (int pair = 0; pair < 2; pair++) {
    const vf *p = products + 2 * pair;
    switch (way) {
      case TAME_NEAREST_FLOAT:
        words[pair] = nearest_words(r, nearest_sums(r, p[0]), nearest_sums(r, p[1]), over);
        break;
      case TAME_NEAREST_MAGNITUDE: words[pair] = fixed_words(r, false, p[0], p[1], over); break;
      case TAME_NEAREST_INTEGER: words[pair] = fixed_words(r, true, p[0], p[1], over); break;
      case TAME_TABLE:  // Tables have bytes.
      case TAME_ANY:
        words[pair] = any_words(r, rounding, values + 2 * pair, p, random + 2 * pair, over);
        break;
    }
  }
}

// Signed codes of magnitude codes of up to 255, given bytes whose top bit is the sign.
INLINE vq finish_bytes(const Rounder *r, vq code, vq signs, bool is_integer, OverflowCount *over) {
  vq limit = (vq)(uint8_t)r->e.greatest;
  vq negative = is_integer ? (vq)((vqs)signs < 0) : (vq)0;
  if (is_integer) limit += negative & (uint8_t)(r->e.greatest_negative - r->e.greatest);
  vq kept = __builtin_elementwise_min(code, limit);
  over->bytes -= (vq)(code != kept);
  if (is_integer) return ((kept ^ negative) - negative) & (uint8_t)r->width_mask;
  // Whole words shift the bits of one byte into the next, where the mask drops them.
  vw words;
  memcpy(&words, &signs, sizeof words);
  words >>= 8 - r->e.width;
  memcpy(&signs, &words, sizeof signs);
  return kept | (signs & (uint8_t)r->sign_bit);
}

// Of a sum of `nearest_sums`, the low half has the fraction's spacings. With the binade moved down
// to them the lowest byte is the magnitude code, but for what the lowest binade adds to it.
INLINE vq nearest_bytes(const Rounder *r, const vf *products, OverflowCount *over) {
  vu codes[4];
  for (int j = 0; j < 4; j++) {
    vu sum = quad_sums(r, products[j]);
    codes[j] = (sum >> r->field_shift) + sum;
  }
  vq low, signs;
  split_quad(codes, products, &low, &signs);
  low -= (uint8_t)((r->lowest_bits + r->magic) >> r->field_shift);
  return ordered_split(finish_bytes(r, low, signs, false, over));
}

// Integers of up to sixteen bits are brought into the range of codes.
INLINE vq nearest_integers(const Rounder *r, const vf *products, OverflowCount *over) {
  vws kept[2];
  for (int pair = 0; pair < 2; pair++) {
    vws words = integer_words(
        round_to_integers(products[2 * pair]), round_to_integers(products[2 * pair + 1]));
    kept[pair] = __builtin_elementwise_min(words, (vws)(int16_t)r->e.greatest);
    kept[pair] = __builtin_elementwise_max(
        kept[pair], (vws)(int16_t)-(int32_t)r->e.greatest_negative);
    over->words -= (vw)(words != kept[pair]);
  }
  return ordered_quad(bytes_of_words(kept[0], kept[1]) & (uint8_t)r->width_mask);
}

// None of them overflows.
INLINE vq table_bytes(const Rounder *r, const vf *products) {
  vu places[4];
  for (int j = 0; j < 4; j++) places[j] = table_places(r, ordered_keys(bits_of(products[j])));
  vq quad = ordered_quad(magnitude_bytes(places));
  return (vq)nibble_values(byte_table_of((const int8_t *)r->e.codes), (vu)quad);
}

// The codes of 4 * LANES values, of up to eight bits; where the way is fixed, `multipliers` include
// the spacings of one.
INLINE vq tame_codes(
    const Rounder *r, TameWay way, BKRounding rounding, const vf *values, const vf *multipliers,
    const vu *random, OverflowCount *over) {
  vf products[4];
  for (int j = 0; j < 4; j++) products[j] = values[j] * multipliers[j];
  if (way == TAME_NEAREST_FLOAT) return nearest_bytes(r, products, over);
  if (way == TAME_NEAREST_INTEGER) return nearest_integers(r, products, over);
  if (way == TAME_TABLE) return table_bytes(r, products);
  vu whole[4];
  for (int j = 0; j < 4; j++) {
    if (way == TAME_ANY) {
      vu any = any_magnitudes(r, rounding, values[j], products[j], random[j]);
      whole[j] = min_u(any, all_u(255));
    } else {
      whole[j] = round_to_integers(products[j]);
    }
  }
  bool is_integer = way == TAME_ANY && r->e.kind == BK_INTEGER;
  return ordered_quad(
      finish_bytes(r, magnitude_bytes(whole), sign_bytes(products), is_integer, over));
}

// Rounding scaled values to element codes: the definition of ElementEncoder, lane by lane.

// An element's constants, spread over vectors.
typedef struct {
  BKElement e;
  uint32_t lowest_bits;   // the pattern of the first binade
  uint32_t magic;         // added to an exponent, gives that of 2^23 spacings
  float magic_factor;     // the same as a power of two
  uint32_t field_shift;   // from a pattern's exponent to a code's
  uint32_t lowest_code;   // the first binade's pattern, shifted the same
  uint32_t sign_shift, sign_bit;
  uint32_t width_mask;
  float thresholds[16];  // of a table
} Rounder;

INLINE Rounder make_rounder(const BKElement *element) {
  Rounder r = {.e = *element};
  r.lowest_bits = element->lowest_field << 23;
  r.magic = (23 - element->fraction_bits) << 23;
  uint32_t factor = r.magic + (127u << 23);
  memcpy(&r.magic_factor, &factor, sizeof factor);
  r.field_shift = 23 - element->fraction_bits;
  r.lowest_code = r.lowest_bits >> r.field_shift;
  r.sign_shift = 32 - element->width;
  r.sign_bit = 1u << (element->width - 1);
  r.width_mask = element->width == 32 ? ~0u : (1u << element->width) - 1;
  memcpy(r.thresholds, element->thresholds, sizeof r.thresholds);
  return r;
}

// Signed integers in the order of FP32 numbers, -0 below +0.
INLINE vi ordered_keys(vu bits) { return (vi)(bits ^ ((vu)((vi)bits >> 31) >> 1)); }

// The thresholds of a table at some places, all of one of the four halvings.
INLINE vi thresholds_at(const Rounder *r, vu places, bool is_last_halving) {
#if LANES == 4
  return (vi)bits_of(look_up(table_of(r->thresholds), r->thresholds, places));
#else
  // The last halving has eight, at whose lower bits vectors of eight look.
  size_t first = LANES == 8 && is_last_halving ? 8 : 0;
  return (vi)bits_of(permute(load_f(r->thresholds + first), places));
#endif
}

// The places of values in a table, from the greatest one down; bits above the lowest four are
// others.
INLINE vu table_places(const Rounder *r, vi keys) {
  vu place = all_u(1);
  UNROLLED
  for (int halving = 0; halving < 4; halving++)
    place = one_more_above(place + place, thresholds_at(r, place, halving == 3), keys);
  return place;
}

// The codes of values in a table, and the lanes of those that lie beyond it.
INLINE vu codes_in_table(const Rounder *r, vi keys, vi *is_beyond) {
  vu code = table_places(r, keys) & 15;
  for (int lane = 0; lane < LANES; lane++) code[lane] = r->e.codes[code[lane]];
  *is_beyond = (keys < r->e.least_key) | (keys > r->e.greatest_key);
  return code;
}

// The nearest integers to numbers of magnitudes m below 2^22, ties away from zero: the whole part
// of the sum of m and 1/2 - 2^-25, with the sign. From n + 1/2 on, the exact sum is at most 2^-25
// below n + 1, which is half a spacing there or less, and becomes n + 1 (at 1 as the even one of
// two). Below n + 1/2, m is smaller by a spacing or more, and the sum stays one below n + 1.
INLINE vu round_away_from_zero(vf v) {
  vf nearly_half = floats_of((bits_of(v) & SIGN) | bits_of(all_f(0x1.fffffep-2f)));
  return (vu)__builtin_convertvector(v + nearly_half, vi);
}

// One more for the lanes that round away from zero, given the fraction of a spacing from the top of
// a word, whether there is any, and the code toward zero.
INLINE vu round_away(
    const Rounder *r, BKRounding rounding, vu code, vu fraction, vi is_inexact, vu bits,
    vu random) {
  vu one = (vu)is_inexact & 1;
  switch (rounding) {
    case BK_NEAREST_EVEN:
      return code + ((vu)((fraction > SIGN) | ((fraction == SIGN) & ((code & 1) != 0))) & 1);
    case BK_NEAREST_AWAY: return code + (fraction >> 31);
    case BK_NEAREST_TOWARD_ZERO: return code + ((vu)(fraction > SIGN) & 1);
    case BK_NEAREST_UP:
      return code + ((vu)((fraction > SIGN) | ((fraction == SIGN) & ((bits & SIGN) == 0))) & 1);
    case BK_TOWARD_ZERO: return code;
    case BK_UP: return code + (one & ~(bits >> 31));
    case BK_DOWN: return code + (one & (bits >> 31));
    case BK_TO_ODD: return code | one;
    case BK_STOCHASTIC: {
      vu share = fraction & r->e.random_mask;
      vu sum = share + (random & r->e.random_mask);
      return code - (vu)(sum < share);
    }
  }
}

// Magnitude codes by any rounding, from the pattern's fields.
//
// Values far below the smallest element, subnormal patterns and zero among them, shift out of every
// word; what remains of them is that they are inexact, if they are not zero.
INLINE vu rounded_codes(
    const Rounder *r, BKRounding rounding, vu bits, vi is_zero, vu random) {
  vu field = (bits & INFINITE) >> 23;
  vu significand = (bits & 0x7FFFFF) | 0x800000;
  vu binade = max_u(field, all_u(r->e.lowest_field));
  vu shift = binade - field + r->field_shift;
  vu code =
      ((binade - r->e.lowest_field) << r->e.fraction_bits) + shift_right(significand, shift);
  vu fraction = shift_left(significand, 32 - shift) | shift_right(significand, shift - 32);
  vi is_inexact = ((fraction != 0) | (shift > 32)) & ~is_zero;
  return round_away(r, rounding, code, fraction, is_inexact, bits, random);
}

// Codes of the upper bits of binary32, whose fields need no change.
INLINE vu pattern_codes(const Rounder *r, BKRounding rounding, vu bits, vu random) {
  vu magnitude = bits & MAGNITUDE;
  if (r->field_shift == 0) return magnitude;
  vu fraction = magnitude << (32 - r->field_shift);
  return round_away(
      r, rounding, magnitude >> r->field_shift, fraction, fraction != 0, bits, random);
}

INLINE vu signed_codes(const Rounder *r, BKElementKind kind, vu magnitude, vu bits) {
  if (kind == BK_INTEGER) {
    vu sign = (vu)((vi)bits >> 31);
    return ((magnitude ^ sign) - sign) & r->width_mask;
  }
  vu sign = (bits >> r->sign_shift) & r->sign_bit;
  if (!r->e.has_negative_zero) sign &= (vu)(magnitude != 0);
  return magnitude | sign;
}

// The codes of any values with the policy's choices; a poisoned lane gets the code for that.
INLINE vu any_codes(
    const Rounder *r, BKRounding rounding, vu bits, vi is_zero, vi is_poisoned, vu random,
    vu *over) {
  vu magnitude = bits & MAGNITUDE;
  vi is_nan = magnitude > INFINITE, is_infinite = magnitude == INFINITE;
  vi is_finite = ~(is_nan | is_infinite);
  // The other lanes take part with a harmless value.
  vu tame = bits & ((vu)is_finite | SIGN);
  vi is_negative = (vi)bits >> 31, is_over;
  vu result;
  if (r->e.kind == BK_TABLE) {
    // Zero may be below all values; the search ends at those that are nearest.
    result = codes_in_table(r, ordered_keys(tame), &is_over);
  } else {
    vu code = r->e.kind == BK_PATTERN
                  ? pattern_codes(r, rounding, tame, random)
                  : rounded_codes(r, rounding, tame, is_zero | ~is_finite, random);
    is_over = code > pick(is_negative, all_u(r->e.greatest_negative), all_u(r->e.greatest));
    result = pick(
        is_over, pick(is_negative, all_u(r->e.overflow[1]), all_u(r->e.overflow[0])),
        signed_codes(r, r->e.kind, code, bits));
  }
  *over -= (vu)(is_over & is_finite & ~is_poisoned);
  result = pick(
      is_infinite, pick(is_negative, all_u(r->e.infinity[1]), all_u(r->e.infinity[0])), result);
  result = pick(is_nan, all_u(r->e.nan), result);
  return pick(is_poisoned, all_u(r->e.poison), result);
}

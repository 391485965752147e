// Codes to values, a vector at a time.

// An element's constants for decoding.
typedef struct {
  BKElement e;
  uint32_t sign_shift, sign_bit, magnitude_mask, field_shift;
  uint32_t place_mask;               // of sign and magnitude in a binary32
  uint32_t sign_distance;            // added to a sign below its place, moves it there
  uint16_t half_factor;              // brings magnitudes to their places in a binary16
  uint32_t least_binade;             // the power of two of exponent field 0, taken as any other
  vf table;                          // of codes of at most four bits, as far as it fits
} Decoder;

INLINE Decoder make_decoder(const BKElement *element) {
  Decoder d = {.e = *element};
  d.sign_shift = 32 - element->width;
  d.sign_bit = 1u << (element->width - 1);
  d.magnitude_mask = element->width == 32 ? MAGNITUDE : d.sign_bit - 1;
  if (element->is_unsigned) {
    d.magnitude_mask = d.magnitude_mask | d.sign_bit;
    d.sign_bit = 0;
  }
  d.field_shift = 23 - element->fraction_bits;
  d.sign_distance = SIGN - (d.sign_bit << d.field_shift);
  d.place_mask = SIGN | ((d.sign_bit - 1) << d.field_shift);
  static const uint16_t powers[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  d.half_factor = element->fraction_bits <= 10 ? powers[10 - element->fraction_bits] : 0;
  uint32_t unit;
  memcpy(&unit, &element->unit, sizeof unit);
  d.least_binade = unit - (127u << 23);
  d.table = table_of(element->values);
  return d;
}

// Shifts by a number that is not known before are slow on some processors, so signs are moved
// otherwise: a sum with the sign's distance carries them up to the top, past bits that are dropped.

// The integers that codes stand for.
INLINE vi integers_of(const Decoder *d, vu codes) {
  if (d->e.is_unsigned) return (vi)(codes - d->e.code_of_zero);
  return (vi)((codes ^ d->sign_bit) - d->sign_bit);
}

// The signs of codes that have one, at the top of lanes.
INLINE vu signs_of(const Decoder *d, vu codes) { return (codes + (SIGN - d->sign_bit)) & SIGN; }

// Signs and fields of codes that have signs, in their places.
INLINE vf placed_values(const Decoder *d, vu codes) {
  return floats_of(((codes << d->field_shift) + d->sign_distance) & d->place_mask);
}

// The values of codes before any scale, infinities and NaN among them.
INLINE vf element_values(const Decoder *d, vu codes) {
  if (d->e.kind == BK_TABLE) return look_up(d->table, d->e.values, codes);
  if (d->e.kind == BK_INTEGER) {
    return __builtin_convertvector(integers_of(d, codes), vf) * d->e.unit;
  }
  vu magnitude = codes & d->magnitude_mask;
  vu sign = d->sign_bit ? (codes << d->sign_shift) & SIGN : all_u(0);
  vf value = floats_of((magnitude << d->field_shift) | sign) * d->e.unit;
  vi is_nan = magnitude > d->e.greatest;
  if (d->e.is_negative_zero_nan) is_nan |= codes == d->sign_bit;
  vu bits = pick(is_nan, all_u(CANONICAL_NAN), bits_of(value));
  return floats_of(pick(magnitude == d->e.infinity_code, sign | INFINITE, bits));
}

// How codes of a row are decoded.
typedef enum {
  DECODE_TABLE,      // at most four bits
  DECODE_NIBBLES,    // four bits, packed
  DECODE_SIGNED,     // the same of a sign and a place among eight magnitudes
  DECODE_MAGNITUDE,  // few magnitudes: a table, or no subnormal numbers on the way
  DECODE_HALVES,     // few exponents: binary16 in place, times a scale that includes the difference
  DECODE_PLACED,     // finite floats: the fields in place, times a scale that includes the unit
  DECODE_FIXED,      // sign and magnitude, times a scale that includes the spacing
  DECODE_INTEGER,    // integers, times a scale that includes the unit
  DECODE_ANY,
} DecodePath;

// What a path multiplies scales by.
INLINE float path_factor(const BKElement *e, DecodePath path) {
  switch (path) {
    case DECODE_PLACED:
    case DECODE_INTEGER: return e->unit;
    case DECODE_HALVES: return e->unit * 0x1p-112f;
    case DECODE_FIXED: return 1 / e->spacings_of_one;
    default: return 1;
  }
}

// Codes as binary16 numbers, whose subnormal ones processors convert as quickly as others.
#ifdef HAS_HALF_CONVERSION
INLINE void placed_halves(const Decoder *d, vp codes, vf *values) {
  vw words = __builtin_convertvector(codes, vw) * d->half_factor;
  words = (words + (uint16_t)(0x8000 - d->sign_bit * d->half_factor))
          & (uint16_t)(0x8000 | (d->sign_bit - 1) * d->half_factor);
  vh halves[2];
  memcpy(halves, &words, sizeof halves);
  for (int j = 0; j < 2; j++) values[j] = half_values(halves[j]);
}
#endif

INLINE void half_pair(const Decoder *d, const uint8_t *codes, vf *values) {
#ifdef HAS_HALF_CONVERSION
  vp pair;
  memcpy(&pair, codes, sizeof pair);
  placed_halves(d, pair, values);
#endif
}

// Whether codes are binary16 numbers but for the bias.
INLINE bool fits_halves(const BKElement *e) {
#ifdef HAS_HALF_CONVERSION
  return e->kind == BK_FLOAT && !e->is_unsigned && e->fraction_bits <= 10
         && e->width <= 6 + e->fraction_bits && e->greatest << (10 - e->fraction_bits) < 0x7C00;
#else
  return false;
#endif
}

// The values of codes before any scale but what the path puts into it.
INLINE vf path_values(const Decoder *d, DecodePath path, vu codes) {
  vf value = 0;
  switch (path) {
    case DECODE_TABLE:
    case DECODE_NIBBLES:
    case DECODE_SIGNED: value = look_up(d->table, d->e.values, codes); break;
    case DECODE_MAGNITUDE: {
#ifdef HAS_MAGNITUDE_TABLE
      vu bits = bits_of(look_up_magnitude(d->e.values, codes));
#else
      vu magnitude = codes & d->magnitude_mask;
      // With its exponent raised to the binary32's, a subnormal code has a one too many in front.
      vu raised = (magnitude << d->field_shift) + d->least_binade;
      vf rest = floats_of(raised) - floats_of(all_u(d->least_binade));
      vu bits = pick(
          magnitude >> d->e.fraction_bits == 0, bits_of(rest + rest), raised);
#endif
      value = floats_of(bits | signs_of(d, codes));
      break;
    }
    case DECODE_FIXED: {
      vf magnitude = __builtin_convertvector((vi)(codes & d->magnitude_mask), vf);
      value = floats_of(bits_of(magnitude) | signs_of(d, codes));
      break;
    }
    case DECODE_HALVES: {
#ifdef HAS_HALF_CONVERSION
      vf both[2];
      vb bytes = narrow_b(codes);
      vp pair = 0;
      memcpy(&pair, &bytes, sizeof bytes);
      placed_halves(d, pair, both);
      value = both[0];
#endif
      break;
    }
    case DECODE_PLACED:
      // Subnormal codes make subnormal numbers here, which processors may be slow to multiply.
      value = placed_values(d, codes);
      break;
    case DECODE_INTEGER:
      value = __builtin_convertvector(integers_of(d, codes), vf);
      break;
    case DECODE_ANY: value = element_values(d, codes); break;
  }
  return value;
}

// Values times a scale, which includes the unit where the path says so.
INLINE vf scaled_values(
    DecodePath path, BKScaling scaling, vf value, vf scale, vf offset, float tensor_scale) {
  if (scaling != BK_SCALE_NONE) value = value * scale;
  if (scaling == BK_SCALE_TENSOR) value = value * tensor_scale;
  // Two operations: contraction is off.
  if (scaling == BK_SCALE_LINE) value = value + offset;
  if (path != DECODE_ANY) return value;
  vi is_nan = (bits_of(value) & MAGNITUDE) > INFINITE;
  return pick_f(is_nan, floats_of(all_u(CANONICAL_NAN)), value);
}

// Vectors with one scale look up products: the table is multiplied once for all codes of a block.
#ifdef HAS_TABLE_PARTS
#define TABLE_PARTS (16 / LANES)
#else
#define TABLE_PARTS 1
#endif

INLINE bool has_products(DecodePath path, GroupFit fit) {
#ifdef HAS_TABLE_PARTS
  return (path == DECODE_TABLE || path == DECODE_NIBBLES || path == DECODE_SIGNED)
         && (fit == GROUP_ONE || fit == GROUP_LONG || fit == GROUP_WHOLE);
#else
  return false;
#endif
}

// Whether the upper half of a table is the lower one with the other sign, and one half fits a
// vector. Vectors that hold all of it need no help.
INLINE bool has_signed_halves(const BKElement *e) {
  return LANES == 8
         && !any_lane(bits_of(load_f(e->values)) != (bits_of(load_f(e->values + 8)) ^ SIGN));
}

// The products of the table; signs are left to codes where the path says so.
INLINE void find_products(
    const Decoder *d, DecodePath path, BKScaling scaling, vf scale, float tensor_scale,
    vf *products) {
  for (size_t part = 0; part < (path == DECODE_SIGNED ? 1 : TABLE_PARTS); part++) {
    products[part] = load_f(d->e.values + part * LANES) * scale;
    if (scaling == BK_SCALE_TENSOR) products[part] = products[part] * tensor_scale;
  }
}

INLINE vf product_at(
    DecodePath path, BKScaling scaling, const vf *products, vu codes, vf offset) {
#ifdef HAS_TABLE_PARTS
  vf value = path == DECODE_SIGNED
                 ? floats_of(bits_of(permute(products[0], codes)) ^ ((codes << 28) & SIGN))
                 : look_up_part(products, codes);
  return scaling == BK_SCALE_LINE ? value + offset : value;
#else
  return products[0];
#endif
}

// Codes of four bits from packed bytes, with others above them; where lanes are few, unpacking is
// quicker.
#define KEEPS_NIBBLES (LANES >= 8)

INLINE vu nibbles_of(uint64_t word) {
  const vu shifts = lane_numbers() % 8 * 4;
#if LANES > 8
  vu low = all_u((uint32_t)word), high = all_u((uint32_t)(word >> 32));
  return pick(lane_numbers() < 8, low, high) >> shifts;
#else
  return all_u((uint32_t)word) >> shifts;
#endif
}

INLINE bool is_packed(DecodePath path) { return path == DECODE_NIBBLES || path == DECODE_SIGNED; }

// The codes of a vector whose first one is at an index; the lanes behind `left` of them are zero.
INLINE vu codes_of(DecodePath path, const uint8_t *codes, size_t index, size_t left) {
  if (!is_packed(path))
    return widen_b(left < LANES ? load_some_b(codes + index, left) : load_b(codes + index));
  uint64_t word = 0;
  memcpy(&word, codes + index / 2, left < LANES ? (left + 1) / 2 : LANES / 2);
  return nibbles_of(word);
}

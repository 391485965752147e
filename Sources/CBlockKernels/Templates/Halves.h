// Codes of sixteen bits without a scale, where processors or plain shifts know them.

// How far ahead the lines of codes are asked for, in bytes. With so little work for each, asking
// for many at once holds up everything else.
#define CLAIM_DISTANCE 2048

// What codes are.
typedef enum {
  HALF_CONVERTED,  // binary16, which the processor converts
  HALF_PATTERN,    // the upper half of binary32
  HALF_ANY,        // none of these
} HalfWay;

INLINE HalfWay half_way(const BKElement *e) {
  if (e->width != 16 || e->is_unsigned) return HALF_ANY;
  if (e->kind == BK_PATTERN) return HALF_PATTERN;
#ifdef HAS_HALF_CONVERSION
  if (e->kind == BK_FLOAT && e->fraction_bits == 10 && e->lowest_field == 113
      && e->greatest < 0x7C00 && e->has_negative_zero)
    return HALF_CONVERTED;
#endif
  return HALF_ANY;
}

// MARK: - Encoding

// The same for encoding, to nearest even without a multiplier: one pass also finds whether values
// are tame.
INLINE HalfWay encoded_half_way(const BKElement *e, float multiplier) {
  bool is_usual = e->rounding == BK_NEAREST_EVEN && multiplier == 1 && e->least_multiplier <= 1;
  return is_usual ? half_way(e) : HALF_ANY;
}

// What two vectors at a time find of their values.
typedef struct {
  vw over;      // codes beyond the greatest, those of infinities and NaN among them
  vu farthest;  // the largest patterns without their signs, one bit up
} HalfRow;

INLINE vw half_codes(const BKElement *e, HalfWay way, vf first, vf second, HalfRow *row) {
#ifdef HAS_HALF_CONVERSION
  if (way == HALF_CONVERTED) {
    vw word = half_words(first, second), magnitude = word & 0x7FFF;
    vw kept = __builtin_elementwise_min(magnitude, (vw)(uint16_t)e->greatest);
    row->over -= (vw)(magnitude != kept);
    return kept | (word & 0x8000);
  }
#endif
  vu bits[2] = {bits_of(first), bits_of(second)};
  for (int j = 0; j < 2; j++) {
    row->farthest = max_u(row->farthest, bits[j] + bits[j]);
    bits[j] += 0x7FFF + ((bits[j] >> 16) & 1);
  }
  return ordered_words(paired_high_words(bits[0], bits[1]));
}

// Whether all codes are those of finite values, of which `overflows` are beyond the greatest. Where
// not, or where some overflow, values may be untame.
INLINE bool encode_half_row(
    const BKElement *shared_element, HalfWay way, const float *values, size_t count,
    size_t prefetch, uint8_t *codes, size_t *overflows) {
  // A copy of its own, which no store can change.
  const BKElement own_element = *shared_element, *e = &own_element;
  HalfRow row = {0, 0};
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    const float *at = values + i;
    for (size_t line = 0; line < 2 * LANES; line += 16)
      PREFETCH((const char *)(at + line) + prefetch);
    __builtin_prefetch((const char *)codes + 2 * i + CLAIM_DISTANCE, 1);
    vw words = half_codes(e, way, load_f(at), load_f(at + LANES), &row);
    memcpy(codes + 2 * i, &words, sizeof words);
  }
  if (i < count) {
    float rest[2 * LANES] = {0};
    memcpy(rest, (const char *)(values + i), 4 * (count - i));
    vw words = half_codes(e, way, load_f(rest), load_f(rest + LANES), &row);
    memcpy(codes + 2 * i, &words, 2 * (count - i));
  }
  *overflows = sum_words(row.over);
  // Half a spacing above the greatest pattern values round to the next one.
  return !any_lane(row.farthest >= (e->greatest << 17) + 0x10000);
}

static NOINLINE bool encode_converted_half(
    const BKElement *e, const float *values, size_t count, size_t prefetch, uint8_t *codes,
    size_t *overflows) {
  return encode_half_row(e, HALF_CONVERTED, values, count, prefetch, codes, overflows);
}
static NOINLINE bool encode_usual_pattern(
    const BKElement *e, const float *values, size_t count, size_t prefetch, uint8_t *codes,
    size_t *overflows) {
  return encode_half_row(e, HALF_PATTERN, values, count, prefetch, codes, overflows);
}

// MARK: - Decoding

INLINE vf half_value(const Decoder *d, HalfWay way, vh half) {
#ifdef HAS_HALF_CONVERSION
  if (way == HALF_CONVERTED) return half_values(half);
#endif
  vu code = widen_h(half);
  if (way == HALF_PATTERN) return floats_of(code << 16);
  return placed_values(d, code) * d->e.unit;
}

INLINE void decode_halves_in(
    const BKElement *element, HalfWay way, const uint8_t *codes, size_t count, bool streams,
    float *values) {
  Decoder d = make_decoder(element);
  vh greatest = 0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    vh half;
    memcpy(&half, codes + 2 * i, sizeof half);
    greatest = __builtin_elementwise_max(greatest, half & (uint16_t)d.magnitude_mask);
    store_result(values + i, half_value(&d, way, half), streams);
  }
  bool is_special = __builtin_reduce_max(greatest) > d.e.greatest;
  // Rows with infinities and NaN, and the end of every row, take their time.
  for (i = is_special ? 0 : i; i < count; i++) {
    uint16_t code;
    memcpy(&code, codes + 2 * i, sizeof code);
    float value = element_values(&d, all_u(code))[0];
    memcpy((char *)(values + i), &value, sizeof value);
  }
}

#define HALF_DECODER(name, way)                                                           \
  static NOINLINE void name(                                                              \
      const BKElement *e, const uint8_t *codes, size_t n, bool streams, float *values) {  \
    decode_halves_in(e, way, codes, n, streams, values);                                  \
  }

HALF_DECODER(decode_converted_halves, HALF_CONVERTED)
HALF_DECODER(decode_patterns, HALF_PATTERN)
HALF_DECODER(decode_any_halves, HALF_ANY)

INLINE void decode_halves(
    const BKElement *e, const uint8_t *codes, size_t count, bool streams, float *values) {
  switch (half_way(e)) {
    case HALF_CONVERTED: decode_converted_halves(e, codes, count, streams, values); return;
    case HALF_PATTERN: decode_patterns(e, codes, count, streams, values); return;
    case HALF_ANY: decode_any_halves(e, codes, count, streams, values); return;
  }
}

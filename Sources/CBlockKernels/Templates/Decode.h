// Rows of codes to rows of values.

// Stores that go past the caches need an aligned target.
INLINE void store_result(float *p, vf v, bool streams) {
  if (streams) {
    __builtin_nontemporal_store(v, (vf *)p);
  } else {
    store_f(p, v);
  }
}

INLINE void decode_codes(
    const BKElement *element, DecodePath path, BKScaling scaling, const uint8_t *codes,
    size_t count, const float *scales, const float *offsets, GroupFit fit, size_t unit,
    float tensor_scale, bool streams, float *values) {
  Decoder d = make_decoder(element);
  float factor = path_factor(element, path);
  vu lanes = group_lanes(fit, unit);
  size_t i = 0;
  bool has_offsets = scaling == BK_SCALE_LINE;
  vf scale[4] = {1, 1, 1, 1}, offset[4] = {0, 0, 0, 0}, products[TABLE_PARTS];
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    if (fit != GROUP_NONE) quad_values(fit, scales, i, unit, lanes, factor, scale);
    if (has_offsets) quad_values(fit, offsets, i, unit, lanes, 1, offset);
    const uint8_t *quad = codes + (is_packed(path) ? i / 2 : i);
    vf value[4];
    for (size_t j = 0; j < 4; j++) {
      size_t at = j * LANES;
      if (path == DECODE_HALVES) {
        if (j % 2 == 0) half_pair(&d, quad + at, value + j);
      } else if (!has_products(path, fit)) {
        value[j] = path_values(&d, path, codes_of(path, quad, at, LANES));
      } else {
        bool is_next = j == 0 || (fit == GROUP_WHOLE && j * LANES % unit == 0);
        if (is_next) find_products(&d, path, scaling, scale[j], tensor_scale, products);
        value[j] = product_at(path, scaling, products, codes_of(path, quad, at, LANES), offset[j]);
      }
      if (!has_products(path, fit))
        value[j] = scaled_values(path, scaling, value[j], scale[j], offset[j], tensor_scale);
      store_result(values + i + at, value[j], streams);
    }
  }
  for (; i < count; i += LANES) {
    vf some = group_values(fit, scales, i, unit, lanes, count) * factor;
    vf more = has_offsets ? group_values(fit, offsets, i, unit, lanes, count) : all_f(0);
    vf value = path_values(&d, path, codes_of(path, codes, i, count - i));
    store_some_f(
        values + i, scaled_values(path, scaling, value, some, more, tensor_scale), count - i);
  }
}

// One instance for each way in which groups meet vectors, and for the usual lengths.
INLINE void decode_fitted(
    const BKElement *e, DecodePath path, BKScaling scaling, const uint8_t *codes, size_t n,
    const float *scales, const float *offsets, size_t unit, float t, bool streams, float *x) {
#define WITH(fit, unit)                                                                  \
  decode_codes(e, path, scaling, codes, n, scales, offsets, fit, unit, t, streams, x);   \
  return
  switch (fit_of(scaling == BK_SCALE_NONE ? NULL : scales, unit, n)) {
    case GROUP_NONE: WITH(GROUP_NONE, 1);
    case GROUP_ONE: WITH(GROUP_ONE, unit);
    case GROUP_LONG: WITH(GROUP_LONG, unit);
    case GROUP_WHOLE:
      switch (unit) {
        case LANES: WITH(GROUP_WHOLE, LANES);
        default: WITH(GROUP_WHOLE, 2 * LANES);
      }
    case GROUP_PARTS:
      switch (unit) {
        case 2: WITH(GROUP_PARTS, 2);
        default: WITH(GROUP_PARTS, unit);
      }
    case GROUP_ANY: WITH(GROUP_ANY, unit);
  }
#undef WITH
}

#define DECODER(name, path, scaling)                                                          \
  static NOINLINE void name(                                                                  \
      const BKElement *e, const uint8_t *codes, size_t n, const float *scales,                \
      const float *offsets, size_t unit, float tensor_scale, bool streams, float *values) {   \
    if (streams && path != DECODE_ANY) {                                                      \
      decode_fitted(                                                                          \
          e, path, scaling, codes, n, scales, offsets, unit, tensor_scale, true, values);     \
    } else {                                                                                  \
      decode_fitted(                                                                          \
          e, path, scaling, codes, n, scales, offsets, unit, tensor_scale, false, values);    \
    }                                                                                         \
  }

DECODER(decode_table_block, DECODE_TABLE, BK_SCALE_BLOCK)
DECODER(decode_table_tensor, DECODE_TABLE, BK_SCALE_TENSOR)
DECODER(decode_nibbles_block, DECODE_NIBBLES, BK_SCALE_BLOCK)
DECODER(decode_nibbles_tensor, DECODE_NIBBLES, BK_SCALE_TENSOR)
DECODER(decode_signed_block, DECODE_SIGNED, BK_SCALE_BLOCK)
DECODER(decode_signed_tensor, DECODE_SIGNED, BK_SCALE_TENSOR)
DECODER(decode_halves_block, DECODE_HALVES, BK_SCALE_BLOCK)
DECODER(decode_halves_tensor, DECODE_HALVES, BK_SCALE_TENSOR)
DECODER(decode_placed_block, DECODE_PLACED, BK_SCALE_BLOCK)
DECODER(decode_placed_tensor, DECODE_PLACED, BK_SCALE_TENSOR)
DECODER(decode_magnitude_block, DECODE_MAGNITUDE, BK_SCALE_BLOCK)
DECODER(decode_magnitude_tensor, DECODE_MAGNITUDE, BK_SCALE_TENSOR)
DECODER(decode_fixed_block, DECODE_FIXED, BK_SCALE_BLOCK)
DECODER(decode_fixed_tensor, DECODE_FIXED, BK_SCALE_TENSOR)
DECODER(decode_integer_block, DECODE_INTEGER, BK_SCALE_BLOCK)
DECODER(decode_integer_tensor, DECODE_INTEGER, BK_SCALE_TENSOR)
DECODER(decode_any_none, DECODE_ANY, BK_SCALE_NONE)
DECODER(decode_any_block, DECODE_ANY, BK_SCALE_BLOCK)
DECODER(decode_any_tensor, DECODE_ANY, BK_SCALE_TENSOR)
DECODER(decode_table_line, DECODE_TABLE, BK_SCALE_LINE)
DECODER(decode_nibbles_line, DECODE_NIBBLES, BK_SCALE_LINE)
DECODER(decode_integer_line, DECODE_INTEGER, BK_SCALE_LINE)
DECODER(decode_any_line, DECODE_ANY, BK_SCALE_LINE)

// Whether a code among some stands for an infinity or NaN.
INLINE bool has_special_code(const BKElement *e, const uint8_t *codes, size_t count) {
  bool has_sign = !e->is_unsigned && e->kind != BK_TABLE;
  uint8_t sign = (uint8_t)(has_sign ? 1u << (e->width - 1) : 0);
  uint8_t greatest = (uint8_t)e->greatest, magnitude = (uint8_t)~sign;
  vq found = 0;
  uint8_t rest = 0;
  size_t i = 0;
  for (; i + 4 * LANES <= count; i += 4 * LANES) {
    vq quad;
    memcpy(&quad, codes + i, sizeof quad);
    found |= (vq)((quad & magnitude) > greatest);
    if (e->is_negative_zero_nan) found |= (vq)(quad == sign);
  }
  for (; i < count; i++) {
    rest |= (uint8_t)((codes[i] & magnitude) > greatest);
    if (e->is_negative_zero_nan) rest |= (uint8_t)(codes[i] == sign);
  }
  return (rest | __builtin_reduce_or(found)) != 0;
}

// Whether scales times a power of two are finite and lose no bits below the smallest normal number.
static NOINLINE bool is_each_exact(const float *scales, size_t count, float factor) {
  float inverse = 1 / factor;
  vi is_exact = (vi)all_u(~0u);
  for (size_t i = 0; i < count; i += LANES) {
    vf scale = load_some_f(scales + i, count - i), product = scale * factor;
    is_exact &= (product * inverse == scale) & ((bits_of(product) & MAGNITUDE) < INFINITE);
  }
  return all_lanes(is_exact, LANES);
}

// The same; products that are all normal numbers, as they usually are, need no second look.
INLINE bool are_exact(const float *scales, size_t count, float factor) {
  const uint32_t smallest = 0x800000;
  vu farthest = 0;
  size_t i = 0;
  for (; i + LANES <= count; i += LANES)
    farthest = max_u(farthest, (bits_of(load_f(scales + i) * factor) & MAGNITUDE) - smallest);
  if (i < count) {
    vu rest = (bits_of(load_some_f(scales + i, count - i) * factor) & MAGNITUDE) - smallest;
    farthest = max_u(farthest, pick(lanes_from(count - i), all_u(0), rest));
  }
  return all_lanes(farthest < INFINITE - smallest, LANES) || is_each_exact(scales, count, factor);
}

// How rows of finite codes with finite scales are decoded.
INLINE DecodePath usual_path(const BKElement *e, size_t groups) {
  if (e->width <= 4) return DECODE_TABLE;
  if (e->kind == BK_INTEGER) return DECODE_INTEGER;
  if (e->is_fixed_point) return DECODE_FIXED;
#ifdef HAS_MAGNITUDE_TABLE
  if (e->width <= 6) return DECODE_MAGNITUDE;
#else
  if (e->width <= 6) return fits_halves(e) ? DECODE_HALVES : DECODE_MAGNITUDE;
#endif
  // Below a scale of their own few codes are subnormal. One scale for all may have many.
  return groups <= 1 && fits_halves(e) ? DECODE_HALVES : DECODE_PLACED;
}

// Whether every row of an element needs care: rows of unsigned floats are scales.
INLINE bool is_unusual(const BKElement *e) { return e->is_unsigned && e->kind == BK_FLOAT; }

// Whether no product with it is a NaN of the processor's own, even if the other factor is infinite.
INLINE bool is_usual_scale(float scale) {
  return __builtin_fabsf(scale) > 0 && __builtin_fabsf(scale) < __builtin_inff();
}

// How a row is decoded with scales, which are not null.
INLINE DecodePath path_of_row(
    const BKElement *e, const uint8_t *codes, size_t n, const float *scales, size_t groups) {
  DecodePath path = usual_path(e, groups);
  return is_unusual(e) || (e->has_special_codes && has_special_code(e, codes, n))
                 || !are_exact(scales, groups, path_factor(e, path))
             ? DECODE_ANY
             : path;
}

static NOINLINE void decode_lines_to(
    const BKElement *e, const uint8_t *codes, size_t n, const float *scales, const float *offsets,
    size_t unit, bool streams, float *values) {
  size_t groups = unit ? (n + unit - 1) / unit : 0;
  DecodePath path = path_of_row(e, codes, n, scales, groups);
  if (!are_exact(offsets, groups, 1)) path = DECODE_ANY;
  if (path == DECODE_TABLE)
    decode_table_line(e, codes, n, scales, offsets, unit, 1, streams, values);
  else if (path == DECODE_INTEGER)
    decode_integer_line(e, codes, n, scales, offsets, unit, 1, streams, values);
  else
    decode_any_line(e, codes, n, scales, offsets, unit, 1, streams, values);
}

// `streams` asks for stores past the caches; `values` is then aligned to vectors.
INLINE void decode_to(
    const BKElement *e, BKScaling scaling, const uint8_t *codes, size_t n, const float *scales,
    size_t unit, float tensor_scale, bool streams, float *values) {
  const float one = 1;
  if (scaling == BK_SCALE_NONE) {
    // The same as one scale of one, but for what is not finite.
    if (is_unusual(e) || (e->has_special_codes && has_special_code(e, codes, n))) {
      decode_any_none(e, codes, n, scales, NULL, unit, tensor_scale, streams, values);
      return;
    }
    scaling = BK_SCALE_BLOCK;
    scales = &one;
    unit = n;
  }
  DecodePath path = path_of_row(e, codes, n, scales, unit ? (n + unit - 1) / unit : 0);
  if (scaling == BK_SCALE_TENSOR && !is_usual_scale(tensor_scale)) path = DECODE_ANY;
#define RUN(name)                                                                     \
  do {                                                                                \
    if (scaling == BK_SCALE_BLOCK) {                                                  \
      name##_block(e, codes, n, scales, NULL, unit, tensor_scale, streams, values);   \
    } else {                                                                          \
      name##_tensor(e, codes, n, scales, NULL, unit, tensor_scale, streams, values);  \
    }                                                                                 \
  } while (0)
  switch (path) {
    case DECODE_NIBBLES:  // Their rows go another way.
    case DECODE_SIGNED:
    case DECODE_TABLE: RUN(decode_table); break;
    case DECODE_MAGNITUDE: RUN(decode_magnitude); break;
    case DECODE_HALVES: RUN(decode_halves); break;
    case DECODE_PLACED: RUN(decode_placed); break;
    case DECODE_FIXED: RUN(decode_fixed); break;
    case DECODE_INTEGER: RUN(decode_integer); break;
    case DECODE_ANY: RUN(decode_any); break;
  }
#undef RUN
}

// Whether rows of an element need not be unpacked.
INLINE bool keeps_nibbles(const BKElement *e) {
  return KEEPS_NIBBLES && e->width == 4 && !e->has_special_codes && !is_unusual(e);
}

// Rows of packed codes of four bits, which `unpacked` holds where scales or offsets are unusual.
static NOINLINE void decode_nibbles(
    const BKElement *e, BKScaling scaling, const uint8_t *bytes, size_t n, const float *scales,
    const float *offsets, size_t unit, float tensor_scale, bool streams, uint8_t *unpacked,
    float *values) {
  const float one = 1;
  if (scaling == BK_SCALE_NONE) {
    scaling = BK_SCALE_BLOCK;
    scales = &one;
    unit = n;
  }
  size_t groups = unit ? (n + unit - 1) / unit : 0;
  bool is_line = scaling == BK_SCALE_LINE, is_tensor = scaling == BK_SCALE_TENSOR;
  bool has_signs = has_signed_halves(e);
  if (!are_exact(scales, groups, 1) || (is_line && !are_exact(offsets, groups, 1))
      || (is_tensor && !is_usual_scale(tensor_scale))) {
    unpack(bytes, n, 4, unpacked);
    if (is_line)
      decode_any_line(e, unpacked, n, scales, offsets, unit, 1, streams, values);
    else if (is_tensor)
      decode_any_tensor(e, unpacked, n, scales, NULL, unit, tensor_scale, streams, values);
    else
      decode_any_block(e, unpacked, n, scales, NULL, unit, 1, streams, values);
  } else if (is_line) {
    decode_nibbles_line(e, bytes, n, scales, offsets, unit, 1, streams, values);
  } else if (is_tensor) {
    (has_signs ? decode_signed_tensor : decode_nibbles_tensor)(
        e, bytes, n, scales, NULL, unit, tensor_scale, streams, values);
  } else {
    (has_signs ? decode_signed_block : decode_nibbles_block)(
        e, bytes, n, scales, NULL, unit, 1, streams, values);
  }
}

static void decode(
    const BKElement *e, BKScaling scaling, const uint8_t *codes, size_t n, const float *scales,
    size_t unit, float tensor_scale, float *values) {
  decode_to(e, scaling, codes, n, scales, unit, tensor_scale, false, values);
}

static void decode_lines(
    const BKElement *e, const uint8_t *codes, size_t n, const float *scales, const float *offsets,
    size_t unit, float *values) {
  decode_lines_to(e, codes, n, scales, offsets, unit, false, values);
}

static void decode_wide(
    const BKElement *element, BKScaling scaling, const uint32_t *codes, size_t count,
    const float *scales, size_t unit, float tensor_scale, float *values) {
  Decoder d = make_decoder(element);
  GroupFit fit = fit_of(scaling == BK_SCALE_NONE ? NULL : scales, unit, count);
  vu lanes = group_lanes(fit, unit);
  for (size_t i = 0; i < count; i += LANES) {
    size_t left = count - i;
    vf scale = group_values(fit, scales, i, unit, lanes, count);
    vf value = path_values(&d, DECODE_ANY, load_some_u(codes + i, left));
    store_some_f(
        values + i, scaled_values(DECODE_ANY, scaling, value, scale, all_f(0), tensor_scale), left);
  }
}

// Between a caller's numbers and FP32.

// What is not NaN is as the processor converts it, where it does.
INLINE vf widen_half(vh half) {
#ifdef HAS_HALF_CONVERSION
  vf value = half_values(half);
  return pick_f(value == value, value, floats_of(all_u(CANONICAL_NAN)));
#else
  vu code = widen_h(half), magnitude = code & 0x7FFF, sign = (code & 0x8000) << 16;
  vu finite = bits_of(floats_of(magnitude << 13) * 0x1p112f);
  vu special = pick(magnitude > 0x7C00, all_u(CANONICAL_NAN), sign | INFINITE);
  return floats_of(pick(magnitude >= 0x7C00, special, finite | sign));
#endif
}

INLINE vu binary16_codes(vf value) {
  vu bits = bits_of(value), magnitude = bits & MAGNITUDE;
  vu sign = (bits >> 16) & 0x8000;
  vu binade = max_u(magnitude & INFINITE, all_u(113u << 23));
  vf sum = floats_of(min_u(magnitude, all_u(0x47800000))) +
           floats_of(min_u(binade, all_u(0x47800000)) + (13u << 23));
  vu code = (bits_of(sum) & 0x7FFFFF) + (min_u(binade, all_u(0x47800000)) >> 13) - (113u << 10);
  code = min_u(code, all_u(0x7C00)) | sign;
  return pick(magnitude > INFINITE, all_u(0x7E00), code);
}

// The codes of two vectors.
INLINE vw narrow_halves(vf first, vf second) {
#ifdef HAS_HALF_CONVERSION
  vw words = half_words(first, second), is_nan = (vw)((words & 0x7FFF) > 0x7C00);
  return (words & ~is_nan) | (is_nan & 0x7E00);
#else
  return ordered_words(paired_low_words(binary16_codes(first), binary16_codes(second)));
#endif
}

// Codes are the upper halves.
INLINE vu bfloat_sums(vf value) {
  vu bits = bits_of(value);
  vu rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return pick((bits & MAGNITUDE) > INFINITE, all_u(0x7FC00000), rounded);
}

INLINE vw narrow_bfloats(vf first, vf second) {
  return ordered_words(paired_high_words(bfloat_sums(first), bfloat_sums(second)));
}

INLINE vf widened(BKScalar type, vh half) {
  return type == BK_FLOAT16 ? widen_half(half) : floats_of(widen_h(half) << 16);
}

INLINE void widen_from(BKScalar type, const uint8_t *bytes, size_t count, float *values) {
  size_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    vh half;
    memcpy(&half, bytes + 2 * i, sizeof half);
    store_f(values + i, widened(type, half));
  }
  if (i < count) {
    vh half = 0;
    memcpy(&half, bytes + 2 * i, 2 * (count - i));
    store_some_f(values + i, widened(type, half), count - i);
  }
}

static void widen(BKScalar type, const void *numbers, size_t count, float *values) {
  switch (type) {
    case BK_FLOAT32: memcpy((char *)values, numbers, 4 * count); return;
    case BK_FLOAT16: widen_from(BK_FLOAT16, numbers, count, values); return;
    case BK_BFLOAT16: widen_from(BK_BFLOAT16, numbers, count, values); return;
  }
}

INLINE vw narrowed(BKScalar type, vf first, vf second) {
  return type == BK_FLOAT16 ? narrow_halves(first, second) : narrow_bfloats(first, second);
}

// The first `count` of a vector.
INLINE void store_narrowed(BKScalar type, vf value, size_t count, uint8_t *bytes) {
  vw words = narrowed(type, value, value);
  if (count >= LANES) {
    memcpy(bytes, &words, 2 * LANES);
  } else {
    memcpy(bytes, &words, 2 * count);
  }
}

INLINE void narrow_to(BKScalar type, const float *values, size_t count, uint8_t *bytes) {
  size_t i = 0;
  for (; i + 2 * LANES <= count; i += 2 * LANES) {
    vw words = narrowed(type, load_f(values + i), load_f(values + i + LANES));
    memcpy(bytes + 2 * i, &words, sizeof words);
  }
  for (; i < count; i += LANES)
    store_narrowed(type, load_some_f(values + i, count - i), count - i, bytes + 2 * i);
}

static void narrow(BKScalar type, const float *values, size_t count, void *numbers) {
  switch (type) {
    case BK_FLOAT32: memcpy(numbers, (const char *)values, 4 * count); return;
    case BK_FLOAT16: narrow_to(BK_FLOAT16, values, count, numbers); return;
    case BK_BFLOAT16: narrow_to(BK_BFLOAT16, values, count, numbers); return;
  }
}

// Values past the caches, for a fence to wait for.
INLINE void stream_values(const float *values, size_t count, float *result) {
  size_t i = 0;
  // Stores past the caches need whole vectors in their places.
  if ((uintptr_t)result % sizeof(float) == 0) {
    size_t behind = (uintptr_t)result % sizeof(vf) / sizeof(float);
    i = behind == 0 ? 0 : LANES - behind;
    if (i > count) i = count;
    memcpy((char *)result, (const char *)values, 4 * i);
    for (; i + LANES <= count; i += LANES)
      __builtin_nontemporal_store(load_f(values + i), (vf *)(result + i));
  }
  if (i < count) memcpy((char *)(result + i), (const char *)(values + i), 4 * (count - i));
}

static void stream(const float *values, size_t count, float *result) {
  stream_values(values, count, result);
  STORE_FENCE();
}

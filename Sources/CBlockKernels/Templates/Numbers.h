// Between a caller's numbers and FP32.

INLINE vf widen_half(vh half) {
  vu code = widen_h(half), magnitude = code & 0x7FFF, sign = (code & 0x8000) << 16;
  vu finite = bits_of(floats_of(magnitude << 13) * 0x1p112f);
  vu special = pick(magnitude > 0x7C00, all_u(CANONICAL_NAN), sign | INFINITE);
  return floats_of(pick(magnitude >= 0x7C00, special, finite | sign));
}

INLINE vh narrow_half(vf value) {
  vu bits = bits_of(value), magnitude = bits & MAGNITUDE;
  vu sign = (bits >> 16) & 0x8000;
  vu binade = max_u(magnitude & INFINITE, all_u(113u << 23));
  vf sum = floats_of(min_u(magnitude, all_u(0x47800000))) +
           floats_of(min_u(binade, all_u(0x47800000)) + (13u << 23));
  vu code = (bits_of(sum) & 0x7FFFFF) + (min_u(binade, all_u(0x47800000)) >> 13) - (113u << 10);
  code = min_u(code, all_u(0x7C00)) | sign;
  return narrow_h(pick(magnitude > INFINITE, all_u(0x7E00), code));
}

INLINE vh narrow_bfloat(vf value) {
  vu bits = bits_of(value);
  vu rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  return narrow_h(pick((bits & MAGNITUDE) > INFINITE, all_u(0x7FC0), rounded));
}

static void widen(BKScalar type, const void *numbers, size_t count, float *values) {
  if (type == BK_FLOAT32) {
    memcpy((char *)values, numbers, 4 * count);
    return;
  }
  const uint8_t *bytes = numbers;
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vh half = 0;
    if (n == LANES) {
      memcpy(&half, bytes + 2 * i, sizeof half);
    } else {
      memcpy(&half, bytes + 2 * i, 2 * n);
    }
    vf value = type == BK_FLOAT16 ? widen_half(half) : floats_of(widen_h(half) << 16);
    if (n == LANES) {
      store_f(values + i, value);
    } else {
      store_some_f(values + i, value, n);
    }
  }
}

static void narrow(BKScalar type, const float *values, size_t count, void *numbers) {
  if (type == BK_FLOAT32) {
    memcpy(numbers, (const char *)values, 4 * count);
    return;
  }
  uint8_t *bytes = numbers;
  for (size_t i = 0; i < count; i += LANES) {
    size_t n = count - i < LANES ? count - i : LANES;
    vf value = n == LANES ? load_f(values + i) : load_some_f(values + i, n);
    vh half = type == BK_FLOAT16 ? narrow_half(value) : narrow_bfloat(value);
    if (n == LANES) {
      memcpy(bytes + 2 * i, &half, sizeof half);
    } else {
      memcpy(bytes + 2 * i, &half, 2 * n);
    }
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

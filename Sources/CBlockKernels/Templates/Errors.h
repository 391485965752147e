// What quantization did to values: squared errors and blocks without error.

typedef double eight_doubles __attribute__((ext_vector_type(8)));
typedef float eight_floats __attribute__((ext_vector_type(8)));
typedef int64_t eight_longs __attribute__((ext_vector_type(8)));
typedef int32_t eight_ints __attribute__((ext_vector_type(8)));

// Adds the squares of eight errors; 0 for values that are not finite.
INLINE void add_squares(
    const eight_floats *values, const eight_floats *decoded, eight_doubles *sum) {
  eight_floats x = *values, y = *decoded;
  eight_ints bits;
  memcpy(&bits, &x, sizeof bits);
  eight_ints is_finite = (bits & (int32_t)INFINITE) != (int32_t)INFINITE;
  eight_doubles error =
      __builtin_convertvector(y, eight_doubles) - __builtin_convertvector(x, eight_doubles);
  eight_doubles square = error * error;
  eight_longs kept;
  memcpy(&kept, &square, sizeof kept);
  kept &= __builtin_convertvector(is_finite, eight_longs);
  memcpy(&square, &kept, sizeof square);
  *sum = *sum + square;
}

// Lane j adds the squares of errors j, j + 8, ...; lanes are then added pairwise, halves first.
static void squared_errors(
    const float *values, const float *decoded, size_t blocks, size_t length, double *errors) {
  for (size_t block = 0; block < blocks; block++) {
    eight_doubles sum = 0;
    eight_floats x, y;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
      memcpy(&x, (const char *)(values + i), sizeof x);
      memcpy(&y, (const char *)(decoded + i), sizeof y);
      add_squares(&x, &y, &sum);
    }
    if (i < length) {
      x = 0;
      y = 0;
      memcpy(&x, (const char *)(values + i), (length - i) * sizeof(float));
      memcpy(&y, (const char *)(decoded + i), (length - i) * sizeof(float));
      add_squares(&x, &y, &sum);
    }
    double four[4], two[2];
    for (int j = 0; j < 4; j++) four[j] = sum[j] + sum[j + 4];
    for (int j = 0; j < 2; j++) two[j] = four[j] + four[j + 2];
    errors[block] = two[0] + two[1];
    values += length;
    decoded += length;
  }
}

static void mark_inexact(
    const float *values, const float *decoded, size_t count, size_t unit, uint8_t *flags) {
  for (size_t first = 0, group = 0; first < count; first += unit, group++) {
    size_t length = unit < count - first ? unit : count - first;
    vu different = 0;
    for (size_t i = 0; i < length; i += LANES) {
      size_t n = length - i < LANES ? length - i : LANES;
      vf x = n == LANES ? load_f(values + first + i) : load_some_f(values + first + i, n);
      vf y = n == LANES ? load_f(decoded + first + i) : load_some_f(decoded + first + i, n);
      different |= (vu)((x != y) & ~((x != x) & (y != y)));
    }
    uint32_t any = 0;
    for (int lane = 0; lane < LANES; lane++) any |= different[lane];
    flags[group] |= any != 0;
  }
}

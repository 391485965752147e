// Rows times panels of columns, by every unit; each result is compared with a plain loop as well.
#pragma STDC FP_CONTRACT OFF
#include <math.h>

#include "Cases.h"

static const size_t row_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 20, 29};
static const size_t word_counts[] = {1, 2, 3, 4, 5, 7, 8, 9};
static const size_t group_counts[] = {0, 1, 3};
static const size_t column_counts[] = {32, 1, 16, 5, 31, 17, 8};
// Where a level multiplies blocks of rows by tiles.
static const size_t block_rows[] = {8, 16, 23, 24, 33, 40};
static const size_t block_words[] = {8, 11, 16, 17, 40};
static const size_t block_groups[] = {4, 5, 8};
enum { MOST_ROWS = 40 };
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

// A kind of product: what `multiply` has a way of its own for. The first two have blocks.
enum { BLOCK_KINDS = 2 };
typedef struct {
  const char *name;
  BKProductShape shape;  // without extents
  bool has_nibbles;
  bool has_middles;
} Kind;

static const Kind kinds[] = {
    {"int8.multiplied", {BK_INT8, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
    {"int8.added", {BK_INT8, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"int8.unlimited", {BK_INT8, BK_UNLIMITED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"nibbles.multiplied", {BK_INT8, BK_MULTIPLIED, false, 0, 0, 1, 0}, true, false},
    {"nibbles.added", {BK_INT8, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, true, false},
    {"nibbles.unlimited", {BK_INT8, BK_UNLIMITED_EXPONENTS, false, 0, 0, 0x1p-3, 0}, true, false},
    {"int16.multiplied", {BK_INT16, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
    {"int16.added", {BK_INT16, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"int16.unlimited", {BK_INT16, BK_UNLIMITED_EXPONENTS, false, 0, 0, 0x1p9, 0}, false, false},
    {"bfloat16.multiplied", {BK_BFLOAT16_DOT, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
    {"bfloat16.added", {BK_BFLOAT16_DOT, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"bfloat16.flushing", {BK_BFLOAT16_DOT, BK_MULTIPLIED, true, 0, 0, 1, 0}, false, false},
    {"bfloat16.unlimited", {BK_BFLOAT16_DOT, BK_UNLIMITED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"bfloat16.unlimited.flushing",
     {BK_BFLOAT16_DOT, BK_UNLIMITED_EXPONENTS, true, 0, 0, 1, 0}, false, false},
    {"int8.middles", {BK_INT8, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, true},
    {"int8.unlimited.middles",
     {BK_INT8, BK_UNLIMITED_EXPONENTS, false, 0, 0, 1, 0}, false, true},
    {"nibbles.middles", {BK_INT8, BK_MULTIPLIED, false, 0, 0, 1, 0}, true, true},
    {"int16.middles", {BK_INT16, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, true},
    {"runs.multiplied", {BK_INT8_RUNS, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
    {"runs.added", {BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"runs.unlimited", {BK_INT8_RUNS, BK_UNLIMITED_EXPONENTS, false, 0, 0, 0x1p5, 0}, false, false},
    {"runs.middles", {BK_INT8_RUNS, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, true},
    {"runs.nibbles.multiplied", {BK_INT8_RUNS, BK_MULTIPLIED, false, 0, 0, 1, 0}, true, false},
    {"runs.nibbles.added", {BK_INT8_RUNS, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, true, false},
    {"runs.nibbles.unlimited",
     {BK_INT8_RUNS, BK_UNLIMITED_EXPONENTS, false, 0, 0, 1, 0}, true, false},
    {"runs.nibbles.middles", {BK_INT8_RUNS, BK_MULTIPLIED, false, 0, 0, 1, 0}, true, true},
    {"wide.multiplied", {BK_BFLOAT16_WIDE, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
    {"wide.added", {BK_BFLOAT16_WIDE, BK_ADDED_EXPONENTS, false, 0, 0, 1, 0}, false, false},
    {"wide.flushing", {BK_BFLOAT16_WIDE, BK_MULTIPLIED, true, 0, 0, 1, 0}, false, false},
    {"wide.unlimited", {BK_BFLOAT16_WIDE, BK_UNLIMITED_EXPONENTS, true, 0, 0, 1, 0}, false, false},
    {"float32", {BK_FLOAT32_FMA, BK_MULTIPLIED, false, 0, 0, 1, 0}, false, false},
};

static uint32_t bits_of(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }
static float float_of(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }
static float float_at(const void *p) { float x; memcpy(&x, p, 4); return x; }
static uint16_t half_at(const void *p) { uint16_t x; memcpy(&x, p, 2); return x; }

// MARK: - Operands

// A BF16 number whose products come near 2^-126, or one of usual size, or a special one.
static uint32_t flushing_half(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  uint32_t fraction = (uint32_t)z & 0x7F & ~(0x7Fu >> (z >> 32) % 8);
  uint32_t sign = (uint32_t)(z >> 40 & 1) << 15;
  switch (z >> 60) {
    case 0: return sample(seed, index) >> 16;
    case 1: return sign | fraction;
    case 2: return sign | (120 + (uint32_t)(z >> 44) % 8) << 7 | fraction;
    case 3: case 4: case 5: return sign | (50 + (uint32_t)(z >> 44) % 5) << 7 | fraction;
    default: return sign | (62 + (uint32_t)(z >> 44) % 5) << 7 | fraction;
  }
}

// A BF16 number of usual size, zero, or now and then infinity or NaN.
static uint32_t usual_half(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  uint32_t bits = (uint32_t)z & 0x807F;
  if (z >> 48 == 0) return 0x7FC0 | bits;
  if (z >> 52 == 1) return 0x7F80 | (bits & 0x8000);
  if (z >> 60 == 2) return bits & 0x8000;
  return bits | (120 + (uint32_t)(z >> 32) % 16) << 7;
}

// What runs are tried with: the largest magnitudes of rows and columns, and words of a run. Two products
// of the first reach 2^15 but for eight, and so do the runs of all.
typedef struct {
  int rows, columns;
  size_t words;
} Runs;
static Runs runs_of(uint64_t seed) {
  static const Runs all[] = {{90, 91, 2}, {12, 127, 10}, {127, 32, 4}, {31, 31, 16}};
  return all[seed % COUNT_OF(all)];
}

// Four integers of magnitudes up to a limit, many of them at it, each plus something.
static uint32_t limited_bytes(uint64_t seed, uint64_t index, int limit, int plus) {
  uint32_t word = 0;
  for (int byte = 0; byte < 4; byte++) {
    uint64_t z = mixed(seed, 4 * index + (uint64_t)byte);
    int edge = z >> 32 & 1 ? limit : -limit;
    int integer = z >> 40 & 1 ? edge : (int)(z % (uint64_t)(2 * limit + 1)) - limit;
    word |= (uint32_t)(uint8_t)(integer + plus) << 8 * byte;
  }
  return word;
}

static uint32_t element_word(const Kind *kind, uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  uint32_t (*half)(uint64_t, uint64_t) = kind->shape.flushes ? flushing_half : usual_half;
  switch (kind->shape.unit) {
    case BK_INT8: case BK_INT8_RUNS: return (uint32_t)z;
    // Small enough for sums of 32 bits.
    case BK_INT16:
      return (uint16_t)((int16_t)z >> 3) | (uint32_t)(uint16_t)((int16_t)(z >> 16) >> 3) << 16;
    case BK_BFLOAT16_DOT: return half(seed, 2 * index) | half(seed, 2 * index + 1) << 16;
    case BK_BFLOAT16_WIDE: {
      uint32_t bits = half(seed, index) << 16;
      return bits & 0x7F800000 ? bits : bits & 0x80000000;
    }
    case BK_FLOAT32_FMA: return z >> 56 == 0 ? sample(seed, index) : tame_sample(seed, index);
  }
  return 0;
}

static uint32_t scale_bits(uint64_t seed, uint64_t index) {
  return mixed(seed + 9, index) % 32 == 0 ? sample(seed, index) : multiplier(seed, index);
}

// Two of these have products on either side of the smallest FP32 numbers, or of the largest one.
static uint32_t extreme_scale(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed + 13, index);
  if (z >> 58 == 0) return sample(seed, index);
  uint32_t exponent = (z >> 32 & 7 ? 20 : 172) + (uint32_t)(z >> 40) % 64;
  return ((uint32_t)z & 0x807FFFFF) | exponent << 23;
}

// From 2^-63 to 2^63.
static uint32_t tame_scale(uint64_t seed, uint64_t index) {
  return (64 + (uint32_t)(mixed(seed, index) % 127)) << 23;
}

// MARK: - What products are

static float step(const BKProductShape *shape, float sum, float a, float b) {
  if (!shape->flushes) return fmaf(a, b, sum);
  if (fabsf(a) < 0x1p-126f) a = copysignf(0, a);
  if (fabsf(b) < 0x1p-126f) b = copysignf(0, b);
  float y = fmaf(a, b, sum);
  // Rounded as if exponents had no limit.
  return fabsf(fmaf(a * 0x1p24f, b, sum * 0x1p24f)) < 0x1p-102f ? copysignf(0, y) : y;
}

// The dot product of a group: `a` is its words of a row, `b` those of a column with their stride.
static float dot(
    const BKProductShape *shape, int bias, const uint8_t *a, const uint8_t *b, size_t stride) {
  int64_t integer = 0;
  float sum = 0;
  for (size_t word = 0; word < shape->words; word++, a += 4, b += stride) {
    switch (shape->unit) {
      case BK_INT8:
        for (int i = 0; i < 4; i++) integer += (int8_t)a[i] * (int8_t)b[i];
        break;
      case BK_INT8_RUNS:
        for (int i = 0; i < 4; i++) integer += (int8_t)a[i] * (b[i] - bias);
        break;
      case BK_INT16:
        for (int i = 0; i < 4; i += 2)
          integer += (int16_t)half_at(a + i) * (int16_t)half_at(b + i);
        break;
      case BK_BFLOAT16_DOT:
        for (int i = 2; i >= 0; i -= 2)
          sum = step(
              shape, sum, float_of((uint32_t)half_at(a + i) << 16),
              float_of((uint32_t)half_at(b + i) << 16));
        break;
      case BK_BFLOAT16_WIDE: sum = step(shape, sum, float_at(a), float_at(b)); break;
      case BK_FLOAT32_FMA: sum = fmaf(float_at(a), float_at(b), sum); break;
    }
  }
  bool has_integers = shape->unit == BK_INT8 || shape->unit == BK_INT8_RUNS || shape->unit == BK_INT16;
  return has_integers ? (float)integer : sum;
}

// The product of two scales: 24 bits, no limits of the exponent.
static double unlimited_product(float a, float b) {
  double product = (double)a * b;
  if (product == 0 || !isfinite(product)) return product;
  int exponent;
  float significand = (float)frexp(product, &exponent);
  return ldexp(significand, exponent);
}

// x + y rounded to FP32 once, in integers.
static float rounded_sum(double x, float y) {
  if (x == 0 || y == 0 || !isfinite(x) || !isfinite(y)) return (float)(x + y);
  int exponent[2];
  double part[2] = {frexp(x, &exponent[0]), frexp(y, &exponent[1])};
  int big = exponent[1] > exponent[0], gap = exponent[big] - exponent[1 - big];
  int64_t large = (int64_t)ldexp(part[big], 53), small = (int64_t)ldexp(part[1 - big], 53);
  // Farther down only the sign of what is small counts.
  if (gap > 60) {
    gap = 60;
    small = small < 0 ? -1 : 1;
  }
  __int128 sum = (__int128)large * ((__int128)1 << gap) + small;
  bool is_negative = sum < 0;
  unsigned __int128 magnitude = is_negative ? -(unsigned __int128)sum : (unsigned __int128)sum;
  int shift = exponent[big] - 53 - gap;
  // Forty bits, the last one with all that follow.
  for (; magnitude >> 40; shift++) magnitude = magnitude >> 1 | (magnitude & 1);
  float result = (float)ldexp((double)(uint64_t)magnitude, shift);
  return is_negative ? -result : result;
}

static float finished(float y, const BKResult *result, size_t column, float old) {
  if (result->tensor_scale != 1) y = (float)(y * result->tensor_scale);
  if (result->alpha != 1) y *= result->alpha;
  if (result->bias) y += result->bias[column];
  if (result->beta != 0) y = fmaf(result->beta, old, y);
  return y != y ? float_of(0x7FC00000) : y;
}

// MARK: - Calls

static void multiply(
    Driver *d, const Kind *kind, size_t rows, size_t words, size_t groups, size_t columns) {
  static uint8_t integers[64 * 4 * BK_PANEL];
  uint64_t seed = d->call;
  bool at_end = next_call(d);
  BKProductShape shape = kind->shape;
  bool is_grouped = shape.unit != BK_FLOAT32_FMA, adds = shape.scale_product == BK_ADDED_EXPONENTS;
  bool is_unlimited = shape.scale_product == BK_UNLIMITED_EXPONENTS;
  uint32_t (*scale_of)(uint64_t, uint64_t) =
      adds ? tame_scale : is_unlimited ? extreme_scale : scale_bits;
  shape.groups = is_grouped ? groups : groups > 0;
  shape.words = words;
  bool has_runs = shape.unit == BK_INT8_RUNS;
  Runs runs = runs_of(seed);
  if (has_runs) shape.run = runs.words;
  size_t runs_of_group = has_runs ? (words + runs.words - 1) / runs.words : 1;
  size_t total = shape.groups * words, stride = 4 * total + seed % 3 * 20;
  size_t span = total == 0 ? 0 : (rows - 1) * stride + 4 * total;

  uint8_t *a = place(&d->in[0], span, at_end);
  for (size_t row = 0; row < rows; row++)
    for (size_t i = 0; i < total; i++) {
      uint64_t index = row * total + i;
      uint32_t word = has_runs ? limited_bytes(seed, index, runs.rows, 0)
                               : element_word(kind, seed, index);
      memcpy(a + row * stride + 4 * i, &word, 4);
    }
  size_t scale_count = is_grouped ? shape.groups : 0;
  uint8_t *numbers = place(&d->in[1], 4 * scale_count * rows * (3 + runs_of_group), at_end);
  float *scales = (float *)numbers;
  float *middles = scales + scale_count * rows, *sums = middles + scale_count * rows;
  int32_t *offsets = (int32_t *)(sums + scale_count * rows);
  for (size_t i = 0; i < scale_count * rows; i++) {
    uint32_t bits = scale_of(seed, i) - (adds ? bits_of(1) : 0);
    memcpy(scales + i, &bits, 4);
    const uint8_t *group = a + i / scale_count * stride + i % scale_count * 4 * words;
    if (has_runs) {
      d->products->run_offsets(
          (const int8_t *)group, 1, words, runs.words, (uint32_t)runs.columns,
          offsets + i * runs_of_group);
      continue;
    }
    offsets[i] = 0;
    for (size_t k = 0; k < 4 * words; k++) offsets[i] -= 128 * (int8_t)group[k];
  }
  BKRows left = {
      .elements = a, .stride = stride, .scales = is_grouped ? scales : NULL, .rows = rows};
  if (shape.unit == BK_INT8 || has_runs) left.offsets = offsets;
  // Offsets of rows, of columns, or of both.
  bool has_rows = kind->has_middles && seed % 3 != 1;
  bool has_columns = kind->has_middles && seed % 3 != 0;
  for (size_t i = 0; i < 2 * scale_count * rows; i++) {
    uint32_t bits = tame_sample(seed + 7, i);
    memcpy(middles + i, &bits, 4);
  }
  if (has_rows) left.middles = middles;
  if (has_columns) left.sums = sums;

  size_t panel_bytes = 4 * total * BK_PANEL / (kind->has_nibbles ? 2 : 1);
  uint8_t *panel = place(&d->in[2], panel_bytes + 16, !at_end);
  int8_t *values = (int8_t *)(panel + panel_bytes);
  for (size_t i = 0; i < panel_bytes / 4; i++) {
    uint32_t word = has_runs && !kind->has_nibbles
                        ? limited_bytes(seed + 1000003, i, runs.columns, runs.columns)
                        : element_word(kind, seed + 1000003, i);
    memcpy(panel + 4 * i, &word, 4);
  }
  for (size_t i = 0; i < 16; i++)
    values[i] = (int8_t)(has_runs ? limited_bytes(seed, i, runs.columns, runs.columns)
                                  : mixed(seed, i));
  const uint8_t *b = panel;
  if (kind->has_nibbles) {
    for (size_t i = 0; i < 4 * total * BK_PANEL; i++) {
      size_t word = i / (4 * BK_PANEL), at = word / 2 * 4 * BK_PANEL + i % (4 * BK_PANEL);
      integers[i] = (uint8_t)values[word % 2 ? panel[at] >> 4 : panel[at] & 15];
    }
    b = integers;
  }
  size_t factor_count = scale_count * BK_PANEL, parts = kind->has_middles ? 3 : 1;
  float *factors = floats(
      &d->in[3], parts * factor_count + columns, at_end, scale_of, seed + 5);
  BKColumns right = {.elements = panel, .scales = is_grouped ? factors : NULL};
  float *column_middles = factors + factor_count, *column_sums = factors + 2 * factor_count;
  if (has_columns) right.middles = column_middles;
  if (has_rows) right.sums = column_sums;
  float *bias = factors + parts * factor_count;

  size_t result_stride = columns + seed % 4;
  float *out = floats(
      &d->out[0], (rows - 1) * result_stride + columns, at_end, tame_sample, seed + 6);
  BKResult result = {out, result_stride, columns, 1, 1, 0, NULL};
  if (seed % 2) result.tensor_scale = is_unlimited ? 0x1.34p-160 : 0x1.34p-3;
  if (seed / 2 % 3 == 1) result.alpha = -1.7f;
  if (seed / 3 % 3 == 1) result.beta = 0.3f;
  if (seed / 5 % 3 == 1) result.bias = bias;
  static float expected[MOST_ROWS * (BK_PANEL + 4)];
  memcpy(expected, out, d->out[0].count);
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++) {
      float y = 0;
      for (size_t group = 0; group < shape.groups; group++) {
        float own = dot(
            &shape, runs.columns, a + row * stride + 4 * group * words,
            b + group * words * 4 * BK_PANEL + 4 * column, 4 * BK_PANEL);
        if (is_grouped) {
          float scale = scales[row * shape.groups + group];
          if (adds) scale = float_of(bits_of(scale) + bits_of(1));
          float factor = factors[group * BK_PANEL + column];
          y = is_unlimited
                  ? rounded_sum(own * unlimited_product(scale, factor) * shape.scale_unit, y)
                  : fmaf(own, scale * factor, y);
          size_t at = row * shape.groups + group, place = group * BK_PANEL + column;
          if (has_columns) y = fmaf(sums[at], column_middles[place], y);
          if (has_rows) y = fmaf(middles[at], column_sums[place], y);
        } else {
          y = own;
        }
      }
      float *target = expected + row * result_stride + column;
      *target = finished(y, &result, column, *target);
    }
  if (kind->has_nibbles) {
    d->products->multiply_nibbles(&shape, &left, &right, values, &result);
  } else {
    d->products->multiply(&shape, &left, &right, &result);
  }
  take(d, &d->out[0]);
  if (memcmp(out, expected, d->out[0].count) != 0) {
    fprintf(stderr, "%s: %zu rows, %zu groups of %zu words, %zu columns differ from a plain loop\n",
            d->name, rows, groups, words, columns);
    exit(1);
  }
}

static void run_blocks(Driver *d) {
  for (size_t k = 0; k < BLOCK_KINDS; k++) {
    if (!begin(d, "product.blocks.%s", kinds[k].name)) continue;
    for (size_t r = 0; r < COUNT_OF(block_rows); r++)
      for (size_t w = 0; w < COUNT_OF(block_words); w++)
        for (size_t g = 0; g < COUNT_OF(block_groups); g++)
          for (size_t turn = 0; turn < 3; turn++)
            multiply(
                d, &kinds[k], block_rows[r], block_words[w], block_groups[g],
                column_counts[d->call % COUNT_OF(column_counts)]);
    end(d);
  }
}

// Products that some rows meet in parts: more groups, and longer ones.
static void run_parts(Driver *d, const Kind *kind) {
  static const size_t rows[] = {1, 3, 7, 8, 13, 16, 32};
  static const struct { size_t words, groups; } extents[] = {{16, 3}, {8, 7}, {60, 1}, {37, 1}};
  for (size_t r = 0; r < COUNT_OF(rows); r++)
    for (size_t e = 0; e < COUNT_OF(extents); e++) {
      if (kind->has_nibbles && extents[e].words % 2) continue;
      for (size_t turn = 0; turn < 4; turn++)
        multiply(
            d, kind, rows[r], extents[e].words, extents[e].groups,
            column_counts[d->call % COUNT_OF(column_counts)]);
    }
}

void run_products(Driver *d) {
  for (size_t k = 0; k < COUNT_OF(kinds); k++) {
    if (!begin(d, "product.%s", kinds[k].name)) continue;
    for (size_t r = 0; r < COUNT_OF(row_counts); r++)
      for (size_t w = 0; w < COUNT_OF(word_counts); w++)
        for (size_t g = 0; g < COUNT_OF(group_counts); g++) {
          if (kinds[k].has_nibbles && word_counts[w] % 2) continue;
          for (size_t turn = 0; turn < 3; turn++)
            multiply(
                d, &kinds[k], row_counts[r], word_counts[w], group_counts[g],
                column_counts[d->call % COUNT_OF(column_counts)]);
        }
    end(d);
  }
  run_blocks(d);
  for (size_t k = 0; k < COUNT_OF(kinds); k++) {
    if (!begin(d, "product.parts.%s", kinds[k].name)) continue;
    run_parts(d, &kinds[k]);
    end(d);
  }
}

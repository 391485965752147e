// Rows times columns of narrow elements, and such columns as panels; each result is compared with a
// plain loop as well.
#pragma STDC FP_CONTRACT OFF
#include <math.h>

#include "Cases.h"

static const size_t row_counts[] = {1, 2, 3, 4, 5, 8, 9};
static const size_t lengths[] = {8, 16, 32, 40};
static const size_t group_counts[] = {0, 1, 3};
static const size_t column_counts[] = {32, 1, 16, 5, 31, 17, 8};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
enum { MOST_NUMBERS = 128 * BK_PANEL };

// What the kernels have a way of their own for.
typedef struct {
  const char *name;
  BKCodeForm form;
  BKUnit unit;
  BKScaleProduct scale_product;
  bool has_tensor_scale, has_offsets;
} Kind;

static const Kind kinds[] = {
    {"float32", BK_NIBBLES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false},
    {"float32.tensor", BK_NIBBLES, BK_FLOAT32_FMA, BK_MULTIPLIED, true, false},
    {"float32.offset", BK_NIBBLES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, true},
    {"bytes", BK_BYTES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false},
    {"bytes.tensor", BK_BYTES, BK_FLOAT32_FMA, BK_MULTIPLIED, true, false},
    {"bytes.offset", BK_BYTES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, true},
    {"halves", BK_HALVES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false},
    {"halves.tensor", BK_HALVES, BK_FLOAT32_FMA, BK_MULTIPLIED, true, false},
    {"halves.offset", BK_HALVES, BK_FLOAT32_FMA, BK_MULTIPLIED, false, true},
    {"wide.multiplied", BK_NIBBLES, BK_BFLOAT16_WIDE, BK_MULTIPLIED, false, false},
    {"wide.added", BK_NIBBLES, BK_BFLOAT16_WIDE, BK_ADDED_EXPONENTS, false, false},
};

static uint32_t bits_of(float x) { uint32_t bits; memcpy(&bits, &x, 4); return bits; }
static float float_of(uint32_t bits) { float x; memcpy(&x, &bits, 4); return x; }

// BF16 numbers of usual size.
static uint32_t usual_half(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  if (z >> 60 == 2) return (uint32_t)z & 0x80000000u;
  return ((uint32_t)z & 0x807F0000) | (120 + (uint32_t)(z >> 32) % 16) << 23;
}
// Powers of two from 2^-63 to 2^63.
static uint32_t usual_power(uint64_t seed, uint64_t index) {
  return (64 + (uint32_t)(mixed(seed, index) % 127)) << 23;
}
// The same less the bias of the exponent.
static uint32_t bare_power(uint64_t seed, uint64_t index) {
  return usual_power(seed, index) - bits_of(1);
}

// The operands of a call.
typedef struct {
  const Kind *kind;
  BKProductShape shape;
  BKColumns columns;
  BKCodes codes;
} Operands;

// What a column holds: integers, BF16 numbers, or codes, of which words of four bytes share nibbles with
// those behind them.
static float element_at(const Operands *o, size_t element, size_t column) {
  const uint8_t *panel = o->columns.elements + 4 * column;
  size_t word = element / 4, line = 4 * BK_PANEL;
  uint16_t half;
  switch (o->codes.form) {
    case BK_NIBBLES: {
      uint8_t pair = panel[word / 2 * line + element % 4];
      return o->codes.values[word % 2 ? pair >> 4 : pair & 15];
    }
    case BK_BYTES: return (int8_t)panel[word * line + element % 4];
    case BK_HALVES:
      memcpy(&half, panel + element / 2 * line + element % 2 * 2, sizeof half);
      return float_of((uint32_t)half << 16);
  }
  return 0;
}

// What stands there for the unit.
static float number_at(const Operands *o, size_t element, size_t column) {
  float value = element_at(o, element, column);
  if (o->kind->unit != BK_FLOAT32_FMA) return value;
  size_t at = element / o->shape.words * BK_PANEL + column;
  value *= o->columns.scales[at];
  if (o->kind->has_tensor_scale) value *= o->codes.tensor_scale;
  return o->kind->has_offsets ? value + o->columns.middles[at] : value;
}

static Operands operands(
    Driver *d, const Kind *kind, size_t groups, size_t length, size_t depth, bool at_end) {
  uint64_t seed = d->call;
  static const size_t half_bytes[] = {[BK_NIBBLES] = 1, [BK_BYTES] = 2, [BK_HALVES] = 4};
  size_t bytes = groups * length * half_bytes[kind->form] / 2 * BK_PANEL, count = groups * BK_PANEL;
  bool is_wide = kind->unit != BK_FLOAT32_FMA, adds = kind->scale_product == BK_ADDED_EXPONENTS;
  uint8_t *panel = place(&d->in[2], bytes, !at_end);
  for (size_t i = 0; i < bytes; i++)
    panel[i] = (uint8_t)(kind->form == BK_HALVES ? tame_sample(seed + 3, i / 2) >> (i % 2 ? 24 : 16)
                                                 : mixed(seed + 3, i));
  float *numbers = floats(
      &d->in[3], 16 + 2 * count, at_end, adds ? usual_power : tame_sample, seed + 5);
  // In half of the calls codes are a sign and a magnitude, which some levels look up apart.
  bool has_signs = seed / 2 % 2;
  for (uint64_t code = 0; code < 16; code++) {
    float *number = numbers + 2 * count + code;
    *number = has_signs && code >= 8
                  ? -number[-8]
                  : float_of((is_wide ? usual_half : tame_sample)(seed + 11, code));
  }
  return (Operands){
      .kind = kind,
      .shape = {kind->unit, kind->scale_product, false, groups, length, 1, 0},
      .columns = {panel, numbers, kind->has_offsets ? numbers + count : NULL, NULL},
      .codes = {kind->form, numbers + 2 * count, kind->has_tensor_scale ? 0.37f : 1, depth}};
}

static void fail(Driver *d, const char *what, size_t rows, size_t groups, size_t length) {
  fprintf(stderr, "%s: %s of %zu rows, %zu groups of %zu elements differ from a plain loop\n",
          d->name, what, rows, groups, length);
  exit(1);
}

static void multiply(Driver *d, const Kind *kind, size_t rows, size_t groups, size_t length) {
  uint64_t seed = d->call;
  bool at_end = next_call(d), is_wide = kind->unit != BK_FLOAT32_FMA;
  bool adds = kind->scale_product == BK_ADDED_EXPONENTS;
  size_t total = groups * length, depth = is_wide || groups == 0 ? total : total - seed % length;
  size_t columns = column_counts[seed % COUNT_OF(column_counts)];
  Operands o = operands(d, kind, groups, length, depth, at_end);
  float *a = floats(&d->in[0], rows * depth, at_end, is_wide ? usual_half : tame_sample, seed);
  float *scales = floats(
      &d->in[1], is_wide ? rows * groups : 0, at_end, adds ? bare_power : tame_sample, seed + 1);
  BKRows left = {
      .elements = (const uint8_t *)a, .stride = 4 * depth, .scales = is_wide ? scales : NULL,
      .rows = rows};
  float *out = floats(&d->out[0], rows * columns, at_end, tame_sample, seed + 6);
  BKResult result = {out, columns, columns, 1, 1, 0, NULL};
  static float expected[16 * BK_PANEL];
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++) {
      float y = 0, dot = 0;
      for (size_t i = 0; i < depth; i++) {
        // Rows in words of FP32 have the odd element of a pair first.
        float number = number_at(&o, is_wide ? i ^ 1 : i, column);
        dot = fmaf(a[row * depth + i], number, dot);
        if (!is_wide || (i + 1) % length != 0) continue;
        size_t group = i / length;
        float scale = scales[row * groups + group];
        if (adds) scale = float_of(bits_of(scale) + bits_of(1));
        y = fmaf(dot, scale * o.columns.scales[group * BK_PANEL + column], y);
        dot = 0;
      }
      if (!is_wide) y = dot;
      expected[row * columns + column] = y != y ? float_of(0x7FC00000) : y;
    }
  d->products->multiply_codes(&o.shape, &left, &o.columns, &o.codes, &result);
  take(d, &d->out[0]);
  if (memcmp(out, expected, 4 * rows * columns) != 0) fail(d, "products", rows, groups, length);
}

static void spread(
    Driver *d, const Kind *kind, BKUnit unit, size_t groups, size_t length) {
  bool at_end = next_call(d);
  Operands o = operands(d, kind, groups, length, groups * length, at_end);
  o.shape.unit = unit;
  size_t count = groups * length * BK_PANEL;
  bool has_pairs = unit == BK_BFLOAT16_DOT;
  uint8_t *out = place(&d->out[0], has_pairs ? 2 * count : 4 * count, at_end);
  static uint32_t expected[MOST_NUMBERS];
  for (size_t i = 0; i < count; i++) {
    size_t element = i / BK_PANEL, column = i % BK_PANEL;
    if (unit == BK_BFLOAT16_WIDE) element ^= 1;
    uint32_t bits = bits_of(number_at(&o, element, column));
    if (!has_pairs) {
      expected[i] = bits;
    } else if (element % 2 == 0) {
      expected[element / 2 * BK_PANEL + column] = bits >> 16;
    } else {
      expected[element / 2 * BK_PANEL + column] |= bits;
    }
  }
  d->products->spread_codes(&o.shape, &o.columns, &o.codes, out);
  take(d, &d->out[0]);
  if (memcmp(out, expected, has_pairs ? 2 * count : 4 * count) != 0)
    fail(d, "panels", 0, groups, length);
}

void run_narrow_columns(Driver *d) {
  for (size_t k = 0; k < COUNT_OF(kinds); k++) {
    if (!begin(d, "product.narrow.%s", kinds[k].name)) continue;
    for (size_t r = 0; r < COUNT_OF(row_counts); r++)
      for (size_t l = 0; l < COUNT_OF(lengths); l++)
        for (size_t g = 0; g < COUNT_OF(group_counts); g++)
          for (size_t turn = 0; turn < 3; turn++)
            multiply(d, &kinds[k], row_counts[r], group_counts[g], lengths[l]);
    end(d);
  }
  static const struct { size_t kind; BKUnit unit; const char *name; } panels[] = {
      {0, BK_FLOAT32_FMA, "float32"}, {1, BK_FLOAT32_FMA, "float32.tensor"},
      {2, BK_FLOAT32_FMA, "float32.offset"}, {3, BK_FLOAT32_FMA, "bytes"},
      {4, BK_FLOAT32_FMA, "bytes.tensor"}, {5, BK_FLOAT32_FMA, "bytes.offset"},
      {6, BK_FLOAT32_FMA, "halves"}, {7, BK_FLOAT32_FMA, "halves.tensor"},
      {8, BK_FLOAT32_FMA, "halves.offset"}, {9, BK_BFLOAT16_WIDE, "wide"},
      {9, BK_BFLOAT16_DOT, "pairs"},
  };
  for (size_t p = 0; p < COUNT_OF(panels); p++) {
    if (!begin(d, "panel.narrow.%s", panels[p].name)) continue;
    for (size_t l = 0; l < COUNT_OF(lengths); l++)
      for (size_t g = 0; g < COUNT_OF(group_counts); g++)
        for (size_t turn = 0; turn < 4; turn++)
          spread(d, &kinds[panels[p].kind], panels[p].unit, group_counts[g], lengths[l]);
    end(d);
  }
}

// Columns of narrow elements that become numbers where they are multiplied, so that memory brings few
// bits an element.

// What is fixed when a tile is compiled.
typedef struct {
  BKCodeForm form;
  bool has_signs;  // codes of a sign and a magnitude, which are quicker found apart
  BKUnit unit;  // FP32, or BF16 in words of FP32
  BKScaleProduct scale_product;  // BF16
  bool has_tensor_scale;         // FP32
  bool has_offsets;              // FP32
} CodeKind;

// The most rows of a tile, and their vectors of columns.
#define CODE_ROWS 4
#define CODE_VECTORS 2
#define MOST_OF_LANE 8

// The elements of a column that share a lane.
INLINE int lane_length(const BKCodeForm form) {
  switch (form) {
    case BK_NIBBLES: return 8;
    case BK_BYTES: return 4;
    case BK_HALVES: return 2;
  }
}

// Where element k of a lane is among its nibbles: those of two words of bytes take turns.
INLINE int nibble_of(int k) { return k < 4 ? 2 * k : 2 * k - 7; }

// The numbers of codes whose upper bit is a sign, where a level prefers these.
#ifdef HAS_SEPARATE_SIGNS
INLINE vf signed_values(const float *values, vu word, uint32_t first_bit) {
  vu signs = word << (28 - first_bit) & SIGN;
  return floats_of(bits_of(permute(load_f(values), word >> first_bit)) ^ signs);
}
// Whether the upper half of a table is the lower one with the other sign.
INLINE bool are_signed(const float *values) {
  for (size_t code = 0; code < 8; code++)
    if (word_at(values + code + 8) != (word_at(values + code) ^ SIGN)) return false;
  return true;
}
#else
INLINE vf signed_values(const float *values, vu word, uint32_t first_bit) {
  return look_up(load_f(values), values, word >> first_bit);
}
INLINE bool are_signed(const float *values) { return false; }
#endif

// The numbers of element k of every lane.
INLINE vf values_at(const CodeKind kind, const float *values, vu word, int k) {
  const uint32_t first_bit = (uint32_t)(4 * nibble_of(k));
  switch (kind.form) {
    case BK_NIBBLES:
      return kind.has_signs ? signed_values(values, word, first_bit)
                            : look_up(load_f(values), values, word >> first_bit);
    case BK_BYTES: return __builtin_convertvector((vi)(word << (uint32_t)(24 - 8 * k)) >> 24, vf);
    case BK_HALVES: return floats_of(k == 0 ? word << 16 : word & 0xFFFF0000u);
  }
}

// What a group multiplies its numbers by, and what it adds to them.
typedef struct {
  vf scale, offset;
} GroupLine;

INLINE GroupLine group_line(const CodeKind kind, const BKColumns *b, size_t group, size_t column) {
  size_t at = group * BK_PANEL + column;
  GroupLine line = {load_f(b->scales + at), (vf)0.0f};
  if (kind.has_offsets) line.offset = load_f(b->middles + at);
  return line;
}

// A number as decoding rounds it: after each factor, and after the offset.
INLINE vf decoded(const CodeKind kind, const BKCodes *codes, GroupLine line, vf value) {
  value *= line.scale;
  if (kind.has_tensor_scale) value *= (vf)codes->tensor_scale;
  return kind.has_offsets ? value + line.offset : value;
}

// The element that word i of a lane's stands for: of pairs in BF16 rows the odd one is first.
INLINE int element_of(const CodeKind kind, int i) {
  return kind.unit == BK_BFLOAT16_WIDE ? i ^ 1 : i;
}

// Word i of the rows times its element of the columns.
INLINE void multiply_code(
    const CodeKind kind, const BKCodes *codes, const int rows, const int vectors, int i,
    const uint8_t *row, size_t stride, const vu *words, const GroupLine *lines,
    vf sums[][PANEL_VECTORS]) {
  UNROLLED for (int v = 0; v < vectors; v++) {
    vf value = values_at(kind, codes->values, words[v], element_of(kind, i));
    if (kind.unit == BK_FLOAT32_FMA) value = decoded(kind, codes, lines[v], value);
    UNROLLED for (int r = 0; r < rows; r++) {
      vf number = (vf)float_at(row + (size_t)r * stride + 4 * (size_t)i);
      sums[r][v] = fma_f(value, number, sums[r][v]);
    }
  }
}

// Some elements of a group: whole lanes, and what is left at the end of a row.
INLINE void multiply_lanes(
    const CodeKind kind, const BKCodes *codes, const int rows, const int vectors, size_t count,
    const uint8_t *row, size_t stride, const uint8_t *panel, const GroupLine *lines,
    vf sums[][PANEL_VECTORS]) {
  const int length = lane_length(kind.form);
  for (size_t k = 0; k < count; k += (size_t)length) {
    vu words[PANEL_VECTORS];
    if (rows <= 2) fetch_ahead(panel, vectors * sizeof(vu));
    UNROLLED for (int v = 0; v < vectors; v++) words[v] = load_u(panel + v * sizeof(vu));
    if (k + (size_t)length <= count) {
      UNROLLED for (int i = 0; i < length; i++)
        multiply_code(kind, codes, rows, vectors, i, row, stride, words, lines, sums);
    } else {
      for (int i = 0; i < (int)(count - k); i++)
        multiply_code(kind, codes, rows, vectors, i, row, stride, words, lines, sums);
    }
    row += 4 * length;
    panel += 4 * BK_PANEL;
  }
}

INLINE void code_tile(
    const CodeKind kind, const BKCodes *codes, const int rows, const int vectors,
    const BKProductShape *shape, const BKRows *a, size_t first_row, const BKColumns *b,
    size_t first_column, const BKResult *result) {
  const bool is_grouped = kind.unit == BK_BFLOAT16_WIDE;
  const uint8_t *row = a->elements + first_row * a->stride;
  const float *scales = is_grouped ? a->scales + first_row * shape->groups : NULL;
  const uint8_t *panel = b->elements + first_column * 4;
  vf y[CODE_ROWS][PANEL_VECTORS];
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++) y[r][v] = (vf)0.0f;
  }
  for (size_t group = 0; group < shape->groups; group++) {
    size_t rest = codes->depth - group * shape->words;
    size_t count = rest < shape->words ? rest : shape->words;
    GroupLine lines[PANEL_VECTORS];
    vf dots[CODE_ROWS][PANEL_VECTORS];
    UNROLLED for (int v = 0; v < vectors; v++) {
      lines[v] = group_line(kind, b, group, first_column + (size_t)v * LANES);
      UNROLLED for (int r = 0; r < rows; r++) dots[r][v] = is_grouped ? (vf)0.0f : y[r][v];
    }
    multiply_lanes(kind, codes, rows, vectors, count, row, a->stride, panel, lines, dots);
    UNROLLED for (int r = 0; r < rows; r++) {
      UNROLLED for (int v = 0; v < vectors; v++) {
        y[r][v] = is_grouped
                      ? add_group(
                            kind.scale_product, shape->scale_unit, dots[r][v], lines[v].scale,
                            scales + (size_t)r * shape->groups + group, y[r][v])
                      : dots[r][v];
      }
    }
    row += 4 * shape->words;
    panel += shape->words / (size_t)lane_length(kind.form) * 4 * BK_PANEL;
  }
  UNROLLED for (int r = 0; r < rows; r++) {
    UNROLLED for (int v = 0; v < vectors; v++)
      store_result(result, first_row + (size_t)r, first_column + (size_t)v * LANES, y[r][v]);
  }
}

// All rows: the last, which wait for memory, meet more columns in a pass.
INLINE void multiply_code_tiles(
    const CodeKind kind, const BKCodes *codes, const BKProductShape *shape, const BKRows *a,
    const BKColumns *b, const BKResult *result) {
  size_t row = 0;
#define TILES(count, vectors)                                                                    \
  for (; row + (count) <= a->rows; row += (count))                                               \
    for (size_t first = 0; first < BK_PANEL; first += (vectors) * LANES)                         \
      code_tile(kind, codes, count, vectors, shape, a, row, b, first, result);
  TILES(CODE_ROWS, CODE_VECTORS)
  TILES(2, CODE_VECTORS)
  TILES(1, FEW_VECTORS)
#undef TILES
}

#define CODE_MULTIPLIER(name, ...)                                                               \
  static NOINLINE void name(                                                                     \
      const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,                 \
      const BKCodes *codes, const BKResult *result) {                                            \
    multiply_code_tiles((CodeKind){__VA_ARGS__}, codes, shape, rows, columns, result);           \
  }

// For each form: scaled, with a tensor's scale as well, and with offsets.
#define DECODED(form, kernel, name)                                                              \
  kernel(name##_scaled, form, false, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false)                \
  kernel(name##_tensor, form, false, BK_FLOAT32_FMA, BK_MULTIPLIED, true, false)                 \
  kernel(name##_offset, form, false, BK_FLOAT32_FMA, BK_MULTIPLIED, false, true)

DECODED(BK_NIBBLES, CODE_MULTIPLIER, nibbles)
DECODED(BK_BYTES, CODE_MULTIPLIER, bytes)
DECODED(BK_HALVES, CODE_MULTIPLIER, halves)
CODE_MULTIPLIER(signed_scaled, BK_NIBBLES, true, BK_FLOAT32_FMA, BK_MULTIPLIED, false, false)
CODE_MULTIPLIER(signed_tensor, BK_NIBBLES, true, BK_FLOAT32_FMA, BK_MULTIPLIED, true, false)
// For rows of BF16, by how scales meet.
#define WIDE(signs, name)                                                                        \
  CODE_MULTIPLIER(                                                                               \
      name##_multiplied, BK_NIBBLES, signs, BK_BFLOAT16_WIDE, BK_MULTIPLIED, false, false)       \
  CODE_MULTIPLIER(                                                                               \
      name##_added, BK_NIBBLES, signs, BK_BFLOAT16_WIDE, BK_ADDED_EXPONENTS, false, false)
WIDE(false, nibbles_wide)
WIDE(true, signed_wide)

// One of the kernels of a form.
#define PICK_DECODED(name, columns, codes)                                                       \
  ((columns)->middles             ? name##_offset                                                \
   : (codes)->tensor_scale != 1 ? name##_tensor                                                  \
                                  : name##_scaled)

typedef void NarrowMultiplier(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const BKCodes *codes, const BKResult *result);

INLINE NarrowMultiplier *narrow_multiplier(
    const BKProductShape *shape, const BKColumns *columns, const BKCodes *codes) {
  const bool has_signs = codes->form == BK_NIBBLES && are_signed(codes->values);
  if (shape->unit == BK_BFLOAT16_WIDE) {
    if (shape->scale_product == BK_ADDED_EXPONENTS)
      return has_signs ? signed_wide_added : nibbles_wide_added;
    return has_signs ? signed_wide_multiplied : nibbles_wide_multiplied;
  }
  if (has_signs && !columns->middles)
    return codes->tensor_scale != 1 ? signed_tensor : signed_scaled;
  switch (codes->form) {
    case BK_NIBBLES: return PICK_DECODED(nibbles, columns, codes);
    case BK_BYTES: return PICK_DECODED(bytes, columns, codes);
    case BK_HALVES: return PICK_DECODED(halves, columns, codes);
  }
}

static void multiply_codes(
    const BKProductShape *shape, const BKRows *rows, const BKColumns *columns,
    const BKCodes *codes, const BKResult *result) {
  narrow_multiplier(shape, columns, codes)(shape, rows, columns, codes, result);
}

// MARK: - All columns at once

// Puts two elements of some columns where a unit has them: words of FP32, or one of both.
INLINE void store_pair(const BKUnit unit, uint8_t *panel, vf even, vf odd) {
  switch (unit) {
    case BK_BFLOAT16_DOT:
      store_u(panel, bits_of(even) >> 16 | (bits_of(odd) & 0xFFFF0000u));
      break;
    case BK_BFLOAT16_WIDE:
      store_f(panel, odd);
      store_f(panel + 4 * BK_PANEL, even);
      break;
    default:
      store_f(panel, even);
      store_f(panel + 4 * BK_PANEL, odd);
  }
}

INLINE void spread(
    const CodeKind kind, const BKCodes *codes, const BKProductShape *shape, const BKColumns *b,
    uint8_t *panel) {
  const int length = lane_length(kind.form);
  const size_t pair = (kind.unit == BK_BFLOAT16_DOT ? 1 : 2) * 4 * BK_PANEL;
  const uint8_t *word = b->elements;
  for (size_t group = 0; group < shape->groups; group++) {
    for (size_t k = 0; k < shape->words; k += (size_t)length) {
      for (size_t column = 0; column < BK_PANEL; column += LANES) {
        GroupLine line = group_line(kind, b, group, column);
        vu lanes = load_u(word + 4 * column);
        vf values[MOST_OF_LANE];
        UNROLLED for (int i = 0; i < length; i++) {
          values[i] = values_at(kind, codes->values, lanes, i);
          if (kind.unit == BK_FLOAT32_FMA) values[i] = decoded(kind, codes, line, values[i]);
        }
        UNROLLED for (int i = 0; i < length; i += 2)
          store_pair(
              kind.unit, panel + 4 * column + (size_t)(i / 2) * pair, values[i], values[i + 1]);
      }
      word += 4 * BK_PANEL;
      panel += (size_t)(length / 2) * pair;
    }
  }
}

#define CODE_SPREADER(name, ...)                                                                 \
  static NOINLINE void name(                                                                     \
      const BKProductShape *shape, const BKColumns *columns, const BKCodes *codes,               \
      uint8_t *panel) {                                                                          \
    spread((CodeKind){__VA_ARGS__}, codes, shape, columns, panel);                               \
  }

DECODED(BK_NIBBLES, CODE_SPREADER, spread_nibbles)
DECODED(BK_BYTES, CODE_SPREADER, spread_bytes)
DECODED(BK_HALVES, CODE_SPREADER, spread_halves)
CODE_SPREADER(spread_wide, BK_NIBBLES, false, BK_BFLOAT16_WIDE, BK_MULTIPLIED, false, false)
CODE_SPREADER(spread_pairs, BK_NIBBLES, false, BK_BFLOAT16_DOT, BK_MULTIPLIED, false, false)

static void spread_codes(
    const BKProductShape *shape, const BKColumns *columns, const BKCodes *codes, uint8_t *panel) {
  switch (shape->unit) {
    case BK_BFLOAT16_DOT: spread_pairs(shape, columns, codes, panel); return;
    case BK_BFLOAT16_WIDE: spread_wide(shape, columns, codes, panel); return;
    default: break;
  }
  switch (codes->form) {
    case BK_NIBBLES: PICK_DECODED(spread_nibbles, columns, codes)(shape, columns, codes, panel); break;
    case BK_BYTES: PICK_DECODED(spread_bytes, columns, codes)(shape, columns, codes, panel); break;
    case BK_HALVES: PICK_DECODED(spread_halves, columns, codes)(shape, columns, codes, panel); break;
  }
}

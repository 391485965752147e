// Panels of blocks that share rows, strip by strip: the values of a strip stay in the second-level
// cache between the two times that encoding reads them, and all else in the first.

#define STRIP 1024          // columns of a strip at most
#define STRIP_UNITS 4096    // its units at most
#define STRIP_VALUES 65536  // and its values, where they are read twice

// Whole lines but for the words, so that no vector lies in two of them.
typedef struct {
  _Alignas(64) uint32_t maxima[STRIP_UNITS];
  uint32_t block_maxima[STRIP], wide_scales[STRIP];
  float multipliers[STRIP_UNITS], scale_values[STRIP_UNITS], decoded[STRIP];
  uint8_t scales[STRIP], subscales[STRIP_UNITS], codes[STRIP];
  uint32_t words[STRIP + 4];
} Strip;
_Static_assert(sizeof(Strip) <= BK_WORKSPACE_BYTES, "the workspace holds a strip");
_Static_assert(_Alignof(Strip) <= BK_WORKSPACE_ALIGNMENT, "and at its alignment");

INLINE size_t rows_of_units(const BKPanel *panel) {
  return panel->unit_rows < panel->rows
             ? (panel->rows + panel->unit_rows - 1) / panel->unit_rows : 1;
}

// The columns of a strip: whole blocks, and whole bytes of everything packed.
INLINE size_t strip_columns(
    const BKElement *e, const BKBlockRule *rule, const BKPanel *panel, size_t values) {
  size_t blocks = 1;
  while ((blocks * rule->block * e->width | blocks * rule->scale_width
          | blocks * rule->subscale_width) % 8 != 0)
    blocks *= 2;
  size_t group = blocks * rule->block, most = values / (panel->rows ? panel->rows : 1);
  size_t units = STRIP_UNITS / rows_of_units(panel);
  most = most < units ? most : units;
  most = most < STRIP ? most : STRIP;
  return most < group ? group : most / group * group;
}

INLINE void find_strip_maxima(
    const BKBlockRule *rule, const BKPanel *panel, const float *values, size_t columns,
    size_t blocks, Strip *s) {
  size_t units = rows_of_units(panel);
  for (size_t unit = 0; unit < units; unit++) {
    size_t first = unit * panel->unit_rows, left = panel->rows - first;
    uint32_t *maxima = s->maxima + unit * blocks;
    uint32_t *target = rule->block == 1 ? maxima : (uint32_t *)s->words;
    column_magnitudes(
        values + first * panel->stride, left < panel->unit_rows ? left : panel->unit_rows,
        panel->stride, columns, target);
    if (rule->block > 1) row_magnitudes((const float *)target, columns, rule->block, maxima);
  }
}

// The scales, sub-scales and multipliers of a strip; whether it is tame.
INLINE bool find_strip_scales(
    const BKBlockRule *rule, const BKPanel *panel, const float *values, size_t columns, Strip *s) {
  size_t blocks = (columns + rule->block - 1) / rule->block, units = rows_of_units(panel);
  find_strip_maxima(rule, panel, values, columns, blocks, s);
  switch (rule->kind) {
    case BK_RULE_GIVEN:
    case BK_RULE_STORED: return false;
    case BK_RULE_SHARED: {
      if (rule->subscale_width == 0)
        return shared_scales(&rule->shared, s->maxima, blocks, 0, s->scales, s->multipliers);
      column_magnitudes((const float *)s->maxima, units, blocks, blocks, s->block_maxima);
      (void)shared_scales(
          &rule->shared, s->block_maxima, blocks, 0, s->scales, s->multipliers);
      bool is_tame = true;
      for (size_t unit = 0; unit < units; unit++)
        is_tame &= shared_subscales(
            &rule->shared, s->maxima + unit * blocks, blocks, 1, s->scales,
            s->subscales + unit * blocks, s->multipliers + unit * blocks);
      return is_tame;
    }
    case BK_RULE_FLOAT:
      return float_scales(&rule->floating, s->maxima, blocks, s->wide_scales, s->multipliers);
    case BK_RULE_TWO_LEVEL:
      two_level_scales(&rule->two_level, s->maxima, blocks, s->scales);
      // Blocks with a scale of zero are cleared once their codes are written.
      return two_level_multipliers_or(
          &rule->two_level, s->maxima, blocks, s->scales, 0, s->multipliers);
  }
}

// What codes are multiplied by.
INLINE void find_strip_values(
    const BKBlockRule *rule, const BKPanel *panel, size_t blocks, Strip *s) {
  switch (rule->kind) {
    case BK_RULE_GIVEN:
    case BK_RULE_STORED: break;
    case BK_RULE_SHARED:
      for (size_t unit = 0; unit < rows_of_units(panel); unit++)
        shared_values(
            &rule->shared, s->scales, rule->subscale_width ? s->subscales + unit * blocks : NULL,
            blocks, 1, s->scale_values + unit * blocks);
      break;
    case BK_RULE_FLOAT: memcpy(s->scale_values, s->wide_scales, 4 * blocks); break;
    case BK_RULE_TWO_LEVEL:
      decode(
          &rule->two_level.scale, BK_SCALE_NONE, s->scales, blocks, NULL, 1, 1, s->scale_values);
      break;
  }
}

// The codes of a row of a tame strip.
INLINE size_t encode_strip_row(
    const BKElement *e, const BKBlockRule *rule, BKRandom random, const float *values,
    size_t columns, const float *multipliers, ptrdiff_t ahead, Strip *s, uint8_t *codes) {
  const uint32_t *words = NULL;
  if (e->rounding == BK_STOCHASTIC) {
    size_t offset = random.first & 3;
    random_words(random.seed, random.stream, random.first - offset, columns + offset, s->words);
    words = s->words + offset;
  }
  size_t overflows =
      encode(e, true, values, columns, multipliers, rule->unit, words, 4 * (size_t)ahead, codes);
  if (rule->kind == BK_RULE_TWO_LEVEL) clear_vanished_blocks(e, rule, s->scales, columns, codes);
  return overflows;
}

// Asks for a row that comes later. Where sub-scales take time in which no values are fetched, a row
// is asked for at once; else while it is encoded.
INLINE void fetch_row(const float *row, ptrdiff_t ahead, size_t columns) {
  uintptr_t first = (uintptr_t)row + 4 * (uintptr_t)ahead;
  for (size_t byte = 0; byte < 4 * columns; byte += 64)
    __builtin_prefetch((const char *)(first + byte), 0, 2);
}

// From the values of a strip to those that come next: to its right, or in the next panel.
INLINE ptrdiff_t way_ahead(const BKPanel *panel, size_t first, size_t columns) {
  if (first + columns < panel->columns) return (ptrdiff_t)columns;
  return panel->ahead == 0 ? 0 : panel->ahead - (ptrdiff_t)first;
}

static size_t encode_panel(
    const BKElement *e, const BKBlockRule *rule, const BKPanel *panel, BKRandom random,
    const float *values, uint8_t *codes, uint8_t *scales, uint8_t *subscales,
    size_t *overflows, void *workspace) {
  Strip *s = workspace;
  size_t width = strip_columns(e, rule, panel, STRIP_VALUES), units = rows_of_units(panel);
  for (size_t first = 0; first < panel->columns; first += width) {
    size_t left = panel->columns - first, n = left < width ? left : width;
    size_t blocks = (n + rule->block - 1) / rule->block, block = first / rule->block;
    if (!find_strip_scales(rule, panel, values + first, n, s)) return first;
    if (rule->kind == BK_RULE_FLOAT) {
      memcpy(scales + 4 * block, s->wide_scales, 4 * blocks);
    } else {
      pack(s->scales, blocks, rule->scale_width, scales + block * rule->scale_width / 8);
    }
    if (rule->subscale_width)
      for (size_t unit = 0; unit < units; unit++)
        pack(
            s->subscales + unit * blocks, blocks, rule->subscale_width,
            subscales + unit * panel->subscale_stride + block * rule->subscale_width / 8);
    ptrdiff_t ahead = way_ahead(panel, first, n);
    const float *row = values + first;
    uint8_t *bytes = codes + first * e->width / 8;
    for (size_t i = 0, unit = 0, end = panel->unit_rows; i < panel->rows; i++) {
      if (i == end) {
        unit++;
        end += panel->unit_rows;
      }
      if (rule->subscale_width) fetch_row(row, ahead, n);
      BKRandom own = random;
      own.first += i * panel->index_stride + first;
      *overflows += encode_strip_row(
          e, rule, own, row, n, s->multipliers + unit * blocks,
          rule->subscale_width ? 0 : ahead, s, e->width == 8 ? bytes : s->codes);
      if (e->width < 8) pack(s->codes, n, e->width, bytes);
      row += panel->stride;
      bytes += panel->code_stride;
    }
  }
  return panel->columns;
}

// Decodes a row of a strip to its place, past the caches where that is asked for.
INLINE void decode_strip_row(
    const BKElement *e, const BKBlockRule *rule, const uint8_t *codes, size_t columns,
    const float *scales, bool streams, Strip *s, float *result) {
  bool is_aligned = (uintptr_t)result % sizeof(vf) == 0, is_direct = !streams || is_aligned;
  decode_to(
      e, rule->scaling, codes, columns, scales, rule->unit, rule->tensor_scale,
      streams && is_aligned, is_direct ? result : s->decoded);
  if (!is_direct) stream_values(s->decoded, columns, result);
}

static size_t quantize_panel(
    const BKElement *e, const BKBlockRule *rule, const BKPanel *panel, BKRandom random,
    const float *values, float *result, bool streams, uint8_t *inexact, size_t *overflows,
    void *workspace) {
  Strip *s = workspace;
  size_t width = strip_columns(e, rule, panel, STRIP_VALUES), first = 0;
  for (; first < panel->columns; first += width) {
    size_t left = panel->columns - first, n = left < width ? left : width;
    size_t blocks = (n + rule->block - 1) / rule->block;
    if (!find_strip_scales(rule, panel, values + first, n, s)) break;
    find_strip_values(rule, panel, blocks, s);
    ptrdiff_t ahead = way_ahead(panel, first, n);
    const float *row = values + first;
    float *target = result + first;
    for (size_t i = 0, unit = 0, end = panel->unit_rows; i < panel->rows; i++) {
      if (i == end) {
        unit++;
        end += panel->unit_rows;
      }
      if (rule->subscale_width) fetch_row(row, ahead, n);
      BKRandom own = random;
      own.first += i * panel->index_stride + first;
      *overflows += encode_strip_row(
          e, rule, own, row, n, s->multipliers + unit * blocks,
          rule->subscale_width ? 0 : ahead, s, s->codes);
      const float *factors = s->scale_values + unit * blocks;
      if (inexact) {
        // The values may lie where the result goes.
        decode_to(
            e, rule->scaling, s->codes, n, factors, rule->unit, rule->tensor_scale, false,
            s->decoded);
        mark_inexact(row, s->decoded, n, rule->block, inexact + first / rule->block);
        if (streams) {
          stream_values(s->decoded, n, target);
        } else {
          memcpy((char *)target, s->decoded, n * sizeof(float));
        }
      } else {
        decode_strip_row(e, rule, s->codes, n, factors, streams, s, target);
      }
      row += panel->stride;
      target += panel->stride;
    }
  }
  if (streams) STORE_FENCE();
  return first < panel->columns ? first : panel->columns;
}

// Asks for the codes of a row that comes later, in these columns or in those to their right. Those
// of one row are too few for processors to run ahead of them; short rows ask for a later one.
#define LONG_ROW 1024  // bytes of codes
INLINE void fetch_codes(const uint8_t *bytes, size_t length, const BKPanel *panel, size_t row) {
  size_t distance = length < LONG_ROW ? 8 : 4;
  uintptr_t first = (uintptr_t)bytes + distance * panel->code_stride;
  if (row + distance >= panel->rows) first += length - panel->rows * panel->code_stride;
  for (size_t line = 0; line < length; line += 64)
    __builtin_prefetch((const char *)(first + line));
}

static void decode_panel(
    const BKElement *e, const BKBlockRule *rule, const BKPanel *panel, const uint8_t *codes,
    const uint8_t *scales, const uint8_t *subscales, float *result, bool streams,
    void *workspace) {
  Strip *s = workspace;
  size_t width = strip_columns(e, rule, panel, SIZE_MAX), units = rows_of_units(panel);
  for (size_t first = 0; first < panel->columns; first += width) {
    size_t left = panel->columns - first, n = left < width ? left : width;
    size_t blocks = (n + rule->block - 1) / rule->block, block = first / rule->block;
    if (rule->kind == BK_RULE_FLOAT) {
      memcpy(s->wide_scales, scales + 4 * block, 4 * blocks);
    } else {
      unpack(scales + block * rule->scale_width / 8, blocks, rule->scale_width, s->scales);
    }
    if (rule->subscale_width)
      for (size_t unit = 0; unit < units; unit++)
        unpack(
            subscales + unit * panel->subscale_stride + block * rule->subscale_width / 8, blocks,
            rule->subscale_width, s->subscales + unit * blocks);
    find_strip_values(rule, panel, blocks, s);
    const uint8_t *bytes = codes + first * e->width / 8;
    float *target = result + first;
    size_t length = n * e->width / 8;
    for (size_t i = 0, unit = 0, end = panel->unit_rows; i < panel->rows; i++) {
      if (i == end) {
        unit++;
        end += panel->unit_rows;
      }
      fetch_codes(bytes, length, panel, i);
      if (e->width < 8) unpack(bytes, n, e->width, s->codes);
      decode_strip_row(
          e, rule, e->width < 8 ? s->codes : bytes, n, s->scale_values + unit * blocks, streams, s,
          target);
      bytes += panel->code_stride;
      target += panel->stride;
    }
  }
  if (streams) STORE_FENCE();
}

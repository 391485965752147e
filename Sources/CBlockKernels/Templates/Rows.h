// Rows of blocks, part by part: parts are short, so that memory keeps streaming while they are
// worked on, and everything between input and output stays in the first-level cache.

// Values of a part.
#define PART 2048

// Values of a part that is encoded: fewer, since no values are fetched while scales are found and
// codes are packed.
#define ENCODED_PART (PART / 2)

// How far ahead values are fetched, in bytes: past the part at work, which magnitudes have fetched.
#define FETCH_DISTANCE (3 * ENCODED_PART * sizeof(float))

typedef struct {
  uint32_t maxima[PART], block_maxima[PART], wide_scales[PART], words[PART + 4];
  float multipliers[PART], scale_values[PART], decoded[PART + LANES];
  uint8_t scales[PART], subscales[PART], codes[2 * PART];
} Part;
_Static_assert(sizeof(Part) <= BK_WORKSPACE_BYTES, "the workspace holds a part");

// The scales, sub-scales and multipliers of values with sub-blocks; whether they are tame.
INLINE bool find_subscales(const BKBlockRule *rule, const float *values, size_t count, Part *p) {
  size_t done = 0;
  if (has_plain_pairs(&rule->shared, rule->block, rule->unit))
    done = plain_pair_scales(
        &rule->shared, values, count, p->scales, p->subscales, p->multipliers);
  if (done == count) return true;
  size_t units = (count - done + rule->unit - 1) / rule->unit, first = done / rule->unit;
  size_t blocks = (count - done + rule->block - 1) / rule->block;
  size_t spread = rule->block / rule->unit;
  uint8_t *scales = p->scales + first / spread;
  row_magnitudes(values + done, count - done, rule->unit, p->maxima);
  row_magnitudes((const float *)p->maxima, units, spread, p->block_maxima);
  (void)shared_scales(&rule->shared, p->block_maxima, blocks, 0, scales, p->multipliers + first);
  return shared_subscales(
      &rule->shared, p->maxima, units, spread, scales, p->subscales + first,
      p->multipliers + first);
}

// The same of any part.
INLINE bool find_part_scales(const BKBlockRule *rule, const float *values, size_t count, Part *p) {
  size_t blocks = (count + rule->block - 1) / rule->block;
  switch (rule->kind) {
    case BK_RULE_GIVEN:
      row_magnitudes(values, count, count, p->maxima);
      return false;
    case BK_RULE_SHARED:
      if (rule->subscale_width > 0) return find_subscales(rule, values, count, p);
      row_magnitudes(values, count, rule->unit, p->maxima);
      return shared_scales(&rule->shared, p->maxima, blocks, 0, p->scales, p->multipliers);
    case BK_RULE_FLOAT:
      row_magnitudes(values, count, rule->unit, p->maxima);
      return float_scales(&rule->floating, p->maxima, blocks, p->wide_scales, p->multipliers);
    case BK_RULE_TWO_LEVEL:
      row_magnitudes(values, count, rule->unit, p->maxima);
      two_level_scales(&rule->two_level, p->maxima, blocks, p->scales);
      // Blocks with a scale of zero are cleared once their codes are written.
      return two_level_multipliers_or(
          &rule->two_level, p->maxima, blocks, p->scales, 0, p->multipliers);
    case BK_RULE_STORED: return false;
  }
}

// Clears the codes of blocks whose scale is zero.
INLINE void clear_vanished_blocks(
    const BKElement *e, const BKBlockRule *rule, const uint8_t *scales, size_t count,
    uint8_t *codes) {
  const uint8_t *end = scales + (count + rule->block - 1) / rule->block, *zero = scales;
  while ((zero = memchr(zero, 0, (size_t)(end - zero))) != NULL) {
    size_t first = (size_t)(zero - scales) * rule->block;
    for (; zero < end && *zero == 0; zero++) {}
    size_t last = (size_t)(zero - scales) * rule->block;
    memset(codes + first, (int)e->poison, (last < count ? last : count) - first);
  }
}

// The codes of a part, if it is tame.
INLINE bool encode_part(
    const BKElement *e, const BKBlockRule *rule, BKRandom random, const float *values,
    size_t count, Part *p, uint8_t *codes, size_t *overflows) {
  HalfWay way = encoded_half_way(e, rule->multiplier);
  size_t over = 0;
  bool has_codes = way != HALF_ANY
                   && (way == HALF_PATTERN ? encode_usual_pattern : encode_converted_half)(
                       e, values, count, FETCH_DISTANCE, codes, &over);
  if (has_codes && over == 0) return true;
  bool is_given = rule->kind == BK_RULE_GIVEN, is_tame = find_part_scales(rule, values, count, p);
  if (is_given) {
    float maximum;
    memcpy(&maximum, p->maxima, sizeof maximum);
    p->multipliers[0] = rule->multiplier;
    is_tame = maximum * rule->multiplier < e->tame_limit && rule->multiplier < 0x1p96f
              && rule->multiplier >= e->least_multiplier;
  }
  if (!is_tame) return false;
  const uint32_t *words = NULL;
  if (e->rounding == BK_STOCHASTIC) {
    size_t offset = random.first & 3;
    random_words(random.seed, random.stream, random.first - offset, count + offset, p->words);
    words = p->words + offset;
  }
  if (e->width == 16) {
    *overflows +=
        has_codes ? over : encode_halves(e, values, count, words, FETCH_DISTANCE, codes);
    return true;
  }
  *overflows += encode(
      e, true, values, count, p->multipliers, is_given ? PART : rule->unit, words,
      FETCH_DISTANCE, codes);
  if (rule->kind == BK_RULE_TWO_LEVEL) clear_vanished_blocks(e, rule, p->scales, count, codes);
  return true;
}

// `is_packed` says that the codes are nibbles.
INLINE void decode_part(
    const BKElement *e, const BKBlockRule *rule, const uint8_t *codes, bool is_packed,
    size_t count, Part *p, bool streams, float *values) {
  if (e->width == 16) {
    decode_halves(e, codes, count, streams, values);
    return;
  }
  size_t units = (count + rule->unit - 1) / rule->unit;
  size_t blocks = (count + rule->block - 1) / rule->block;
  const float *scales = p->scale_values;
  size_t unit = rule->unit;
  switch (rule->kind) {
    case BK_RULE_GIVEN:
      p->scale_values[0] = rule->scale;
      unit = PART;
      break;
    case BK_RULE_SHARED:
      shared_values(
          &rule->shared, p->scales, rule->subscale_width ? p->subscales : NULL, units,
          rule->block / rule->unit, p->scale_values);
      break;
    case BK_RULE_FLOAT: memcpy(p->scale_values, p->wide_scales, 4 * blocks); break;
    case BK_RULE_TWO_LEVEL:
      decode(
          &rule->two_level.scale, BK_SCALE_NONE, p->scales, blocks, NULL, 1, 1, p->scale_values);
      break;
    case BK_RULE_STORED: break;
  }
  // Decoding has no multipliers; offsets are in their place.
  if (is_packed) {
    decode_nibbles(
        e, rule->scaling, codes, count, scales, p->multipliers, unit, rule->tensor_scale, streams,
        p->codes, values);
  } else if (rule->scaling == BK_SCALE_LINE) {
    decode_lines_to(e, codes, count, scales, p->multipliers, unit, streams, values);
  } else {
    decode_to(e, rule->scaling, codes, count, scales, unit, rule->tensor_scale, streams, values);
  }
}

// Asks for the lines behind some that are about to be written. Stores leave in order, so one that
// waits for its line holds up all others.
INLINE void claim_next(const uint8_t *bytes, size_t count) {
  for (size_t line = 0; line < count; line += 64)
    __builtin_prefetch((const char *)bytes + count + line, 1);
}

static size_t encode_row(
    const BKElement *e, const BKBlockRule *rule, BKRandom random, const float *values,
    size_t count, uint8_t *codes, uint8_t *scales, uint8_t *subscales, size_t *overflows,
    void *workspace) {
  Part *p = workspace;
  size_t done = 0;
  const size_t part = ENCODED_PART;
  bool claims = encoded_half_way(e, rule->multiplier) == HALF_ANY;
  for (; done < count; done += part) {
    size_t n = count - done < part ? count - done : part;
    uint8_t *bytes = codes + done * e->width / 8;
    size_t first = done / rule->block, blocks = (n + rule->block - 1) / rule->block;
    uint8_t *part_scales = scales ? scales + first * rule->scale_width / 8 : NULL;
    uint8_t *part_subscales =
        subscales ? subscales + done / rule->unit * rule->subscale_width / 8 : NULL;
    if (claims) claim_next(bytes, n * e->width / 8);
    if (rule->kind != BK_RULE_GIVEN) claim_next(part_scales, blocks * rule->scale_width / 8);
    if (rule->subscale_width)
      claim_next(part_subscales, n / rule->unit * rule->subscale_width / 8);
    if (!encode_part(
            e, rule, random, values + done, n, p, e->width >= 8 ? bytes : p->codes, overflows))
      return done;
    if (e->width < 8) pack(p->codes, n, e->width, bytes);
    if (rule->kind == BK_RULE_FLOAT) {
      memcpy(part_scales, p->wide_scales, 4 * blocks);
    } else if (rule->kind != BK_RULE_GIVEN) {
      pack(p->scales, blocks, rule->scale_width, part_scales);
    }
    if (rule->subscale_width)
      pack(
          p->subscales, (n + rule->unit - 1) / rule->unit, rule->subscale_width, part_subscales);
    random.first += n;
  }
  return count;
}

// Values past the caches, in whole lines but at both ends: what does not fill a line waits in front
// of the next values.
typedef struct {
  float *target;
  size_t waiting;
} Streamer;

INLINE void stream_part(Streamer *s, float *values, size_t count, bool is_last) {
  size_t total = s->waiting + count, i = 0;
  while (i < total && (uintptr_t)(s->target + i) % sizeof(vf) != 0) {
    memcpy(s->target + i, values + i, sizeof(float));
    i++;
  }
  for (; i + LANES <= total; i += LANES)
    __builtin_nontemporal_store(load_f(values + i), (vf *)(s->target + i));
  s->target += i;
  s->waiting = total - i;
  if (is_last) {
    memcpy(s->target, values + i, s->waiting * sizeof(float));
    STORE_FENCE();
  } else {
    memmove(values, values + i, s->waiting * sizeof(float));
  }
}

static size_t quantize_row(
    const BKElement *e, const BKBlockRule *rule, BKRandom random, const float *values,
    size_t count, float *result, bool streams, uint8_t *inexact, size_t *overflows,
    void *workspace) {
  Part *p = workspace;
  Streamer streamer = {result, 0};
  streams = streams && (uintptr_t)result % sizeof(float) == 0;
  size_t done = 0;
  const size_t part = ENCODED_PART;
  for (; done < count; done += part) {
    size_t n = count - done < part ? count - done : part;
    if (!encode_part(e, rule, random, values + done, n, p, p->codes, overflows)) break;
    bool is_direct = !streams && !inexact;
    float *target = is_direct ? result + done : p->decoded + (streams ? streamer.waiting : 0);
    decode_part(e, rule, p->codes, false, n, p, false, target);
    if (inexact) mark_inexact(values + done, target, n, rule->block, inexact + done / rule->block);
    if (streams) {
      stream_part(&streamer, p->decoded, n, done + n == count);
    } else if (!is_direct) {
      memcpy((char *)(result + done), target, n * sizeof(float));
    }
    random.first += n;
  }
  if (done < count && streams) stream_part(&streamer, p->decoded, 0, true);
  return done < count ? done : count;
}

// Reads stored numbers of a part; apart from rows, whose registers it would take.
static NOINLINE void load_numbers(
    const BKBlockRule *rule, const uint8_t *scales, const uint8_t *offsets, size_t first,
    size_t blocks, Part *p) {
  size_t at = first * rule->scale_width / 8;
  widen(rule->stored, scales + at, blocks, p->scale_values);
  if (offsets) widen(rule->stored, offsets + at, blocks, p->multipliers);
}

static void decode_row(
    const BKElement *e, const BKBlockRule *rule, const uint8_t *codes, const uint8_t *scales,
    const uint8_t *subscales, const uint8_t *offsets, size_t count, float *result, bool streams,
    void *workspace) {
  Part *p = workspace;
  Streamer streamer = {result, 0};
  streams = streams && (uintptr_t)result % sizeof(float) == 0;
  bool is_buffered = streams && (uintptr_t)result % sizeof(vf) != 0;
  bool is_packed = keeps_nibbles(e), needs_unpacking = e->width < 8 && !is_packed;
  for (size_t done = 0; done < count; done += PART) {
    size_t n = count - done < PART ? count - done : PART;
    const uint8_t *bytes = codes + done * e->width / 8;
    // Codes are few bytes for many values, too slow a stream for processors to run ahead of it.
    size_t length = n * e->width / 8;
    for (size_t line = 0; line < length; line += 64)
      PREFETCH((const char *)bytes + 2 * length + line);
    if (needs_unpacking) unpack(bytes, n, e->width, p->codes);
    size_t blocks = (n + rule->block - 1) / rule->block, first = done / rule->block;
    if (rule->kind == BK_RULE_FLOAT) {
      memcpy(p->wide_scales, scales + 4 * first, 4 * blocks);
    } else if (rule->kind == BK_RULE_STORED) {
      load_numbers(rule, scales, offsets, first, blocks, p);
    } else if (rule->kind != BK_RULE_GIVEN) {
      unpack(scales + first * rule->scale_width / 8, blocks, rule->scale_width, p->scales);
    }
    if (rule->subscale_width)
      unpack(
          subscales + done / rule->unit * rule->subscale_width / 8,
          (n + rule->unit - 1) / rule->unit, rule->subscale_width, p->subscales);
    float *target = is_buffered ? p->decoded + streamer.waiting : result + done;
    decode_part(
        e, rule, needs_unpacking ? p->codes : bytes, is_packed, n, p, streams && !is_buffered,
        target);
    if (is_buffered) stream_part(&streamer, p->decoded, n, done + n == count);
  }
  if (streams && !is_buffered) STORE_FENCE();
}

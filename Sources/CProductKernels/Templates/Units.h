// One step of each unit: a word of every column times a word of a row, onto running sums.
//
// A word is prepared once for all the rows or columns of a tile that it meets. Levels with dot
// product instructions take steps of whole words.

// A word of every lane as a unit likes it best.
typedef struct {
  vu first, second;
} Word;

#ifdef HAS_WORD_DOT
INLINE vi dot_int16(vi sum, vu a, vu b) { return dot_words(sum, a, b); }
#else
// Adds the products of both 16-bit halves of every lane.
INLINE vi dot_int16(vi sum, vu a, vu b) {
  vi x = (vi)a, y = (vi)b;
  return sum + (x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16);
}
#endif

#if defined(HAS_UNSIGNED_BYTE_DOT)
#define PREFERS_INT16 false
// The instruction takes unsigned bytes of columns: they are 128 too large, which the offset of the
// row takes back.
INLINE Word column_int8(vu word) {
  vu moved = word ^ 0x80808080u;
  return (Word){moved, moved};
}
INLINE Word row_int8(vu word) { return (Word){word, word}; }
INLINE vi dot_int8(vi sum, Word column, Word row) {
  return dot_unsigned_bytes(sum, column.first, row.first);
}
INLINE vi first_int8(int32_t offset) { return (vi)offset; }
#elif defined(HAS_SIGNED_BYTE_DOT)
#define PREFERS_INT16 false
INLINE Word column_int8(vu word) { return (Word){word, word}; }
INLINE Word row_int8(vu word) { return (Word){word, word}; }
INLINE vi dot_int8(vi sum, Word column, Word row) {
  return dot_signed_bytes(sum, column.first, row.first);
}
INLINE vi first_int8(int32_t offset) { return (vi)0; }
#else
#define PREFERS_INT16 true
// Bytes 0 and 2 of every lane, and bytes 1 and 3, as integers of 16 bits.
INLINE Word row_int8(vu word) {
  return (Word){(vu)((vws)word << 8 >> 8), (vu)((vws)word >> 8)};
}
INLINE Word column_int8(vu word) { return row_int8(word); }
INLINE vi dot_int8(vi sum, Word column, Word row) {
  return dot_int16(dot_int16(sum, column.first, row.first), column.second, row.second);
}
INLINE vi first_int8(int32_t offset) { return (vi)0; }
#endif

// Sums of 16 bits: of unsigned bytes of columns times signed ones of rows, bytes 0 and 1 of every
// lane in its lower half, 2 and 3 in its upper one. Levels with dot products of bytes do without.
#ifdef HAS_BYTE_PAIRS
#define PREFERS_RUNS PREFERS_INT16
INLINE vu add_pairs(vu sums, vu column, vu row) {
  return (vu)((vws)sums + byte_pairs(column, row));
}
#else
#define PREFERS_RUNS false
INLINE vu add_pairs(vu sums, vu column, vu row) {
  vws even = (vws)((vw)column & 0xFF) * ((vws)row << 8 >> 8);
  return (vu)((vws)sums + even + (vws)((vw)column >> 8) * ((vws)row >> 8));
}
#endif
INLINE vi widened_pairs(vu sums) { return dot_int16((vi)0, sums, (vu)0x00010001u); }

// Zeros of the same sign in place of subnormal numbers.
INLINE vf flush(vf v) {
  vu bits = bits_of(v);
  vu is_subnormal = (vu)((bits & INFINITE) == 0);
  return floats_of(bits & ~(is_subnormal & ~SIGN));
}

// One fused multiply-add. Sums that are tiny after rounding are flushed, as the instruction does:
// rounded as if exponents had no limit, which 24 binades higher they have not. Sums that 2^24 makes
// infinite or NaN are tiny only where they are zero.
INLINE vf step_bfloat16(vf sum, vf column, vf row, const bool flushes) {
  vf y = fma_f(column, row, sum);
  if (!flushes) return y;
  vf wide = fma_f(column * 0x1p24f, row, sum * 0x1p24f);
  vu is_tiny = (vu)(floats_of(bits_of(wide) & ~SIGN) < 0x1p-102f);
  return floats_of(bits_of(y) & ~(is_tiny & ~SIGN));
}

#ifdef HAS_BFLOAT16_DOT
#define FLUSHES_FREELY true
INLINE Word bfloat16_words(vu word, const bool flushes) { return (Word){word, word}; }
INLINE vf dot_bfloat16(vf sum, Word column, Word row, const bool flushes) {
  return dot_bfloat16_words(sum, column.first, row.first);
}
#else
#define FLUSHES_FREELY false
// Where a level multiplies the numbers as they lie in a word, it does not flush, so that numbers
// become those of FP32 only to be flushed.
INLINE Word bfloat16_words(vu word, const bool flushes) {
#ifdef HAS_BFLOAT16_HALVES
  if (!flushes) return (Word){word, word};
#endif
  vf even = floats_of(word << 16), odd = floats_of(word & 0xFFFF0000u);
  if (flushes) {
    even = flush(even);
    odd = flush(odd);
  }
  return (Word){bits_of(even), bits_of(odd)};
}
INLINE vf dot_bfloat16(vf sum, Word column, Word row, const bool flushes) {
#ifdef HAS_BFLOAT16_HALVES
  if (!flushes) {
    sum = add_upper_bfloat16(sum, column.first, row.first);
    return add_lower_bfloat16(sum, column.first, row.first);
  }
#endif
  sum = step_bfloat16(sum, floats_of(column.second), floats_of(row.second), flushes);
  return step_bfloat16(sum, floats_of(column.first), floats_of(row.first), flushes);
}
#endif

// MARK: - By unit

INLINE Word column_words(const BKUnit unit, const bool flushes, vu word) {
  switch (unit) {
    case BK_INT8: return column_int8(word);
    case BK_BFLOAT16_DOT: return bfloat16_words(word, flushes);
    default: return (Word){word, word};
  }
}

INLINE Word row_words(const BKUnit unit, const bool flushes, uint32_t word) {
  switch (unit) {
    case BK_INT8: return row_int8((vu)word);
    case BK_BFLOAT16_DOT: return bfloat16_words((vu)word, flushes);
    default: return (Word){(vu)word, (vu)word};
  }
}

INLINE vu step(const BKUnit unit, const bool flushes, vu sum, Word column, Word row) {
  switch (unit) {
    case BK_INT8: return (vu)dot_int8((vi)sum, column, row);
    case BK_INT8_RUNS: return add_pairs(sum, column.first, row.first);
    case BK_INT16: return (vu)dot_int16((vi)sum, column.first, row.first);
    case BK_BFLOAT16_DOT: return bits_of(dot_bfloat16(floats_of(sum), column, row, flushes));
    case BK_BFLOAT16_WIDE:
      return bits_of(step_bfloat16(
          floats_of(sum), floats_of(column.first), floats_of(row.first), flushes));
    case BK_FLOAT32_FMA:
      return bits_of(fma_f(floats_of(column.first), floats_of(row.first), floats_of(sum)));
  }
}

INLINE bool has_integers(const BKUnit unit) {
  return unit == BK_INT8 || unit == BK_INT8_RUNS || unit == BK_INT16;
}

// The dot product of a group as floating-point numbers.
INLINE vf finished(const BKUnit unit, vu sum) {
  return has_integers(unit) ? __builtin_convertvector((vi)sum, vf) : floats_of(sum);
}

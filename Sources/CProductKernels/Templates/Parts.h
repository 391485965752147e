// Products in parts and tiles.

// A few rows wait for memory as well as for their arithmetic. Where their tiles take several passes
// through a panel, they meet it in parts: each stays in the nearest cache for all of them, while
// the tiles fetch what comes later.
#define PART_WORDS 32

INLINE bool has_parts(const TileKind kind, size_t rows) {
  return kind.rows > 2 && rows > 2 && rows <= PART_ROWS;
}

INLINE Part first_part(const TileKind kind, const Product *product) {
  const BKProductShape *shape = product->shape;
  Part part = {0, shape->groups, 0, shape->words};
  if (!has_parts(kind, product->a->rows)) return part;
  if (part.groups > 1) {
    size_t most = part.words < PART_WORDS ? PART_WORDS / part.words : 1;
    if (most < part.groups) part.groups = most;
  } else if (part.groups == 1 && kind.words == 0 && kind.unit != BK_INT8_RUNS) {
    if (part.words > PART_WORDS) part.words = PART_WORDS;
  }
  return part;
}

// Moves to the next part, if there is one.
INLINE bool advance(const BKProductShape *shape, Part *part) {
  if (part->word + part->words < shape->words) {
    part->word += part->words;
    size_t rest = shape->words - part->word;
    if (part->words > rest) part->words = rest;
    return true;
  }
  part->group += part->groups;
  size_t rest = shape->groups - part->group;
  if (part->groups > rest) part->groups = rest;
  return rest > 0;
}

// What every tile of a part fetches: an equal share of as many bytes farther on.
typedef struct {
  uintptr_t next;
  size_t bytes;
} Share;

INLINE Share share(const TileKind kind, const Product *product, const Part *part) {
  if (!has_parts(kind, product->a->rows)) return (Share){0, 0};
  const size_t rows = (size_t)kind.rows, passes = (size_t)(PANEL_VECTORS / kind.vectors);
  const size_t tiles = (product->a->rows + rows - 1) / rows * passes;
  const size_t before = part->group * product->shape->words + part->word;
  const uint8_t *panel = product->b->elements + before * word_bytes(kind);
  return (Share){
      (uintptr_t)panel + FETCH_DISTANCE, part->groups * part->words * word_bytes(kind) / tiles};
}

INLINE void fetch(Share *share) {
  for (size_t byte = 0; byte < share->bytes; byte += 64)
    __builtin_prefetch((const void *)(share->next + byte));
  share->next += share->bytes;
}

// The rows that an instruction on matrices has multiplied, the first of all: of whole products, since
// levels that have it take no parts.
INLINE size_t matrix_rows(const TileKind kind, const Product *product) {
#ifdef HAS_MATRIX_DOT
  if (kind.unit == BK_INT8 && !kind.has_nibbles && kind.rows > 2)
    return multiply_matrices(
        (MatrixKind){kind.scale_product, kind.has_middles, kind.words}, product->shape, product->a,
        product->b, product->result);
#endif
  return 0;
}

// A part and all rows, in tiles of as many as there is room for; eight, in parts, are two alike.
// The last two rows, which wait for memory most, meet more columns in a pass.
INLINE void multiply_part(
    const TileKind kind, const Product *product, const Part *part, vu *kept) {
  const size_t rows = product->a->rows;
  TileKind few = kind;
  if (few.vectors < FEW_VECTORS && few.vectors >= TILE_VECTORS) few.vectors = FEW_VECTORS;
  Share ahead = share(kind, product, part);
  const size_t done = matrix_rows(kind, product);
  size_t first_row = done;
#define TILES(kind, count)                                                                       \
  for (; row + (count) <= rows; row += (count)) {                                                \
    fetch(&ahead);                                                                               \
    tile(kind, count, product, part, row, (size_t)first * LANES, kept);                          \
  }
  if (kind.rows > 2) {
    for (int first = 0; first < PANEL_VECTORS; first += kind.vectors) {
      size_t row = done;
      const bool has_fours = kind.rows > 4 && rows == 8 && has_parts(kind, rows);
      if (!has_fours) { TILES(kind, kind.rows) }
      if (kind.rows > 4) { TILES(kind, 4) }
      first_row = row;
    }
  }
  for (int first = 0; first < PANEL_VECTORS; first += few.vectors) {
    size_t row = first_row;
    TILES(few, 2)
    TILES(few, 1)
  }
#undef TILES
}

INLINE void multiply_tiles(const TileKind kind, const Product *product) {
  // Sums of products with more rows never wait.
  vu kept[PART_ROWS * PANEL_VECTORS];
  Part part = first_part(kind, product);
  do {
    multiply_part(kind, product, &part, kept);
  } while (advance(product->shape, &part));
}

// Products of 8-bit integers by AMX, whose registers are tiles: up to sixteen rows of 64 bytes,
// which an instruction multiplies and adds onto a tile of sums of 32 bits.
//
// Bytes are signed on both sides, so that rows' offsets have no use here. A word of sixteen columns
// of a panel is a row of a tile as it is. What becomes of a group's sums is what tiles of vectors
// make of theirs: vectors read them from memory, which is the only way out of a tile. That is most
// of the work where groups are short, and all the rest of it is done while tiles are multiplied.

// The rows and the 32-bit columns of a whole tile.
#define SIDE 16

// Bytes from word to word of a panel.
#define PANEL_STRIDE (4 * BK_PANEL)

// Tiles 0 to 3 are sums, 4 and 5 rows, 6 and 7 columns.

// How many rows and bytes of a row each tile has, as the processor takes it.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
} TileShapes;

// Sums 0 and 1 have the upper rows, sums 2 and 3 the lower ones. Rows and columns have `words`
// words.
INLINE void shape_tiles(const size_t upper_rows, const size_t lower_rows, const size_t words) {
  TileShapes shapes = {.palette = 1};
  const size_t rows[8] = {
      upper_rows, upper_rows, lower_rows, lower_rows, upper_rows, lower_rows, words, words};
  for (int tile = 0; tile < 8; tile++) {
    shapes.rows[tile] = (uint8_t)rows[tile];
    shapes.row_bytes[tile] = (uint16_t)(4 * (tile == 4 || tile == 5 ? words : SIDE));
  }
  _tile_loadconfig(&shapes);
}

// The loop over groups of 8-bit integers in tiles, which Levels/AVX512AMX.c includes: sixteen rows times
// sixteen columns at a time. A tile's sums become numbers by way of memory, as there is no other.
#include <string.h>

#define AMX __attribute__((target(BK_AVX512_AMX_TARGET)))
#define AMX_INLINE AMX static inline __attribute__((always_inline))

// As HIDE, in any of 32 registers.
#define HIDE_IN_ALL(v) __asm__ volatile("" : "+v"(v))

#define SIDE 16
// Independent groups of a repetition.
#define TILES 4

typedef int_16 TileSums[SIDE];

// What stays in registers. Tiles share the results.
typedef struct {
  float_16 results[SIDE];
  float_16 column, row;
  int_16 exponent;
} TileWork;

// Tiles 0 to 3 are sums, 4 rows, 5 the last words of rows, and 6 columns. All are whole; the last
// words of a group are filled up with zeros.
AMX_INLINE void load_tiles(size_t words) {
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  } shapes = {.palette = 1};
  for (int tile = 0; tile < 8; tile++) {
    shapes.row_bytes[tile] = 4 * SIDE;
    shapes.rows[tile] = SIDE;
  }
  _tile_loadconfig(&shapes);
  int32_t ones[SIDE][SIDE], last[SIDE][SIDE];
  for (size_t row = 0; row < SIDE; row++) {
    for (size_t word = 0; word < SIDE; word++) {
      ones[row][word] = 0x01010101;
      last[row][word] = word <= (words - 1) % SIDE ? 0x01010101 : 0;
    }
  }
  _tile_loadd(4, ones, sizeof ones[0]);
  _tile_loadd(5, last, sizeof last[0]);
  _tile_loadd(6, ones, sizeof ones[0]);
}

// Tiles are numbers in the instruction.
#define FOR_TILE(tile, ...)                    \
  switch (tile) {                              \
    case 0: __VA_ARGS__(0); break;             \
    case 1: __VA_ARGS__(1); break;             \
    case 2: __VA_ARGS__(2); break;             \
    default: __VA_ARGS__(3); break;            \
  }

AMX_INLINE void zero_tile(const int tile) { FOR_TILE(tile, _tile_zero) }
AMX_INLINE void multiply_tile(const int tile) {
#define MULTIPLY(tile) _tile_dpbssd(tile, 4, 6)
  FOR_TILE(tile, MULTIPLY)
#undef MULTIPLY
}
AMX_INLINE void multiply_last(const int tile) {
#define MULTIPLY(tile) _tile_dpbssd(tile, 5, 6)
  FOR_TILE(tile, MULTIPLY)
#undef MULTIPLY
}
AMX_INLINE void store_tile(const int tile, TileSums *sums) {
#define STORE(tile) _tile_stored(tile, sums[tile], sizeof sums[tile][0])
  FOR_TILE(tile, STORE)
#undef STORE
}

AMX_INLINE void add_tile(
    const int tile, const bool adds_exponents, const TileSums *sums, TileWork *work) {
#pragma clang loop unroll(full)
  for (int row = 0; row < SIDE; row++) {
    HIDE_IN_ALL(work->column);
    float_16 factor = adds_exponents ? (float_16)((int_16)work->column + work->exponent)
                                     : work->column * work->row;
    float_16 number = __builtin_convertvector(sums[tile][row], float_16);
    work->results[row] = __builtin_elementwise_fma(number, factor, work->results[row]);
    HIDE_IN_ALL(work->results[row]);
  }
}

// Groups that one tile of rows holds: as one is multiplied, the one before is stored, and the one
// before that added.
AMX_INLINE void repeat_short(const bool adds_exponents, size_t repetitions, TileWork *work) {
  TileSums sums[TILES] = {{{0}}};
  zero_tile(3);
  for (size_t repetition = 0; repetition < repetitions; repetition++) {
#pragma clang loop unroll(full)
    for (int tile = 0; tile < TILES; tile++) {
      zero_tile(tile);
      multiply_last(tile);
      store_tile((tile + 3) % TILES, sums);
      add_tile((tile + 2) % TILES, adds_exponents, sums, work);
    }
  }
  store_tile(3, sums);
  add_tile(2, adds_exponents, sums, work);
  add_tile(3, adds_exponents, sums, work);
}

// Longer ones: all four sums wait for each other as little as they can.
AMX_INLINE void repeat_long(
    const bool adds_exponents, size_t words, size_t repetitions, TileWork *work) {
  TileSums sums[TILES];
  for (size_t repetition = 0; repetition < repetitions; repetition++) {
#pragma clang loop unroll(full)
    for (int tile = 0; tile < TILES; tile++) zero_tile(tile);
    for (size_t word = SIDE; word < words; word += SIDE) {
#pragma clang loop unroll(full)
      for (int tile = 0; tile < TILES; tile++) multiply_tile(tile);
    }
#pragma clang loop unroll(full)
    for (int tile = 0; tile < TILES; tile++) multiply_last(tile);
#pragma clang loop unroll(full)
    for (int tile = 0; tile < TILES; tile++) store_tile(tile, sums);
#pragma clang loop unroll(full)
    for (int tile = 0; tile < TILES; tile++) add_tile(tile, adds_exponents, sums, work);
  }
}

AMX_INLINE uint64_t avx512_amx_of(const bool adds_exponents, size_t words, size_t repetitions) {
  TileWork work = {.column = (float_16){0} + 1, .row = (float_16){0} + 1, .exponent = (int_16){0}};
#pragma clang loop unroll(full)
  for (int row = 0; row < SIDE; row++) work.results[row] = (float_16){0};
  HIDE_IN_ALL(work.row);
  HIDE_IN_ALL(work.exponent);
  load_tiles(words);
  if (words <= SIDE) {
    repeat_short(adds_exponents, repetitions, &work);
  } else {
    repeat_long(adds_exponents, words, repetitions, &work);
  }
  _tile_release();
  // What is counted through stays in memory.
  float_16 results[SIDE];
  memcpy(results, work.results, sizeof results);
  double total = 0;
  for (int row = 0; row < SIDE; row++)
    for (int lane = 0; lane < SIDE; lane++) total += results[row][lane];
  return (uint64_t)total;
}

AMX
static uint64_t avx512_amx_int8(
    size_t words, size_t run, bool adds_exponents, size_t repetitions) {
  return adds_exponents ? avx512_amx_of(true, words, repetitions)
                        : avx512_amx_of(false, words, repetitions);
}

#undef FOR_TILE
#undef TILES
#undef SIDE
#undef HIDE_IN_ALL
#undef AMX_INLINE
#undef AMX

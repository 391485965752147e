// The tiles of all levels of arm64, which have 32 registers.
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define FLOAT_ROWS 6
#define FLOAT_VECTORS 4
#define FEW_VECTORS 4
#define NIBBLE_ROWS 2

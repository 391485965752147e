// The tiles of both levels of AVX-512, which have 32 registers.
//
// Fourteen sums in integers and as many in FP32 leave room for two columns' words and a row's.
#define TILE_ROWS 7
#define TILE_VECTORS 2
#define FLOAT_ROWS 14
#define FLOAT_VECTORS 2
#define FEW_VECTORS 2
#define NIBBLE_ROWS 4

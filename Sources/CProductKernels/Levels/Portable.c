// Portable C.
#include "Lanes/Portable.h"

#define TILE_ROWS 2
#define TILE_VECTORS 2
#define FLOAT_ROWS 4
#define FLOAT_VECTORS 2
#define FEW_VECTORS 2
#define NIBBLE_ROWS 2
#include "../Templates/Kernels.h"

KERNEL_TABLE(PORTABLE, portable);

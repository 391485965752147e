// arm64 with Advanced SIMD, and its instructions on matrices of 8-bit integers and on BF16 numbers.
//
// BF16 numbers of many rows become those of FP32 here too, as `flushes_freely` is false. An
// instruction does four multiply-adds of either kind: a tile of six rows and four vectors of
// columns takes 48 for each pair of numbers. As pairs these are four loads of columns and six of
// rows, as numbers of FP32 eight and twelve; but FMLA takes a number of a row from the lane that it
// was loaded into, where a pair is spread over all lanes first. So there is little to gain, sums
// that flush would widen the same columns for every tile, and whether a processor begins as many of
// the one as of the other in a cycle was not measured. Few rows meet panels as they lie in memory
// and save the shifts and masks: four rows times two vectors need 27 instructions, not 39.
#if defined(__aarch64__)
#include "Lanes/NEONMatrix.h"

#include "NEONTiles.h"
// Twelve blocks of sums, and as many that they are added to, leave room for the words of six rows
// and of four columns.
#define MATRIX_ROWS 6
#define MATRIX_VECTORS 2
#include "../Templates/Kernels.h"

KERNEL_TABLE(NEON_MATRIX, neon_matrix);

#pragma clang attribute pop
#endif

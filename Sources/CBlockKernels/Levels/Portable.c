// Portable C.
#include "Lanes/Portable.h"

#include "../Templates/Kernels.h"

KERNEL_TABLE(PORTABLE, portable);

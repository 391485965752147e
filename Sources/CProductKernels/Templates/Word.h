// A word of every lane as a unit likes it best.
#ifndef PRODUCT_WORD
#define PRODUCT_WORD
typedef struct {
  vu first, second;
} Word;
#endif

// What the loops of all levels share, and the table in which each file of Levels/ names its own.
#ifndef CMULTIPLYLIMIT_LOOPS_H
#define CMULTIPLYLIMIT_LOOPS_H

#include "../include/CMultiplyLimit.h"

#pragma STDC FP_CONTRACT OFF

// Makes the compiler forget what a register holds, at the price of no instruction. None of them moves
// past another.
#if defined(__x86_64__)
#include <immintrin.h>
#define HIDE(v) __asm__ volatile("" : "+x"(v))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define HIDE(v) __asm__ volatile("" : "+w"(v))
#else
#define HIDE(v) __asm__ volatile("" : "+m"(v))
#endif

// MARK: - Vectors

#define VECTOR(bytes) __attribute__((vector_size(bytes)))
typedef int32_t int_4 VECTOR(16);
typedef float float_4 VECTOR(16);
#if defined(__x86_64__)
typedef int32_t int_8 VECTOR(32);
typedef int16_t short_16 VECTOR(32);
typedef float float_8 VECTOR(32);
typedef int32_t int_16 VECTOR(64);
typedef int16_t short_32 VECTOR(64);
typedef float float_16 VECTOR(64);
#endif

// Sums of 32 bits as numbers: integers, and what are numbers already.
#define CONVERTED(sum) __builtin_convertvector(sum, LOOP_FLOATS)
#define REINTERPRETED(sum) ((LOOP_FLOATS)(sum))

// MARK: - Tables

typedef struct {
  uint64_t (*run)(size_t words, size_t run, bool adds_exponents, size_t repetitions);
  // Of a step: sums times lanes times products of a lane.
  size_t operations;
  // For a word of elements; 0 where there are no words, and a repetition is one.
  size_t steps;
  const char *instructions;
} multiply_loop;

typedef struct multiply_level {
  // The level that has the loops of the units that are left out below. It is NULL where none is.
  const struct multiply_level *base;
  // By `multiply_limit_unit`.
  multiply_loop loops[MULTIPLY_LIMIT_RUNS + 1];
} multiply_level;

// Each level of this architecture has its table in a file of Levels/.
#define DECLARATION(symbol, id, architecture, target) \
  BK_ON_##architecture(extern const multiply_level multiply_limit_##id;)
BK_LEVELS(DECLARATION)
#undef DECLARATION

#endif

// Deterministic inputs: integers only, so that every machine makes the same ones.
//
// EmulationReferenceTests.swift makes the same values in Swift.
#ifndef INPUTS_H
#define INPUTS_H

#include <stddef.h>
#include <stdint.h>

// SplitMix64's output for a counter.
static inline uint64_t mixed(uint64_t seed, uint64_t index) {
  uint64_t z = seed * 0xD1342543DE82EF95ull + (index + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// The pattern of an FP32 value: any bits, few significant bits (ties of narrow formats) and their
// neighbours, subnormal numbers, special values, and numbers of usual size.
static inline uint32_t sample(uint64_t seed, uint64_t index) {
  static const uint32_t special[16] = {
      0x00000000, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00001,
      0x7F800001, 0x00000001, 0x807FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF,
      0x3F800000, 0xBF800000, 0x47800000, 0x33800000};
  uint64_t z = mixed(seed, index);
  uint32_t word = (uint32_t)z, choice = (uint32_t)(z >> 60);
  if (choice < 3) return word;
  if (choice < 9) {
    uint32_t exponent = 100 + (uint32_t)(z >> 32) % 48, bits = (uint32_t)(z >> 40) % 7;
    uint32_t fraction = word & 0x7FFFFF & ~(0x7FFFFFu >> bits);
    uint32_t tie = (word & 0x80000000) | exponent << 23 | fraction;
    return choice < 7 ? tie : choice == 7 ? tie + 1 : tie - 1;
  }
  if (choice == 9) return word & 0x807FFFFF;
  if (choice == 10) return special[(z >> 32) % 16];
  return (word & 0x807FFFFF) | (118 + (uint32_t)(z >> 32) % 16) << 23;
}

// As `sample`, without values of 2^73 and more.
static inline uint32_t tame_sample(uint64_t seed, uint64_t index) {
  uint32_t bits = sample(seed, index);
  return (bits & 0x7F800000) >= 200u << 23 ? bits & 0xBFFFFFFF : bits;
}

// A value of the size of its neighbours: few significant bits or many, or zero.
static inline uint32_t row_sample(uint64_t seed, uint64_t index) {
  uint64_t z = mixed(seed, index);
  uint32_t word = (uint32_t)z;
  if (z >> 60 == 0) return word & 0x80000000;
  uint32_t size = 100 + (uint32_t)(mixed(seed + 1, index / 96) % 48);
  uint32_t fraction = word & 0x7FFFFF & ~(0x7FFFFFu >> (uint32_t)(z >> 40) % 24);
  return (word & 0x80000000) | (size + (uint32_t)(z >> 32) % 6) << 23 | fraction;
}

// As `row_sample`, from 2^first on through `count` binades.
static inline uint32_t sample_between(
    uint64_t seed, uint64_t index, uint32_t first, uint32_t count) {
  uint32_t bits = row_sample(seed, index), field = bits >> 23 & 0xFF;
  return field == 0 ? bits : (bits & 0x807FFFFF) | (127 + first + field % count) << 23;
}
// From 2^10 to 2^15, where every scale rule of the table finds scales.
static inline uint32_t level_sample(uint64_t seed, uint64_t index) {
  return sample_between(seed, index, 10, 5);
}
static inline uint32_t broad_sample(uint64_t seed, uint64_t index) {
  return sample_between(seed, index, 0, 15);
}
// As `level_sample`, with blocks of zeros.
static inline uint32_t sparse_sample(uint64_t seed, uint64_t index) {
  uint32_t bits = level_sample(seed, index);
  return mixed(seed + 2, index / 128) % 4 == 0 ? bits & 0x80000000 : bits;
}

// 2^-8 to 2^7, or any positive number of that size.
static inline uint32_t power_of_two(uint64_t seed, uint64_t index) {
  return (119 + (uint32_t)mixed(seed, index) % 16) << 23;
}
static inline uint32_t multiplier(uint64_t seed, uint64_t index) {
  return power_of_two(seed, index) | (uint32_t)(mixed(seed, index) >> 41);
}

// FNV-1a with 64 bits.
typedef uint64_t Hash;
#define HASH_START 0xCBF29CE484222325ull

static inline void add_bytes(Hash *hash, const void *bytes, size_t count) {
  const uint8_t *byte = bytes;
  for (size_t i = 0; i < count; i++) *hash = (*hash ^ byte[i]) * 0x100000001B3ull;
}
static inline void add_word(Hash *hash, uint64_t word) { add_bytes(hash, &word, sizeof word); }

#endif

// Buffers that end where the readable memory ends, or begin where it begins.
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A run of pages between two that fault.
typedef struct {
  uint8_t *bytes;
  size_t size;
  uint8_t *start;  // the buffer in use
  size_t count;
} Arena;

enum { ARENA_SIZE = 1 << 17, MARGIN = 64, MARK = 0xA5 };

static inline Arena make_arena(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  size_t size = (ARENA_SIZE + page - 1) / page * page;
  uint8_t *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (all == MAP_FAILED || mprotect(all + page, size, PROT_READ | PROT_WRITE) != 0) {
    perror("guarded memory");
    exit(1);
  }
  return (Arena){.bytes = all + page, .size = size};
}

// A buffer of `count` bytes at one end of the arena, between marks.
static inline void *place(Arena *arena, size_t count, bool at_end) {
  if (count + MARGIN > arena->size) {
    fprintf(stderr, "a buffer of %zu bytes does not fit\n", count);
    exit(1);
  }
  arena->count = count;
  arena->start = at_end ? arena->bytes + arena->size - count : arena->bytes;
  uint8_t *first = at_end ? arena->start - MARGIN : arena->start;
  memset(first, MARK, count + MARGIN);
  return arena->start;
}

// Ends the program if the bytes beside the buffer changed.
static inline void check_margin(const Arena *arena, const char *name) {
  bool at_end = arena->start != arena->bytes;
  const uint8_t *margin = at_end ? arena->start - MARGIN : arena->start + arena->count;
  for (size_t i = 0; i < MARGIN; i++)
    if (margin[i] != MARK) {
      fprintf(stderr, "%s wrote %s its %zu bytes\n", name, at_end ? "before" : "behind",
              arena->count);
      exit(1);
    }
}

#endif

// Products Y = A · Bᵀ of FP32 matrices by Accelerate, for run.sh.
//
// usage: accelerate MxNxK...
//
// A line for each shape: the shape, 10^9 operations a second from the median time, and the distance
// of the quartiles as a share of the median. VECLIB_MAXIMUM_THREADS=1 keeps it to one thread.
#include <Accelerate/Accelerate.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { REPEATS = 15, WARM_UP = 3 };

static double seconds_now(void) { return (double)clock_gettime_nsec_np(CLOCK_UPTIME_RAW) * 1e-9; }

static int order(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

// Numbers between -1 and 1, whose values do not matter.
static float *numbers(size_t count) {
  float *values = malloc(count * sizeof *values);
  if (values == NULL) exit(1);
  uint32_t state = 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(int32_t)state * 0x1p-31f;
  }
  return values;
}

int main(int count, char **words) {
  for (int word = 1; word < count; word++) {
    int m, n, k;
    if (sscanf(words[word], "%dx%dx%d", &m, &n, &k) != 3 || m < 1 || n < 1 || k < 1) {
      fprintf(stderr, "%s is no shape\n", words[word]);
      return 2;
    }
    float *a = numbers((size_t)m * k), *b = numbers((size_t)n * k), *y = numbers((size_t)m * n);
    double times[REPEATS];
    for (int i = -WARM_UP; i < REPEATS; i++) {
      double start = seconds_now();
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, a, k, b, k, 0, y, n);
      if (i >= 0) times[i] = seconds_now() - start;
    }
    qsort(times, REPEATS, sizeof *times, order);
    double median = times[REPEATS / 2];
    double spread = (times[REPEATS * 3 / 4] - times[REPEATS / 4]) / median;
    printf("%s %.1f %.2f\n", words[word], 2.0 * m * n * k / median * 1e-9, spread);
    free(a);
    free(b);
    free(y);
  }
  return 0;
}

// The selective scan: a linear recurrence in states that every channel has of its own.
//
// Lanes are channels. What a chunk of steps needs of a group of sixteen of them is copied to
// vectors first, with zeros beyond the last channel; inner loops then go through the steps of one
// state.

// Groups that go back together, and sums of one state in vectors.
#define GROUPS (BK_SCAN_BLOCK / LANES)
#define SUMS (BK_SCAN_STEPS / LANES)

// One group's vectors of a chunk: what is given, v = dt u, and what is found.
typedef struct {
  size_t first, width;
  vf dt[BK_SCAN_STEPS], v[BK_SCAN_STEPS], dy[BK_SCAN_STEPS];
  vf ddt[BK_SCAN_STEPS], dv[BK_SCAN_STEPS];
} ScanGroup;

static void scan(
    const BKScan *shape, const float *u, const float *dt, const float *a, const float *b,
    const float *c, const float *d, const float *before, float *after, float *y) {
  const size_t stride = shape->stride, steps = shape->steps;
  EACH_VECTOR(i, shape->channels) {
    size_t n = shape->channels - i;
    vf sizes[BK_SCAN_STEPS], v[BK_SCAN_STEPS], sum[BK_SCAN_STEPS];
    vf skip = load_part(d + i, n);
    for (size_t t = 0; t < steps; t++) {
      vf input = load_part(u + t * stride + i, n);
      sizes[t] = load_part(dt + t * stride + i, n);
      v[t] = sizes[t] * input;
      sum[t] = skip * input;
    }
    for (size_t s = 0; s < shape->states; s++) {
      vf rate = load_part(a + s * stride + i, n), h = load_part(before + s * stride + i, n);
      for (size_t t = 0; t < steps; t++) {
        size_t place = t * shape->state_stride + s;
        h = fma_f(exp_f(sizes[t] * rate), h, v[t] * float_at(b + place));
        sum[t] = fma_f(all_f(float_at(c + place)), h, sum[t]);
      }
      put_part(after + s * stride + i, h, n);
    }
    for (size_t t = 0; t < steps; t++) put_part(y + t * stride + i, sum[t], n);
  }
}

// The sums over lanes of sixteen vectors, each in the order of sum_lanes.
INLINE vf sums_of_lanes(const vf *from) {
  vf a[8], b[4], c[2];
  UNROLLED for (int i = 0; i < 8; i++) {
    vf x = from[i], z = from[i + 8];
    a[i] = __builtin_shufflevector(
               x, z, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           __builtin_shufflevector(
               x, z, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  UNROLLED for (int i = 0; i < 4; i++) {
    vf x = a[i], z = a[i + 4];
    b[i] = __builtin_shufflevector(
               x, z, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
           __builtin_shufflevector(
               x, z, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
  UNROLLED for (int i = 0; i < 2; i++) {
    vf x = b[i], z = b[i + 2];
    c[i] = __builtin_shufflevector(
               x, z, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           __builtin_shufflevector(
               x, z, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  return __builtin_shufflevector(
             c[0], c[1], 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
         __builtin_shufflevector(
             c[0], c[1], 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
}

// One state of a block: the way there with its decays kept, and the way back. Lanes beyond the last
// channel add nothing to sums over channels.
INLINE void scan_state_backward(
    const BKScan *shape, size_t s, ScanGroup *groups, const bool is_whole, const float *a,
    const float *b, const float *c, const float *before, float *dh, float *da, vf *db, vf *dc) {
  const size_t stride = shape->stride, steps = shape->steps;
  vf states[GROUPS][BK_SCAN_STEPS + 1], decays[GROUPS][BK_SCAN_STEPS];
  vf rate[GROUPS], carry[GROUPS], d_rate[GROUPS], after[GROUPS];
  UNROLLED for (int g = 0; g < GROUPS; g++) {
    const ScanGroup *group = groups + g;
    const size_t place = s * stride + group->first;
    rate[g] = load_part(a + place, group->width);
    carry[g] = load_part(dh + place, group->width);
    d_rate[g] = load_part(da + place, group->width);
    vf h = load_part(before + place, group->width);
    states[g][0] = h;
    for (size_t t = 0; t < steps; t++) {
      vf decay = exp_f(group->dt[t] * rate[g]);
      h = fma_f(decay, h, group->v[t] * float_at(b + t * shape->state_stride + s));
      decays[g][t] = decay;
      states[g][t + 1] = h;
    }
    after[g] = h;
  }
  for (size_t t = steps; t-- > 0;) {
    vf b_t = all_f(float_at(b + t * shape->state_stride + s));
    vf c_t = all_f(float_at(c + t * shape->state_stride + s));
    vf b_sum = all_f(0.0f), c_sum = all_f(0.0f);
    UNROLLED for (int g = 0; g < GROUPS; g++) {
      ScanGroup *group = groups + g;
      vf dy = group->dy[t], h = after[g];
      vf gradient = fma_f(c_t, dy, carry[g]), other = gradient;
      if (!is_whole) {
        h = first_lanes(h, group->width, 0.0f);
        other = first_lanes(gradient, group->width, 0.0f);
      }
      c_sum = fma_f(dy, h, c_sum);
      b_sum = fma_f(group->v[t], other, b_sum);
      group->dv[t] = fma_f(gradient, b_t, group->dv[t]);
      carry[g] = gradient * decays[g][t];
      after[g] = states[g][t];
      vf slope = carry[g] * after[g];
      group->ddt[t] = fma_f(slope, rate[g], group->ddt[t]);
      d_rate[g] = fma_f(slope, group->dt[t], d_rate[g]);
    }
    db[t] = b_sum;
    dc[t] = c_sum;
  }
  UNROLLED for (int g = 0; g < GROUPS; g++) {
    const size_t place = s * stride + groups[g].first;
    put_part(dh + place, carry[g], groups[g].width);
    put_part(da + place, d_rate[g], groups[g].width);
  }
}

INLINE void load_group(
    const BKScan *shape, ScanGroup *group, const float *u, const float *dt, const float *dy,
    const float *du, const float *ddt, bool is_first) {
  const size_t n = group->width;
  for (size_t t = 0; t < shape->steps; t++) {
    const size_t place = t * shape->stride + group->first;
    group->dt[t] = load_part(dt + place, n);
    group->dy[t] = load_part(dy + place, n);
    group->v[t] = group->dt[t] * load_part(u + place, n);
    group->dv[t] = is_first ? all_f(0.0f) : load_part(du + place, n);
    group->ddt[t] = is_first ? all_f(0.0f) : load_part(ddt + place, n);
  }
}

INLINE void store_group(
    const BKScan *shape, const ScanGroup *group, const float *u, const float *d, float *du,
    float *ddt, float *dd, bool is_last) {
  const size_t n = group->width;
  vf skip = load_part(d + group->first, n), d_skip = load_part(dd + group->first, n);
  for (size_t t = shape->steps; t-- > 0;) {
    const size_t place = t * shape->stride + group->first;
    vf input = group->dv[t], size = group->ddt[t];
    if (is_last) {
      vf number = load_part(u + place, n);
      size = fma_f(input, number, size);
      input = fma_f(input, group->dt[t], skip * group->dy[t]);
      d_skip = fma_f(group->dy[t], number, d_skip);
    }
    put_part(du + place, input, n);
    put_part(ddt + place, size, n);
  }
  put_part(dd + group->first, d_skip, n);
}

// Sixteen states of sums to rows of steps.
INLINE void put_sums(const BKScan *shape, vf (*sums)[SUMS], size_t first, float *to) {
  const size_t left = shape->states - first;
  for (size_t i = 0; i < SUMS && i * LANES < shape->steps; i++) {
    vf steps[LANES];
    transpose_block((const float *)&sums[0][i], SUMS * LANES, (float *)steps, LANES);
    for (size_t t = i * LANES; t < shape->steps && t < (i + 1) * LANES; t++)
      put_part(to + t * shape->state_stride + first, steps[t % LANES], left);
  }
}

static void scan_backward(
    const BKScan *shape, const float *u, const float *dt, const float *a, const float *b,
    const float *c, const float *d, const float *before, const float *dy, float *dh, float *du,
    float *ddt, float *da, float *db, float *dc, float *dd) {
  const size_t channels = shape->channels, states = shape->states;
  ScanGroup groups[GROUPS];
  vf b_lanes[BK_SCAN_STEPS], c_lanes[BK_SCAN_STEPS];
  for (int t = 0; t < BK_SCAN_STEPS; t++) b_lanes[t] = c_lanes[t] = all_f(0.0f);
  for (size_t first = 0; first < states; first += LANES) {
    const size_t last = states - first < LANES ? states : first + LANES;
    vf b_sums[LANES][SUMS], c_sums[LANES][SUMS];
    for (int s = 0; s < LANES; s++) {
      for (int i = 0; i < SUMS; i++) b_sums[s][i] = c_sums[s][i] = all_f(0.0f);
    }
    for (size_t block = 0; block < channels; block += BK_SCAN_BLOCK) {
      for (size_t g = 0; g < GROUPS; g++) {
        const size_t from = block + g * LANES, left = channels > from ? channels - from : 0;
        groups[g].first = left == 0 ? block : from;
        groups[g].width = left < LANES ? left : LANES;
        load_group(shape, groups + g, u, dt, dy, du, ddt, first == 0);
      }
      for (size_t s = first; s < last; s++) {
        if (channels - block >= BK_SCAN_BLOCK) {
          scan_state_backward(shape, s, groups, true, a, b, c, before, dh, da, b_lanes, c_lanes);
        } else {
          scan_state_backward(shape, s, groups, false, a, b, c, before, dh, da, b_lanes, c_lanes);
        }
        for (int i = 0; i < SUMS; i++) {
          b_sums[s - first][i] += sums_of_lanes(b_lanes + i * LANES);
          c_sums[s - first][i] += sums_of_lanes(c_lanes + i * LANES);
        }
      }
      for (size_t g = 0; g < GROUPS; g++)
        store_group(shape, groups + g, u, d, du, ddt, dd, last == states);
    }
    put_sums(shape, b_sums, first, db);
    put_sums(shape, c_sums, first, dc);
  }
}

#undef GROUPS
#undef SUMS

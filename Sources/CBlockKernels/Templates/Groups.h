// Values that belong to groups of neighbouring lanes, such as the multipliers of blocks.

// How a group of `unit` lanes meets vectors.
typedef enum {
  GROUP_NONE,   // no value
  GROUP_ONE,    // one group for all
  GROUP_LONG,   // a group has a power of two of whole quads, which are four vectors
  GROUP_WHOLE,  // a group has one or two whole vectors
  GROUP_PARTS,  // a vector has a power of two of whole groups
  GROUP_ANY,    // none of these: lane by lane
} GroupFit;

INLINE GroupFit fit_of(const void *values, size_t unit, size_t count) {
  if (!values) return GROUP_NONE;
  if (unit >= count) return GROUP_ONE;
  if (!is_power_of_two(unit)) return GROUP_ANY;
  if (unit < LANES) return GROUP_PARTS;
  return unit < 4 * LANES ? GROUP_WHOLE : GROUP_LONG;
}

// Where the lanes of a vector find their group's value, for a fit of parts.
INLINE vu group_lanes(GroupFit fit, size_t unit) {
  return fit == GROUP_PARTS ? lane_numbers() >> log_two(unit) : all_u(0);
}

// The values of the groups of the lanes `index` and on, of which there are up to `count`.
INLINE vf group_values(
    GroupFit fit, const float *values, size_t index, size_t unit, vu lanes, size_t count) {
  switch (fit) {
    case GROUP_NONE: return all_f(1);
    case GROUP_ONE: return all_f(values[0]);
    case GROUP_LONG:
    case GROUP_WHOLE: return all_f(values[index >> log_two(unit)]);
    case GROUP_PARTS: {
      uint32_t shift = log_two(unit);
      size_t left = count - index < LANES ? count - index : LANES;
      return permute(load_some_f(values + (index >> shift), (left + unit - 1) >> shift), lanes);
    }
    case GROUP_ANY: {
      vf v = 0;
      for (size_t lane = 0; lane < LANES && index + lane < count; lane++)
        v[lane] = values[(index + lane) / unit];
      return v;
    }
  }
}

// Compilers drop a product with a factor that they know to be one; others take as long as a test.
INLINE vf times_factor(vf v, float factor) {
  return __builtin_constant_p(factor) && factor == 1 ? v : v * factor;
}

// The values of the groups of 4 * LANES lanes, `index` and on, of which all exist.
INLINE void quad_values(
    GroupFit fit, const float *values, size_t index, size_t unit, vu lanes, float factor,
    vf *result) {
  if (fit == GROUP_PARTS && unit > 1) {
    uint32_t shift = log_two(unit);
    size_t each = LANES >> shift, needed = 4 * each < LANES ? 4 * each : LANES;
    for (size_t j = 0; j < 4; j++) {
      size_t first = j * each;
      vf some = load_some_f(values + (index >> shift) + (first & ~(size_t)(LANES - 1)), needed);
      result[j] = permute(times_factor(some, factor), lanes + (uint32_t)(first & (LANES - 1)));
    }
    return;
  }
  if (fit == GROUP_ONE || fit == GROUP_LONG) {
    size_t group = fit == GROUP_ONE ? 0 : index >> log_two(unit);
    result[0] = times_factor(all_f(values[group]), factor);
    for (size_t j = 1; j < 4; j++) result[j] = result[0];
    return;
  }
  for (size_t j = 0; j < 4; j++) {
    size_t first = index + j * LANES;
    vf some = fit == GROUP_PARTS ? load_f(values + first)
                                 : group_values(fit, values, first, unit, lanes, index + 4 * LANES);
    result[j] = times_factor(some, factor);
  }
}

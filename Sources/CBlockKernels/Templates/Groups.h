// Values that belong to groups of neighbouring lanes, such as the multipliers of blocks.

// How a group of `unit` lanes meets vectors.
typedef enum {
  GROUP_NONE,    // no value: one for all lanes, known to the caller
  GROUP_WHOLE,   // a group has whole vectors
  GROUP_PARTS,   // a vector has whole groups
  GROUP_ANY,     // neither: lane by lane
} GroupFit;

INLINE GroupFit fit_of(const void *values, size_t unit) {
  if (!values) return GROUP_NONE;
  if (unit % LANES == 0) return GROUP_WHOLE;
  return is_power_of_two(unit) && unit < LANES ? GROUP_PARTS : GROUP_ANY;
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
    case GROUP_WHOLE: return all_f(values[index / unit]);
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

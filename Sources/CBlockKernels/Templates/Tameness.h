// Products that need no care: below 2^96, so that sums with 2^23 spacings stay finite.
#define TAME_LIMIT 0x1p96f

INLINE vi is_tame(vu maxima, vf multipliers) {
  return floats_of(maxima) * multipliers < TAME_LIMIT;
}

INLINE bool all_lanes(vi mask, size_t count) {
  for (size_t lane = 0; lane < LANES && lane < count; lane++)
    if (!mask[lane]) return false;
  return true;
}

// The lanes behind the first `count`, which hold nothing.
INLINE vi lanes_from(size_t count) { return (vi)(lane_numbers() >= all_u((uint32_t)count)); }

// Products that need no care: they and their spacings fit every intermediate result, and no code
// decodes to infinity. A multiplier of zero has only codes of zero.

INLINE vi is_tame(vu maxima, vf multipliers, float limit, float least_multiplier) {
  return (floats_of(maxima) * multipliers < limit) & (multipliers < 0x1p96f)
         & ((multipliers >= least_multiplier) | (multipliers == 0));
}

INLINE bool all_lanes(vi mask, size_t count) {
  if (count >= LANES) return !any_lane(~mask);
  for (size_t lane = 0; lane < count; lane++)
    if (!mask[lane]) return false;
  return true;
}

// The lanes behind the first `count`, which hold nothing.
INLINE vi lanes_from(size_t count) { return (vi)(lane_numbers() >= all_u((uint32_t)count)); }

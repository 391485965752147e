// Decays between the steps of a chunk.

static void decays(const float *sums, const float *rests, size_t steps, float *L) {
  for (size_t l = 0; l < steps; l++) {
    float *row = L + l * steps;
    size_t length = l + 1;
    float sum = float_at(sums + l), rest = float_at(rests + l);
    EACH_VECTOR(i, length) {
      vf exponent = (sum - load_part(sums + i, length - i))
          + (rest - load_part(rests + i, length - i));
      // Masked before the exponential: later steps would overflow.
      vf masked = first_lanes(exponent, length - i, -__builtin_inff());
      put_part(row + i, exp_f(masked), steps - i);
    }
    fill_zeros(row, (length + LANES - 1) / LANES * LANES, steps);
  }
}

static void decays_backward(
    const float *g, const float *L, const float *dm, size_t steps, float *dg, float *da) {
  vf running[BK_CHUNK_STEPS / LANES];
  UNROLLED for (size_t v = 0; v < BK_CHUNK_STEPS / LANES; v++) running[v] = all_f(0.0f);
  for (size_t l = steps; l-- > 0;) {
    size_t row = l * steps, length = l + 1;
    vf sum = all_f(0.0f);
    EACH_VECTOR(i, length) {
      size_t n = length - i;
      vf d = load_part(dm + row + i, n) * load_part(L + row + i, n);
      put_part(dg + row + i, load_part(dg + row + i, n) + d, n);
      // What lies on the diagonal does not decay.
      running[i / LANES] += first_lanes(d * load_part(g + row + i, n), n - 1, 0.0f);
      sum += first_lanes(running[i / LANES], n - 1, 0.0f);
    }
    put_float(da + l, canonical_scalar(sum_lanes(sum)));
  }
}

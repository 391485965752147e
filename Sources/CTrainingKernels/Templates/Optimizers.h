// Steps of optimizers.

static void adamw(
    const BKAdamW *step, const float *gradient, size_t count, float *weight, float *first,
    float *second) {
  const float first_rest = 1.0f - step->first_decay, second_rest = 1.0f - step->second_decay;
  EACH_VECTOR(i, count) {
    size_t n = count - i;
    vf g = load_part(gradient + i, n) * step->gradient_scale;
    vf m = fma_f(load_part(first + i, n), all_f(step->first_decay), g * first_rest);
    vf v = fma_f(load_part(second + i, n), all_f(step->second_decay), g * g * second_rest);
    put_part(first + i, m, n);
    put_part(second + i, v, n);
    vf divisor = fma_f(sqrt_f(v), all_f(step->second_correction), all_f(step->epsilon));
    vf w = load_part(weight + i, n) * step->weight_factor;
    put_part(weight + i, fma_f(m / divisor, all_f(-step->step), w), n);
  }
}

static void momentum(
    const BKMomentum *step, const float *gradient, size_t count, float *weight, float *moments) {
  EACH_VECTOR(i, count) {
    size_t n = count - i;
    vf w = load_part(weight + i, n);
    vf g = load_part(gradient + i, n) * step->gradient_scale;
    g = fma_f(w, all_f(step->weight_decay), g);
    vf m = fma_f(load_part(moments + i, n), all_f(step->momentum), g);
    put_part(moments + i, m, n);
    put_part(weight + i, fma_f(m, all_f(-step->learning_rate), w), n);
  }
}

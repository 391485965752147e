// Functions of numbers and of gates, with their derivatives.

// A function's value, and its derivative where that is asked for.
typedef struct {
  vf value, slope;
} Point;

// Beyond this x the GELU's tanh is 1 in FP32, and powers of x need not overflow.
#define GELU_LIMIT 12.0f
// Beyond this -x the sigmoid is 0.
#define SIGMOID_LIMIT 110.0f

INLINE Point point_of(const BKFunction function, vf x, const bool has_slope) {
  Point y = {x, x};
  switch (function) {
    case BK_EXP: y.value = y.slope = exp_f(x); break;
    case BK_LOG:
      y.value = log_f(x);
      if (has_slope) y.slope = 1.0f / x;
      break;
    case BK_TANH:
      y.value = tanh_f(x);
      if (has_slope) y.slope = 4.0f * sigmoid_of(x + x).slope;
      break;
    case BK_SIGMOID: {
      Sigmoid s = sigmoid_of(x);
      y = (Point){s.value, s.slope};
      break;
    }
    case BK_SOFTPLUS:
      y.value = max_f(x, all_f(0.0f)) + log_one_plus(exp_f(-abs_f(x)));
      if (has_slope) y.slope = sigmoid_of(x).value;
      break;
    case BK_GELU_TANH: {
      // s(v), v = x (c + d x^2)
      const float c = 0x1.988454p0f, d = 0x1.24448p-4f;
      vf t = at_least(at_most(x, GELU_LIMIT), -GELU_LIMIT), square = t * t;
      Sigmoid s = sigmoid_of(t * fma_f(square, all_f(d), all_f(c)));
      y.value = at_least(x, -GELU_LIMIT) * s.value;
      if (has_slope)
        y.slope = fma_f(t * s.slope, fma_f(square, all_f(3 * d), all_f(c)), s.value);
      break;
    }
    case BK_GELU: {
      Normal n = normal_of(x);
      y.value = at_least(x, -NORMAL_LIMIT) * n.value;
      vf t = at_least(at_most(x, NORMAL_LIMIT), -NORMAL_LIMIT);
      if (has_slope) y.slope = fma_f(t, n.density, n.value);
      break;
    }
    case BK_SILU: {
      Sigmoid s = sigmoid_of(x);
      y.value = at_least(x, -SIGMOID_LIMIT) * s.value;
      vf t = at_least(at_most(x, SIGMOID_LIMIT), -SIGMOID_LIMIT);
      if (has_slope) y.slope = fma_f(t, s.slope, s.value);
      break;
    }
    default: {
      vf t = at_least(x, 0.0f);
      y = (Point){t * t, t + t};
      break;
    }
  }
  return y;
}

#define FUNCTION_LOOPS(name, function)                                                           \
  static NOINLINE void name##_apply(const float *x, size_t n, float *y) {                        \
    EACH_VECTOR(i, n) {                                                                          \
      put_part(y + i, point_of(function, load_part(x + i, n - i), false).value, n - i);          \
    }                                                                                            \
  }                                                                                              \
  static NOINLINE void name##_apply_backward(                                                    \
      const float *x, const float *dy, size_t n, float *dx) {                                    \
    EACH_VECTOR(i, n) {                                                                          \
      vf slope = point_of(function, load_part(x + i, n - i), true).slope;                        \
      put_part(dx + i, load_part(dy + i, n - i) * slope, n - i);                                 \
    }                                                                                            \
  }                                                                                              \
  static NOINLINE void name##_gate(const float *g, const float *u, size_t n, float *y) {         \
    EACH_VECTOR(i, n) {                                                                          \
      vf value = point_of(function, load_part(g + i, n - i), false).value;                       \
      put_part(y + i, load_part(u + i, n - i) * value, n - i);                                   \
    }                                                                                            \
  }                                                                                              \
  static NOINLINE void name##_gate_backward(                                                     \
      const float *g, const float *u, const float *dy, size_t n, float *dg, float *du) {         \
    EACH_VECTOR(i, n) {                                                                          \
      Point p = point_of(function, load_part(g + i, n - i), true);                               \
      vf d = load_part(dy + i, n - i), other = load_part(u + i, n - i);                          \
      put_part(dg + i, d * other * p.slope, n - i);                                              \
      put_part(du + i, d * p.value, n - i);                                                      \
    }                                                                                            \
  }

#define EACH_FUNCTION(DO)                                                                        \
  DO(exp, BK_EXP)                                                                                \
  DO(log, BK_LOG)                                                                                \
  DO(tanh, BK_TANH)                                                                              \
  DO(sigmoid, BK_SIGMOID)                                                                        \
  DO(softplus, BK_SOFTPLUS)                                                                      \
  DO(gelu_tanh, BK_GELU_TANH)                                                                    \
  DO(gelu, BK_GELU)                                                                              \
  DO(silu, BK_SILU)                                                                              \
  DO(squared_relu, BK_SQUARED_RELU)

EACH_FUNCTION(FUNCTION_LOOPS)

static void apply(BKFunction function, const float *x, size_t count, float *y) {
  switch (function) {
#define CASE(name, code) case code: name##_apply(x, count, y); break;
    EACH_FUNCTION(CASE)
#undef CASE
    default: break;
  }
}

static void apply_backward(
    BKFunction function, const float *x, const float *dy, size_t count, float *dx) {
  switch (function) {
#define CASE(name, code) case code: name##_apply_backward(x, dy, count, dx); break;
    EACH_FUNCTION(CASE)
#undef CASE
    default: break;
  }
}

static void gate(BKFunction function, const float *g, const float *u, size_t count, float *y) {
  switch (function) {
#define CASE(name, code) case code: name##_gate(g, u, count, y); break;
    EACH_FUNCTION(CASE)
#undef CASE
    default: break;
  }
}

static void gate_backward(
    BKFunction function, const float *g, const float *u, const float *dy, size_t count,
    float *dg, float *du) {
  switch (function) {
#define CASE(name, code) case code: name##_gate_backward(g, u, dy, count, dg, du); break;
    EACH_FUNCTION(CASE)
#undef CASE
    default: break;
  }
}

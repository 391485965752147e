import CTrainingKernels
import Foundation
import Testing

/// A function of the kernels beside its definition in double precision and the errors it states.
struct FunctionSample: CustomTestStringConvertible, Sendable {
  let name: String
  let code: BKFunction
  /// In units in the last place, at `reliable` and above.
  let ulps: Double
  var reliable = -Double.infinity
  /// Below that: an absolute error plus one relative to |x|.
  var tailError = 0.0
  var relativeTailError = 0.0
  /// Of the derivative: absolute, or in units in the last place.
  var slopeError = 0.0
  var slopeUlps = 0.0
  let value: @Sendable (Double) -> Double

  var testDescription: String { name }

  func error(at x: Double, expected: Double) -> Double {
    if x >= reliable { return ulps * ulp(expected) }
    return tailError + relativeTailError * abs(x)
  }

  static let all = [
    FunctionSample(name: "exp", code: BK_EXP, ulps: 1.1, slopeUlps: 1.1) { exp($0) },
    FunctionSample(name: "log", code: BK_LOG, ulps: 1, slopeUlps: 0.5) { log($0) },
    FunctionSample(name: "tanh", code: BK_TANH, ulps: 1.5, slopeError: 4 * halfUlp) { tanh($0) },
    FunctionSample(name: "sigmoid", code: BK_SIGMOID, ulps: 3, slopeError: halfUlp) { sigmoid($0) },
    FunctionSample(name: "softplus", code: BK_SOFTPLUS, ulps: 2, slopeUlps: 3) {
      $0 > 0 ? $0 + log1p(exp(-$0)) : log1p(exp($0))
    },
    FunctionSample(
      name: "tanh form of GELU", code: BK_GELU_TANH, ulps: 8, reliable: -1,
      relativeTailError: 4 * halfUlp, slopeError: 8 * halfUlp
    ) { x in
      let angle = 2 * (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      return x * sigmoid(angle)
    },
    FunctionSample(
      name: "GELU", code: BK_GELU, ulps: 8, reliable: -13, tailError: 0x1p-140,
      slopeError: 4 * halfUlp
    ) { 0.5 * $0 * erfc(-$0 * 0.5.squareRoot()) },
    FunctionSample(
      name: "SiLU", code: BK_SILU, ulps: 4, reliable: -87, tailError: 0x1p-142,
      slopeError: 4 * halfUlp
    ) { $0 * sigmoid($0) },
    FunctionSample(name: "squared ReLU", code: BK_SQUARED_RELU, ulps: 0.5) {
      $0 > 0 ? $0 * $0 : 0
    },
  ]
}

func sigmoid(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }

/// The distance of FP32 numbers at a value.
func ulp(_ value: Double) -> Double {
  let magnitude = abs(value)
  return magnitude < 0x1p-126
    ? 0x1p-149 : Double(sign: .plus, exponent: magnitude.exponent - 23, significand: 1)
}

/// The order of `ProductDefinition`: what kernels compute.
struct Float32Accumulator: PlainAccumulatorModel {
  static let id = "fp32"

  var summary: String { "FP32, one fused multiply-add a group in order, to nearest, ties to even" }

  func sum(_ operands: DotOperands, registers: inout [ExactSum]) -> Float {
    var y: Float = 0
    for group in 0..<operands.groupCount {
      let (a, b) = operands.elements(group)
      let dot = operands.unit.dot(a, b)
      if operands.unit == .float32 {
        y = dot
      } else {
        y.addProduct(dot, operands.roundedScale(group))
        operands.addOffsets(group, to: &y)
      }
    }
    return y
  }
}

extension Accumulator {
  /// The order of `ProductDefinition`, with its FP32 roundings to nearest, ties to even.
  public static let float32 = Accumulator(Float32Accumulator())
}

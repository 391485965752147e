/// A running sum of the width of BF16.
struct BFloat16Accumulator: PlainAccumulatorModel {
  static let id = "bf16"

  var summary: String {
    """
    group dot products as fp32; the running sum rounded to FP32, then to BF16 after every group, \
    both to nearest, ties to even
    """
  }

  func sum(_ operands: DotOperands, registers: inout [ExactSum]) -> Float {
    var y: Float = 0
    if operands.unit == .float32 {
      for (x, z) in zip(operands.a, operands.b) {
        y.addProduct(Float(x), Float(z))
        y = y.roundedToBFloat16
      }
    } else {
      for group in 0..<operands.groupCount {
        let (a, b) = operands.elements(group)
        y.addProduct(operands.unit.dot(a, b), operands.roundedScale(group))
        y = y.roundedToBFloat16
      }
    }
    return y
  }
}

extension Accumulator {
  /// As `float32`, but the running Y is rounded to BF16 after the fused step of every group, to
  /// nearest, ties to even.
  ///
  /// The dot product D of a group keeps the arithmetic of its unit. With the `float32` unit every
  /// product is a group of its own. Each step rounds twice: the fused step to FP32, then to BF16.
  public static let bfloat16 = Accumulator(BFloat16Accumulator())
}

extension Float {
  /// The nearest BF16 number, ties to even; NaN becomes the canonical one.
  var roundedToBFloat16: Float {
    guard !isNaN else { return .nan }
    let isOdd = (bitPattern >> 16) & 1
    // No carry leaves the word: the largest pattern is infinity's, which stays.
    return Float(bitPattern: (bitPattern + 0x7FFF + isOdd) & 0xFFFF_0000)
  }
}

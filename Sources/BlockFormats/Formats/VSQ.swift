/// Per-vector scaled quantization: integers with an integer scale for each vector and an FP32
/// scale for the tensor.
///
/// Source: Dai et al., "VS-Quant: per-vector scaled quantization for accurate low-precision neural
/// network inference", MLSys 2021. The paper's coarse scale is one for each output channel; here
/// it is one for the tensor.
extension BlockFormat where Self == TwoLevelFormat {
  /// VSQ with n-bit symmetric integers.
  ///
  /// - Parameters:
  ///   - bits: bits of an element, 2...8.
  ///   - block: the vector length.
  ///   - scaleBits: bits of a vector's unsigned integer scale, 2...10.
  public static func vsq(bits: Int = 4, block: Int = 16, scaleBits: Int = 6) -> Self {
    let isDefault = bits == 4 && block == 16 && scaleBits == 6
    return TwoLevelFormat(
      id: isDefault ? "vsq" : "vsq(bits=\(bits),block=\(block),scale_bits=\(scaleBits))",
      source: "VS-Quant (MLSys 2021)", element: .integer("int\(bits)", bitCount: bits),
      block: .vector(length: block), scale: .unsignedInteger(bitCount: scaleBits))
  }
}

extension FormatFamily {
  static let vsq: [FormatFamily] = [
    FormatFamily("vsq", parameters: ["bits=4", "block=16", "scale_bits=6"]) {
      arguments throws(FormatNameError) in
      TwoLevelFormat.vsq(
        bits: try arguments.integer("bits", default: 4, in: 2...8),
        block: try arguments.block(default: 16),
        scaleBits: try arguments.integer("scale_bits", default: 6, in: 2...10))
    }
  ]
}

/// Symmetric integers with FP32 scales: per tensor, per row or per group.
///
/// The most negative integer is never produced. A group with NaN or ±∞ gets a NaN scale.
extension BlockFormat where Self == ScaledFormat {
  /// INT8 with one scale for each row along the block axis.
  public static var int8Row: Self { .integer(bits: 8, block: .row) }

  /// Symmetric n-bit integers.
  ///
  /// - Parameters:
  ///   - bits: bits of an element, 2...16.
  ///   - block: the elements that share a scale.
  public static func integer(bits: Int, block: BlockShape) -> Self {
    let shape = if case .vector(let length) = block { "1x\(length)" } else { block.id }
    let isNamed = FormatFamily.namedIntegers.contains { $0.bits == bits && $0.block == block }
    return ScaledFormat(
      id: isNamed ? "int\(bits)_\(shape)" : "int(bits=\(bits),block=\(block.id))",
      source: "symmetric integer quantization",
      element: .integer("int\(bits)", bitCount: bits), block: block)
  }
}

extension FormatFamily {
  fileprivate static let namedIntegers: [(bits: Int, block: BlockShape)] = [
    (8, .row), (8, .tensor), (8, .vector(length: 128)), (4, .row), (4, .vector(length: 128)),
    (4, .vector(length: 32)), (2, .vector(length: 32)),
  ]

  static let scaledIntegers: [FormatFamily] =
    namedIntegers.map { bits, block in
      let format = ScaledFormat.integer(bits: bits, block: block)
      return FormatFamily(format.id, role: format.id == "int8_row" ? .standard : .additional) {
        _ in format
      }
    } + [
      FormatFamily("int", parameters: ["bits", "block"], role: .parametrised) {
        arguments throws(FormatNameError) in
        ScaledFormat.integer(
          bits: try arguments.integer("bits", in: 2...16), block: try arguments.blockShape())
      }
    ]
}

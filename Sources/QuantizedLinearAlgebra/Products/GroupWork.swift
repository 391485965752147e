import BlockFormats

/// What a product has to do for each group, whatever the kernels do: what its greatest speed follows from.
package struct GroupWork: Hashable, Sendable {
  /// The arithmetic inside a group.
  package let unit: ProductUnit
  /// 32-bit words of elements in a group; 1 for FP32 numbers, whose one group never ends.
  package let wordCount: Int
  /// Words of a run, where bytes can be summed in 16 bits; `nil` elsewhere.
  package let runLength: Int?
  /// Whether scales are powers of two, whose exponents can be added.
  package let addsExponents: Bool

  /// The work of a definition.
  package init(_ definition: ProductDefinition) {
    unit = definition.unit
    let elementsPerWord = 4 / unit.elementByteCount
    wordCount =
      unit == .float32
      ? 1 : max(1, (definition.groupLength + elementsPerWord - 1) / elementsPerWord)
    runLength =
      unit == .int8
      ? ByteRuns(
        rows: definition.greatest.a, columns: definition.greatest.b, words: wordCount)?.wordCount
      : nil
    addsExponents =
      !definition.hasOffsets && definition.a.hasScalesOfPowersOfTwo
      && definition.b.hasScalesOfPowersOfTwo
  }
}

extension OperandFormat {
  /// Whether every scale of a block is a power of two, or there is none.
  fileprivate var hasScalesOfPowersOfTwo: Bool {
    guard case .quantized(let format) = self, let linear = format.layout.linear else { return true }
    return (linear.factors.scale?.element.significandBitCount ?? 1) == 1
  }
}

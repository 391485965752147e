/// How the elements of a row lie in memory for the kernels: groups of words of 32 bits, filled up
/// with zeros.
struct OperandLayout: Hashable, Sendable {
  let unit: ProductUnit
  /// Elements of a row, without the zeros.
  let depth: Int
  /// Elements of a group, without the zeros.
  let groupLength: Int
  let groupCount: Int
  /// Words of a group.
  let wordCount: Int

  init(_ definition: ProductDefinition) {
    unit = definition.unit
    depth = definition.depth
    groupLength = definition.groupLength
    groupCount = definition.groupCount
    let elementsPerWord = 4 / definition.unit.elementByteCount
    wordCount = (definition.groupLength + elementsPerWord - 1) / elementsPerWord
  }

  private init(_ bytes: OperandLayout, unit: ProductUnit, wordCount: Int) {
    (depth, groupLength, groupCount) = (bytes.depth, bytes.groupLength, bytes.groupCount)
    (self.unit, self.wordCount) = (unit, wordCount)
  }

  /// The layout of the same integers in 16 bits, where this has them in eight.
  var widened: OperandLayout {
    OperandLayout(self, unit: .int16, wordCount: 2 * wordCount)
  }

  /// The bytes of a group.
  var groupByteCount: Int { 4 * wordCount }
  /// The bytes of a row.
  var rowByteCount: Int { groupCount * groupByteCount }
  /// Whether groups follow each other without zeros in between.
  var isDense: Bool { groupLength * unit.elementByteCount == groupByteCount || groupCount <= 1 }
}

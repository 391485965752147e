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
  /// The code that stands for the integer 0 where groups have an offset; `nil` elsewhere.
  let middle: Int?
  /// Whether groups need their sums, which the other operand's offsets meet.
  let needsSums: Bool

  init(_ definition: ProductDefinition, as side: RowPacker.Side) {
    let middles = definition.middles
    (middle, needsSums) =
      switch side {
      case .rows: (middles.a, middles.b != nil)
      case .columns: (middles.b, middles.a != nil)
      }
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
    (middle, needsSums) = (bytes.middle, bytes.needsSums)
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

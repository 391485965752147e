/// How the elements of a row lie in memory for the kernels: groups of words of 32 bits, filled up
/// with zeros.
struct OperandLayout: Hashable, Sendable {
  /// Which operand of a product.
  enum Side {
    case rows
    case columns
  }

  let side: Side
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
  /// Whether the least BF16 element tells how sums are computed.
  let seeksLeastElement: Bool
  /// Whether BF16 elements are FP32 numbers, each a word, of every pair the odd one first.
  let isWide: Bool
  /// How bytes are summed in 16 bits; `nil` where they are not.
  let runs: ByteRuns?
  /// What columns hold that become numbers where they are multiplied, codes of four bits as bytes; `nil`
  /// elsewhere.
  let narrow: NarrowElements?

  /// - Parameters:
  ///   - kernels: what multiplies.
  ///   - meetsNarrow: whether columns hold narrow elements, which are multiplied without flushing.
  init(
    _ definition: ProductDefinition, as side: Side, kernels: ProductKernels,
    meetsNarrow: Bool = false
  ) {
    self.side = side
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
    isWide = false
    seeksLeastElement = definition.canFlush && (meetsNarrow || !kernels.flushesFreely)
    runs =
      unit == .int8 && kernels.prefersRuns
      ? ByteRuns(rows: definition.greatest.a, columns: definition.greatest.b, words: wordCount)
      : nil
    narrow = nil
  }

  /// Columns of narrow elements, with the groups of their own blocks where they are decoded.
  init(_ definition: ProductDefinition, keeping narrow: NarrowElements) {
    (side, unit, depth) = (.columns, narrow.unit, definition.depth)
    let blockLength = ProductDefinition.blockLength(of: definition.b, depth: depth)
    groupLength = definition.unit == .float32 ? blockLength ?? depth : definition.groupLength
    groupCount = depth == 0 ? 0 : (depth + groupLength - 1) / groupLength
    wordCount = groupLength * narrow.unit.elementByteCount / 4
    (middle, needsSums, isWide, seeksLeastElement, runs) = (nil, false, false, false, nil)
    self.narrow = narrow
  }

  private init(widening narrow: OperandLayout) {
    (depth, groupLength, groupCount) = (narrow.depth, narrow.groupLength, narrow.groupCount)
    (middle, needsSums, side) = (narrow.middle, narrow.needsSums, narrow.side)
    unit = narrow.unit == .int8 ? .int16 : narrow.unit
    isWide = unit == .bfloat16
    wordCount = 2 * narrow.wordCount
    seeksLeastElement = narrow.seeksLeastElement
    (runs, self.narrow) = (nil, nil)
  }

  /// The layout of the same 8-bit integers in 16 bits, or of BF16 numbers in 32.
  var widened: OperandLayout { OperandLayout(widening: self) }

  /// Whether groups have numbers beside their scales: values of middle codes, or offsets as they are.
  var hasMiddles: Bool { middle != nil || narrow?.hasOffsets == true }
  /// What is added to every integer, so that its byte has no sign.
  var bias: Int { side == .columns ? runs?.bias ?? 0 : 0 }
  /// The offsets that the kernels read for each group of a row.
  var offsetsPerGroup: Int {
    guard side == .rows, unit == .int8 else { return 0 }
    return runs?.count(words: wordCount) ?? 1
  }
  /// The bytes of a group.
  var groupByteCount: Int { 4 * wordCount }
  /// The same before elements become FP32 numbers.
  var narrowGroupByteCount: Int { isWide ? groupByteCount / 2 : groupByteCount }
  var narrowRowByteCount: Int { groupCount * narrowGroupByteCount }
  /// The bytes of a row.
  var rowByteCount: Int { groupCount * groupByteCount }
  /// Whether groups follow each other without zeros in between.
  var isDense: Bool {
    groupLength * unit.elementByteCount == narrowGroupByteCount || groupCount <= 1
  }
}

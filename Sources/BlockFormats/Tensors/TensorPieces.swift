import CallerChecks

/// A tensor cut into pieces of contiguous memory that hold whole blocks of some formats, so that a
/// tensor larger than memory can be encoded one piece after the other.
///
/// A piece is a range of indices of one axis, the cut axis, at fixed indices of the axes before it. The
/// cut axis is the first whose slices fit the limit, unless blocks run along an axis before it. A block
/// that is larger than the limit makes its piece as large, up to the whole tensor; so does a format with
/// an opaque number of the tensor.
package struct TensorPieces: Sendable {
  /// The tensor's shape.
  package let shape: [Int]
  /// The axis that blocks run along, counted from the front.
  package let axis: Int
  /// The elements of each piece, counted row-major over the tensor, in order.
  package let ranges: [Range<Int>]

  private let extents: [Int]
  private let cutAxis: Int
  /// The elements of one index of the cut axis.
  private let sliceCount: Int

  /// Cuts a tensor.
  ///
  /// - Parameters:
  ///   - shape: the tensor's shape.
  ///   - axis: the axis that blocks run along, negative from the end.
  ///   - formats: what will encode the pieces, and how.
  ///   - limit: the elements that a piece may have, where blocks allow it; at least 1.
  /// - Precondition: a valid shape, and an axis of it.
  package init(
    shape: [Int], axis: Int, formats: [(format: any BlockFormat, policy: EncodingPolicy)],
    limit: Int
  ) {
    require(limit >= 1, "pieces of \(limit) elements")
    let count = BlockGrid.elementCount(of: shape)
    self.shape = shape
    self.axis = BlockGrid.normalized(axis: axis, rank: shape.count)
    extents = shape.isEmpty ? [1] : shape
    guard count > limit else {
      cutAxis = 0
      sliceCount = count
      ranges = [0..<count]
      return
    }
    let (extents, blockAxis) = (extents, self.axis)
    func slice(_ axis: Int) -> Int { extents[(axis + 1)...].reduce(1, *) }
    var cutAxis = extents.indices.first { slice($0) <= limit } ?? 0
    for (format, policy) in formats {
      cutAxis = min(
        cutAxis, Self.lastCutAxis(format.layout, policy, blockAxis, extents))
    }
    self.cutAxis = cutAxis
    sliceCount = slice(cutAxis)
    // Cuts lie between blocks of all formats.
    var unit = 1
    for (format, policy) in formats {
      let length = Self.length(
        of: format.layout, policy, along: cutAxis, blockAxis, extents)
      unit = Self.commonMultiple(unit, length, limit: extents[cutAxis])
    }
    let fitting = max(1, limit / sliceCount)
    let step = min(max(unit, fitting / unit * unit), extents[cutAxis])
    var ranges: [Range<Int>] = []
    for start in stride(from: 0, to: count, by: extents[cutAxis] * sliceCount) {
      for first in stride(from: 0, to: extents[cutAxis], by: step) {
        let last = min(first + step, extents[cutAxis])
        ranges.append(start + first * sliceCount..<start + last * sliceCount)
      }
    }
    self.ranges = ranges
  }

  /// The shape of a piece as a tensor of its own.
  package func shape(of piece: Range<Int>) -> [Int] {
    ranges.count == 1 ? shape : [piece.count / sliceCount] + extents[(cutAxis + 1)...]
  }

  /// The block axis of a piece, which formats with tiles or whole tensors ignore.
  var pieceAxis: Int { max(0, axis - cutAxis) }

  /// The last axis that can be cut between blocks.
  private static func lastCutAxis(
    _ layout: BlockLayout, _ policy: EncodingPolicy, _ blockAxis: Int, _ extents: [Int]
  ) -> Int {
    // A number of the tensor takes all its values.
    guard layout.numberField == nil else { return 0 }
    return switch layout.block {
    case .vector, .row: blockAxis
    // Each index of the axes before must begin with a run.
    case .run(let length):
      extents.indices.last { extents[$0...].reduce(1, *) % length == 0 } ?? 0
    case .tile: max(0, extents.count - 2)
    // Trying scales for one block takes all its values.
    case .tensor: policy.scaleRule.needsValues ? 0 : extents.count - 1
    }
  }

  /// How many indices of an axis a block spans.
  private static func length(
    of layout: BlockLayout, _ policy: EncodingPolicy, along cutAxis: Int, _ blockAxis: Int,
    _ extents: [Int]
  ) -> Int {
    guard layout.numberField == nil else { return extents[cutAxis] }
    return switch layout.block {
    case .vector(let length): cutAxis == blockAxis ? length : 1
    case .run(let length):
      length / greatestCommonDivisor(length, extents[(cutAxis + 1)...].reduce(1, *))
    case .row: cutAxis == blockAxis ? extents[cutAxis] : 1
    case .tile(_, let columns) where extents.count == 1: columns
    case .tile(let rows, _): cutAxis == extents.count - 2 ? rows : 1
    case .tensor: policy.scaleRule.needsValues ? extents[cutAxis] : 1
    }
  }

  /// The least common multiple, or the limit if that is less.
  private static func commonMultiple(_ a: Int, _ b: Int, limit: Int) -> Int {
    let (multiple, overflows) = (a / greatestCommonDivisor(a, b))
      .multipliedReportingOverflow(by: b)
    return overflows ? limit : min(multiple, limit)
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (divisor, rest) = (a, b)
    while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
    return divisor
  }
}

/// Encodes and decodes the pieces of a tensor as the tensor itself would be, to the last bit.
package struct PieceQuantizer: Sendable {
  private let format: any BlockFormat
  private let policy: EncodingPolicy
  private let pieces: TensorPieces
  private let statistics: ValueStatistics?
  private let parallelism: Parallelism
  /// The quantizers of the shapes that pieces have: one, and another for the rest at an end.
  private var quantizers: [[Int]: any TensorQuantizing] = [:]

  /// Events counted so far.
  package private(set) var tally = EncodingTally()
  private var exactCount = 0

  /// Creates a quantizer for one pass over a tensor.
  ///
  /// - Parameters:
  ///   - format: a format that the tensor was cut for.
  ///   - policy: the policy that it was cut for.
  ///   - pieces: the tensor.
  ///   - statistics: those of the whole tensor where the format `needsStatistics`.
  ///   - parallelism: how many threads may work; never changes a result.
  package init(
    format: any BlockFormat, policy: EncodingPolicy, pieces: TensorPieces,
    statistics: ValueStatistics?, parallelism: Parallelism
  ) {
    require(
      statistics != nil || !Self.needsStatistics(format),
      "\(format.id) over a tensor without statistics")
    self.format = format
    self.policy = policy
    self.pieces = pieces
    self.statistics = statistics
    self.parallelism = parallelism
  }

  /// Whether scales depend on all values of a tensor.
  package static func needsStatistics(_ format: any BlockFormat) -> Bool {
    format.layout.needsStatistics
  }

  /// Encodes and decodes the values of a piece.
  ///
  /// - Parameters:
  ///   - values: the values of the piece, FP32.
  ///   - piece: one of the tensor's, each of which comes once.
  ///   - result: receives as many values.
  package mutating func reconstruct(
    _ values: UnsafeRawBufferPointer, of piece: Range<Int>,
    into result: UnsafeMutableRawBufferPointer
  ) {
    require(
      values.count == 4 * piece.count && result.count == values.count,
      "\(values.count) and \(result.count) bytes for a piece of \(piece.count) FP32 values")
    let shape = pieces.shape(of: piece)
    let quantizer = quantizers[shape] ?? makeQuantizer(format, shape)
    quantizers[shape] = quantizer
    var levels = quantizer.levels(of: values, as: .float32, statistics: statistics)
    levels.firstElement = piece.lowerBound
    let part = quantizer.reconstruct(
      values, into: result, as: .float32, levels, exactBlocks: .counted)
    tally += part.tally
    exactCount += part.exactBlockCount
  }

  /// Encodes the values of a piece, as a tensor of its own.
  ///
  /// - Parameters:
  ///   - values: the values of the piece, FP32.
  ///   - piece: one of the tensor's, each of which comes once.
  package mutating func encode(
    _ values: UnsafeRawBufferPointer, of piece: Range<Int>
  ) -> QuantizedTensor {
    require(
      values.count == 4 * piece.count,
      "\(values.count) bytes for a piece of \(piece.count) FP32 values")
    let shape = pieces.shape(of: piece)
    let quantizer = quantizers[shape] ?? makeQuantizer(format, shape)
    quantizers[shape] = quantizer
    var levels = quantizer.levels(of: values, as: .float32, statistics: statistics)
    levels.firstElement = piece.lowerBound
    var storage = quantizer.makeStorage()
    quantizer.encode(values, as: .float32, levels, into: &storage)
    tally += storage.tally
    return storage
  }

  /// The number of blocks of the tensor.
  package var blockCount: Int { grid.blockCount }

  /// The number of blocks in which every value decoded to itself, once all pieces have come.
  package var exactBlockCount: Int {
    // Of a block that spans the tensor, each piece is a part.
    guard grid.isWholeTensorBlock else { return exactCount }
    return grid.elementCount > 0 && exactCount == pieces.ranges.count ? 1 : 0
  }

  /// The bytes that storing the tensor takes.
  package var storedByteCount: Int {
    StorageLayout(of: format.layout, over: grid).byteCount
  }

  private var grid: BlockGrid {
    BlockGrid(shape: pieces.shape, axis: pieces.axis, layout: format.layout)
  }

  private func makeQuantizer(_ format: some BlockFormat, _ shape: [Int]) -> any TensorQuantizing {
    Quantizer(
      format: format, shape: shape, axis: pieces.pieceAxis, policy: policy,
      parallelism: parallelism)
  }
}

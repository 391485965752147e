import BlockFormats
import CommandLineToolkit
import FormatMetrics
import SystemResources

/// All candidates on one tensor, a piece of it at a time.
///
/// Pieces give the numbers of the whole, to the last bit. What is held at a time is one piece as it was
/// and one as a format gives it back: 128 MiB, or twice the FP32 bytes of the largest block where that
/// is more (a block that spans the tensor is only where scales are searched for it).
struct TensorMeasurement {
  /// One outcome for each candidate.
  private(set) var outcomes: [Comparison.Outcome] = []
  /// The first element that is not finite, counted row-major.
  private(set) var firstNonFinite: (index: Int, value: Float)?

  /// The elements of a piece, where blocks allow it: 64 MiB of FP32.
  static let pieceLimit = 1 << 24

  /// Measures the candidates.
  ///
  /// - Parameters:
  ///   - scratch: memory that is kept from tensor to tensor.
  ///   - pieceLimit: the elements of a piece.
  init(
    _ item: ComparisonInput.Item, _ comparison: Comparison, scratch: inout [Float],
    pieceLimit: Int = Self.pieceLimit
  ) throws(CommandError) {
    let (candidates, parallelism) = (comparison.candidates, comparison.parallelism)
    let pieces = TensorPieces(
      shape: item.shape, axis: comparison.axis,
      formats: candidates.map { ($0.format, $0.policy) }, limit: pieceLimit)
    let reader = try item.open()
    // Where there is one piece, it is read once for both passes.
    let only = pieces.ranges.count == 1 ? try reader.read(pieces.ranges[0]) : nil
    func values(_ piece: Range<Int>) throws(CommandError) -> [Float] {
      if let only { return only }
      return try reader.read(piece)
    }

    func statistics(_ values: [Float]) -> ValueStatistics {
      values.withUnsafeBufferPointer { ValueStatistics($0, parallelism: parallelism) }
    }

    var total: ValueStatistics?
    if candidates.contains(where: { PieceQuantizer.needsStatistics($0.format) }) {
      var sum = ValueStatistics()
      for piece in pieces.ranges { sum.merge(statistics(try values(piece))) }
      total = sum
    }

    let largest = pieces.ranges.map(\.count).max() ?? 0
    if scratch.count < largest {
      scratch = []
      let byteCount = 4 * largest
      try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
        try MemoryBudget.require(byteCount, for: "comparing formats on \(item.name)")
      }
      scratch = [Float](repeating: 0, count: largest)
    }
    var runs = candidates.map { candidate in
      (
        quantizer: PieceQuantizer(
          format: candidate.format, policy: candidate.policy, pieces: pieces,
          statistics: total, parallelism: parallelism), errors: ErrorAccumulator()
      )
    }
    for piece in pieces.ranges {
      let values = try values(piece)
      if firstNonFinite == nil, statistics(values).containsNonFinite,
        let index = values.firstIndex(where: { !$0.isFinite })
      {
        firstNonFinite = (piece.lowerBound + index, values[index])
      }
      values.withUnsafeBufferPointer { original in
        scratch.withUnsafeMutableBufferPointer { scratch in
          let decoded = UnsafeMutableBufferPointer(rebasing: scratch[..<piece.count])
          for index in runs.indices {
            runs[index].quantizer.reconstruct(
              UnsafeRawBufferPointer(original), of: piece,
              into: UnsafeMutableRawBufferPointer(decoded))
            runs[index].errors.append(
              original: original, reconstruction: UnsafeBufferPointer(decoded),
              parallelism: parallelism)
          }
        }
      }
    }
    outcomes = runs.map { quantizer, errors in
      var errors = errors.statistics
      errors.saturatedCount = quantizer.tally.saturatedCount
      errors.blockCount = quantizer.blockCount
      errors.exactBlockCount = quantizer.exactBlockCount
      return Comparison.Outcome(errors: errors, storedByteCount: quantizer.storedByteCount)
    }
  }
}

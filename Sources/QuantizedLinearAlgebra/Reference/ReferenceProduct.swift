import BlockFormats
import CallerChecks

/// Y = A · Bᵀ computed as `ProductDefinition` says, literally and slowly: the oracle of the kernels.
struct ReferenceProduct {
  let definition: ProductDefinition

  /// The fewest products worth a thread: some milliseconds of work.
  private static let productGrain = 1 << 18

  /// The sums of a product before its epilogue, row by row.
  ///
  /// - Parameters:
  ///   - a: M x K.
  ///   - b: N x K.
  ///   - accumulator: how products are summed.
  ///   - parallelism: how many threads may work; never changes a result.
  func sums(
    _ a: ReferenceOperand, _ b: ReferenceOperand, accumulator: Accumulator = .float32,
    parallelism: Parallelism = .allCores
  ) -> [Float] {
    require(
      !definition.hasOffsets || accumulator == .float32,
      "the accumulator \(accumulator.id) with offsets, which it sees decoded")
    return sums(a, b, accumulator.model, parallelism)
  }

  private func sums(
    _ a: ReferenceOperand, _ b: ReferenceOperand, _ model: some AccumulatorModel,
    _ parallelism: Parallelism
  ) -> [Float] {
    let dotBitWidth = definition.dotBitWidth
    let grain = Self.productGrain / max(definition.depth, 1)
    return parallelism.fill(count: a.rowCount * b.rowCount, grain: grain) { range, sums in
      var registers = [ExactSum()]
      a.withUnsafeElements { elementsA, scalesA in
        b.withUnsafeElements { elementsB, scalesB in
          for index in range {
            let (row, column) = index.quotientAndRemainder(dividingBy: b.rowCount)
            let operands = DotOperands(
              unit: definition.unit, groupLength: definition.groupLength,
              a: a.row(row, of: elementsA), b: b.row(column, of: elementsB),
              scalesA: a.scales(row, of: scalesA), scalesB: b.scales(column, of: scalesB),
              offsetsA: a.offsets(row), offsetsB: b.offsets(column),
              scaleExponent: definition.scaleExponent, dotBitWidth: dotBitWidth)
            sums.initializeElement(at: index, to: model.sum(operands, registers: &registers))
          }
        }
      }
    }
  }

  /// The product of the operands' tensor scales.
  func tensorScale(_ a: ReferenceOperand, _ b: ReferenceOperand) -> ScaleProduct {
    ScaleProduct(a.tensorScale, b.tensorScale)
  }
}

package import BlockFormats

/// Some rows of Y = A · Bᵀ by the reference, with any accumulator.
///
/// The operands are taken apart once, whole, since scales may cover several rows.
package struct ReferenceRows: Sendable {
  /// The operands as kernels see them.
  private let parts: Parts
  /// The operands as other accumulators see them, where that is another way.
  private let decoded: Parts?

  /// Operands as a definition sees them.
  private struct Parts {
    let left: ReferenceOperand
    let right: ReferenceOperand
    let product: ReferenceProduct

    init(
      _ a: ProductOperand, _ b: ProductOperand, rows: [Int], definition: ProductDefinition
    ) {
      left = ReferenceOperand(a, .a, definition: definition).selecting(rows)
      right = ReferenceOperand(b, .b, definition: definition)
      product = ReferenceProduct(definition: definition)
    }
  }

  /// Takes the operands apart.
  ///
  /// - Parameters:
  ///   - a: M x K, no batch.
  ///   - b: N x K, no batch.
  ///   - rows: rows of A, in any order.
  /// - Throws: `ProductError.depthMismatch` or `.unalignedBlocks`.
  package init(
    _ a: ProductOperand, transposed b: ProductOperand, rows: [Int]
  ) throws(ProductError) {
    guard let depth = a.shape.last, depth == b.shape.last else {
      throw .depthMismatch(a: a.shape, b: b.shape)
    }
    let definition = try ProductDefinition(a: a.format, b: b.format, depth: depth)
    parts = Parts(a, b, rows: rows, definition: definition)
    decoded =
      definition.hasOffsets ? Parts(a, b, rows: rows, definition: definition.decoding) : nil
  }

  /// The rows of Y in the order of the rows of A.
  ///
  /// - Parameters:
  ///   - accumulator: how products are summed.
  ///   - parallelism: how many threads may work; never changes a result.
  package func product(
    _ accumulator: Accumulator, parallelism: Parallelism = .allCores
  ) -> [Float] {
    let epilogue = ProductEpilogue()
    let parts = accumulator == .float32 ? parts : decoded ?? parts
    let (left, right) = (parts.left, parts.right)
    let scale = parts.product.tensorScale(left, right)
    return parts.product.sums(left, right, accumulator: accumulator, parallelism: parallelism)
      .map { epilogue.value($0, tensorScale: scale, column: 0, old: 0) }
  }
}

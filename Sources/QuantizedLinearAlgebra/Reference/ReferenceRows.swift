package import BlockFormats

/// Some rows of Y = A · Bᵀ by the reference, with any accumulator.
///
/// The operands are taken apart once, whole, since scales may cover several rows.
package struct ReferenceRows: Sendable {
  private let left: ReferenceOperand
  private let right: ReferenceOperand
  private let product: ReferenceProduct

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
    left = ReferenceOperand(a, .a, definition: definition).selecting(rows)
    right = ReferenceOperand(b, .b, definition: definition)
    product = ReferenceProduct(definition: definition)
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
    let scale = product.tensorScale(left, right)
    return product.sums(left, right, accumulator: accumulator, parallelism: parallelism)
      .map { epilogue.value($0, tensorScale: scale, column: 0, old: 0) }
  }
}

package import BlockFormats

/// Some rows of Y = A · Bᵀ by the reference, with any accumulator.
///
/// The operands are taken apart once, whole, since scales may cover several rows.
package struct ReferenceRows: Sendable {
  private let left: ReferenceOperand
  private let right: ReferenceOperand
  private let product: ReferenceProduct

  /// An operand: one matrix.
  package enum Operand: Sendable {
    case float32(Tensor)
    case quantized(QuantizedMatrix)
  }

  /// Takes the operands apart.
  ///
  /// - Parameters:
  ///   - a: M x K.
  ///   - b: N x K.
  ///   - rows: rows of A, in any order.
  /// - Throws: `ProductError.depthMismatch` or `.unalignedBlocks`.
  package init(
    _ a: Operand, transposed b: Operand, rows: [Int]
  ) throws(ProductError) {
    guard let depth = a.shape.last, depth == b.shape.last else {
      throw .depthMismatch(a: a.shape, b: b.shape)
    }
    let definition = try ProductDefinition(a: a.format, b: b.format, depth: depth)
    left = a.reference(.a, definition).selecting(rows)
    right = b.reference(.b, definition)
    product = ReferenceProduct(definition: definition)
  }

  /// The rows of Y, one after the other.
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

extension ReferenceRows.Operand {
  fileprivate var shape: [Int] {
    switch self {
    case .float32(let tensor): tensor.shape
    case .quantized(let matrix): matrix.shape
    }
  }

  fileprivate var format: OperandFormat {
    switch self {
    case .float32: .float32
    case .quantized(let matrix): .quantized(matrix.format)
    }
  }

  fileprivate func reference(
    _ side: ReferenceOperand.Side, _ definition: ProductDefinition
  ) -> ReferenceOperand {
    switch self {
    case .float32(let tensor):
      ReferenceOperand(
        tensor.elements[...], rowCount: tensor.shape[0], depth: definition.depth)
    case .quantized(let matrix): ReferenceOperand(matrix, side, definition: definition)
    }
  }
}

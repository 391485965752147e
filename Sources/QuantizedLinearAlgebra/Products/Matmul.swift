public import BlockFormats
import CallerChecks

/// Y = A · Bᵀ of two quantized operands, as `ProductDefinition` says.
///
/// The last axes are contracted; leading axes are batches of equal size, or absent on one side.
///
/// - Parameters:
///   - a: M x K, or a batch of such.
///   - b: N x K, or a batch of such.
///   - epilogue: what happens to the sums; `beta` must be 0, since there is no old result.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError` where shapes or blocks do not fit.
public func matmul(
  _ a: QuantizedMatrix, transposed b: QuantizedMatrix, epilogue: ProductEpilogue = .init(),
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  try matmul(
    a, transposed: b, epilogue: epilogue, level: .best, parallelism: parallelism)
}

/// Y = A · Bᵀ of FP32 numbers and a quantized operand, which is decoded: a weight-only product.
///
/// - Parameters:
///   - a: M x K.
///   - b: N x K, or a batch of such.
///   - epilogue: what happens to the sums; `beta` must be 0, since there is no old result.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError` where shapes do not fit.
public func matmul(
  _ a: Tensor, transposed b: QuantizedMatrix, epilogue: ProductEpilogue = .init(),
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  let prepared = try PreparedMatrix(b, for: .float32, parallelism: parallelism)
  return try prepared.product(a, b.shape, epilogue: epilogue, parallelism: parallelism)
}

/// Y = A · Bᵀ in FP32: one fused multiply-add for each product, in order of the contracted axis.
///
/// - Parameters:
///   - a: M x K.
///   - b: N x K, or a batch of such.
///   - epilogue: what happens to the sums; `beta` must be 0, since there is no old result.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError` where shapes do not fit.
public func matmul(
  _ a: Tensor, transposed b: Tensor, epilogue: ProductEpilogue = .init(),
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  let prepared = try PreparedMatrix(b, parallelism: parallelism)
  return try prepared.product(a, b.shape, epilogue: epilogue, parallelism: parallelism)
}

/// `matmul` by the kernels of a level, for tests.
package func matmul(
  _ a: QuantizedMatrix, transposed b: QuantizedMatrix, epilogue: ProductEpilogue = .init(),
  level: KernelLevel, parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  let shape = try ProductShape.of(a.shape, b.shape)
  requireNoOldResult(epilogue)
  let prepared = try PreparedMatrix(
    b, for: .quantized(a.format), level: level, parallelism: parallelism)
  return Tensor.uninitialized(shape: shape) { result in
    prepared.multiply(
      a, into: result, epilogue: epilogue, parallelism: parallelism, workspace: nil)
  }
}

/// A new result has no old contents to multiply.
private func requireNoOldResult(_ epilogue: ProductEpilogue) {
  require(epilogue.beta == 0, "beta \(epilogue.beta) for a new result, which has no old contents")
}

extension PreparedMatrix {
  /// The product with FP32 numbers.
  func product(
    _ a: Tensor, _ b: [Int], epilogue: ProductEpilogue, parallelism: Parallelism
  ) throws(ProductError) -> Tensor {
    let shape = try ProductShape.of(a.shape, b)
    requireNoOldResult(epilogue)
    let rows = a.shape[a.shape.count - 2]
    let batchA = a.shape.dropLast(2).reduce(1, *)
    let count = shape.dropLast(2).reduce(1, *)
    let workspace = ProductWorkspace()
    return Tensor.uninitialized(shape: shape) { result in
      a.elements.withUnsafeBytes { bytes in
        // Rows of no numbers are never read.
        let base = bytes.baseAddress ?? UnsafeRawPointer(workspace.ranges.base)
        for index in 0..<count {
          let matrix = batchA == 1 ? 0 : index
          multiply(
            MatrixRows(base + 4 * matrix * rows * depth, rowCount: rows, columnCount: depth),
            index: batchCount == 1 ? 0 : index,
            into: result.band(index * rows..<(index + 1) * rows), epilogue: epilogue,
            parallelism: parallelism, workspace: workspace)
        }
      }
    }
  }
}

extension Tensor {
  /// A tensor whose every element `body` sets, as rows of its last axis.
  static func uninitialized(shape: [Int], _ body: (MutableMatrixRows) -> Void) -> Tensor {
    let count = shape.reduce(1, *)
    let columns = shape.last ?? 1
    let elements = [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      if let base = buffer.baseAddress, count > 0 {
        body(
          MutableMatrixRows(base, rowCount: count / max(columns, 1), columnCount: columns))
      }
      initializedCount = count
    }
    return Tensor(elements, shape: shape)
  }
}

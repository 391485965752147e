public import BlockFormats
import CallerChecks

extension PreparedMatrix {
  /// Y = A · Bᵀ as a new tensor.
  ///
  /// Where this matrix was prepared for quantized left operands, A is quantized on the way: the
  /// result is that of `matmul(QuantizedMatrix(a, ...), ...)`. A batch meets a batch of the same
  /// extents, or one matrix on either side.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such.
  ///   - policy: the choices to quantize A by; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - epilogue: what happens to the sums; `beta` must be 0, since there is no old result.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Returns: M x N, or a batch of such.
  /// - Throws: `ProductError.notAMatrix`, `.depthMismatch` or `.batchMismatch`.
  /// - Precondition: a bias is empty or has N numbers.
  public func product(
    _ a: Tensor, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
    epilogue: ProductEpilogue = .init(), parallelism: Parallelism = .allCores,
    workspace: ProductWorkspace? = nil
  ) throws(ProductError) -> Tensor {
    let shape = try ProductShape.of(a.shape, self.shape)
    epilogue.requireNoOldResult()
    return Tensor.uninitialized(shape: shape) {
      multiply(
        a, policy: policy, tensorScale: tensorScale, into: $0, epilogue: epilogue,
        parallelism: parallelism, workspace: workspace)
    }
  }

  /// Y = A · Bᵀ of a quantized left operand as a new tensor.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such, in the format that this matrix was prepared for.
  ///   - epilogue: what happens to the sums; `beta` must be 0, since there is no old result.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Returns: M x N, or a batch of such.
  /// - Throws: `ProductError.notAMatrix`, `.depthMismatch` or `.batchMismatch`.
  /// - Precondition: `a` has the format of the preparation, and a bias is empty or has N numbers.
  public func product(
    _ a: QuantizedMatrix, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) throws(ProductError) -> Tensor {
    let shape = try ProductShape.of(a.shape, self.shape)
    epilogue.requireNoOldResult()
    return Tensor.uninitialized(shape: shape) {
      multiply(
        a, into: $0, epilogue: epilogue, parallelism: parallelism, workspace: workspace)
    }
  }

  /// Y = A · Bᵀ in the memory of a tensor; see `product(_:policy:tensorScale:)`.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such.
  ///   - policy: the choices to quantize A by; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - result: M x N, or a batch of such; its old numbers are read only for a `beta` other than 0.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`. With one, calls of the same shape allocate no
  ///     buffer or table after the first.
  /// - Precondition: shapes fit, and a bias is empty or has N numbers.
  public func multiply(
    _ a: Tensor, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
    into result: inout Tensor, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) {
    withRows(of: &result, a.shape) {
      multiply(
        a, policy: policy, tensorScale: tensorScale, into: $0, epilogue: epilogue,
        parallelism: parallelism, workspace: workspace)
    }
  }

  /// Y = A · Bᵀ of a quantized left operand in the memory of a tensor.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such, in the format that this matrix was prepared for.
  ///   - result: M x N, or a batch of such; its old numbers are read only for a `beta` other than 0.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Precondition: shapes and formats fit, and a bias is empty or has N numbers.
  public func multiply(
    _ a: QuantizedMatrix, into result: inout Tensor, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) {
    withRows(of: &result, a.shape) {
      multiply(a, into: $0, epilogue: epilogue, parallelism: parallelism, workspace: workspace)
    }
  }

  /// Lends the rows of a result, whose shape is checked.
  private func withRows(
    of result: inout Tensor, _ left: [Int], _ body: (MutableMatrixRows) -> Void
  ) {
    let expected: [Int]
    do throws(ProductError) {
      expected = try ProductShape.of(left, shape)
    } catch {
      refuse(error.description)
    }
    require(
      result.shape == expected, "a result of shape \(result.shape) for a product of \(expected)")
    let rows = MatrixLayout(
      rowCount: expected.dropLast().reduce(1, *), columnCount: columnCount)
    MutableMatrixRows.with(&result.elements, rows, body)
  }

  /// Multiplies all matrices of a left operand, whose shape fits.
  private func multiply(
    _ a: Tensor, policy: EncodingPolicy?, tensorScale: Float?, into result: MutableMatrixRows,
    epilogue: ProductEpilogue, parallelism: Parallelism, workspace: ProductWorkspace?
  ) {
    let isBatch = a.shape.dropLast(2).contains { $0 != 1 }
    if isBatch, case .quantized(let format) = definition.a {
      // Scales of the tensor and random bits are those of the whole batch.
      multiply(
        QuantizedMatrix(
          a, format: format, policy: policy, tensorScale: tensorScale, parallelism: parallelism),
        into: result, epilogue: epilogue, parallelism: parallelism, workspace: workspace)
      return
    }
    let workspace = workspace ?? ProductWorkspace()
    let rowCount = a.shape[a.shape.count - 2]
    let left = MatrixLayout(rowCount: a.shape.dropLast().reduce(1, *), columnCount: depth)
    MatrixRows.with(a.elements, left) { left in
      for index in 0..<(isBatch ? left.rowCount / max(rowCount, 1) : batchCount) {
        let first = isBatch ? index * rowCount : 0
        multiply(
          left.band(first..<first + rowCount), policy: policy, tensorScale: tensorScale,
          index: batchCount == 1 ? 0 : index,
          into: result.band(index * rowCount..<(index + 1) * rowCount), epilogue: epilogue,
          parallelism: parallelism, workspace: workspace)
      }
    }
  }
}

extension ProductEpilogue {
  /// A new result has no old contents to multiply.
  func requireNoOldResult() {
    require(beta == 0, "beta \(beta) for a new result, which has no old contents")
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

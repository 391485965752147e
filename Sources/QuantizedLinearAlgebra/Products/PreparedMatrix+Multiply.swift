package import BlockFormats
import CallerChecks

/// Products of matrices at addresses, which all others come down to.
extension PreparedMatrix {
  /// Y = A · Bᵀ for a quantized left operand.
  ///
  /// A batch meets a batch of as many matrices, or one matrix on either side.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such, in the format that this matrix was prepared for.
  ///   - result: receives the rows of all matrices, M x N each; must not overlap an operand.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Precondition: shapes fit.
  package func multiply(
    _ a: QuantizedMatrix, into result: MutableMatrixRows, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) {
    requireFormat(a.format.id, a.format.layout)
    requireDepth(a.columnCount, shape: a.shape)
    let batch = productBatch(a.batchCount, shape: a.shape)
    requireResult(result, rowCount: batch * a.rowCount, epilogue)
    let workspace = workspace ?? ProductWorkspace()
    for index in 0..<batch {
      let run = ProductRun(
        .quantized(a, index: a.batchCount == 1 ? 0 : index), self,
        index: batchCount == 1 ? 0 : index, epilogue: epilogue, parallelism: parallelism,
        workspace: workspace)
      run.multiply(into: result.band(index * a.rowCount..<(index + 1) * a.rowCount))
    }
  }

  /// Y = A · Bᵀ for floating-point rows, which are quantized on the way where this matrix was
  /// prepared for quantized left operands.
  ///
  /// - Parameters:
  ///   - a: M x K.
  ///   - policy: the choices to quantize by; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - index: which matrix of the batch.
  ///   - result: receives M x N numbers; must not overlap an operand.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Precondition: shapes fit.
  package func multiply(
    _ a: MatrixRows, policy: EncodingPolicy? = nil, tensorScale: Float? = nil, index: Int = 0,
    into result: MutableMatrixRows, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) {
    requireDepth(a.columnCount, shape: [a.rowCount, a.columnCount])
    require(
      (0..<batchCount).contains(index), "matrix \(index) of a batch of \(batchCount)")
    requireResult(result, rowCount: a.rowCount, epilogue)
    let left: LeftOperand =
      switch definition.a {
      case .float32: .floats(a)
      case .quantized(let format):
        .quantizing(a, format, policy ?? format.defaultPolicy, tensorScale: tensorScale)
      }
    let run = ProductRun(
      left, self, index: index, epilogue: epilogue, parallelism: parallelism,
      workspace: workspace ?? ProductWorkspace())
    run.multiply(into: result)
  }

  // MARK: - Checks

  private func requireFormat(_ id: String, _ layout: BlockLayout) {
    guard case .quantized(let format) = definition.a else {
      refuse("a left operand of \(id) where the right one was prepared for fp32")
    }
    require(
      format.layout == layout,
      "a left operand of \(id) where the right one was prepared for \(format.id)")
  }

  private func requireDepth(_ columns: Int, shape: [Int]) {
    require(
      columns == depth,
      "a left operand of shape \(shape) where the right one has rows of \(depth) numbers")
  }

  /// The matrices of the product.
  private func productBatch(_ count: Int, shape: [Int]) -> Int {
    require(
      count == batchCount || count == 1 || batchCount == 1,
      "a left operand of shape \(shape), \(count) matrices, with a batch of \(batchCount)")
    return count == 1 ? batchCount : count
  }

  private func requireResult(
    _ result: MutableMatrixRows, rowCount: Int, _ epilogue: ProductEpilogue
  ) {
    require(
      result.rowCount == rowCount && result.columnCount == columnCount,
      """
      a result of \(result.rowCount) x \(result.columnCount) for a product of \(rowCount) x \
      \(columnCount)
      """)
    require(
      epilogue.bias.isEmpty || epilogue.bias.count == columnCount,
      "a bias of \(epilogue.bias.count) numbers for a product of \(columnCount) columns")
  }
}

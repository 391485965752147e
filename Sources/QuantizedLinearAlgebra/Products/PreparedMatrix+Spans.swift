public import BlockFormats
import CallerChecks

extension PreparedMatrix {
  /// Y = A · Bᵀ in the caller's memory, both row by row.
  ///
  /// Where this matrix was prepared for quantized left operands, A is quantized on the way: the
  /// result is that of `matmul(QuantizedMatrix(a, ...), ...)`, and codes are never stored.
  ///
  /// - Parameters:
  ///   - a: M x K; its count gives M.
  ///   - policy: the choices to quantize A by; the format's defaults if `nil`.
  ///   - tensorScale: as for `Tensor.quantized`.
  ///   - index: which matrix of the batch.
  ///   - result: receives M x N numbers; the old ones are read only for a `beta` other than 0.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`. With one, calls of the same shape allocate no
  ///     buffer or table after the first.
  /// - Precondition: the counts are those of the same whole number of rows, and a bias is empty or
  ///   has N numbers.
  public func multiply(
    _ a: Span<Float>, policy: EncodingPolicy? = nil, tensorScale: Float? = nil, index: Int = 0,
    into result: inout MutableSpan<Float>, epilogue: ProductEpilogue = .init(),
    parallelism: Parallelism = .allCores, workspace: ProductWorkspace? = nil
  ) {
    let rowCount = depth > 0 ? a.count / depth : result.count / max(columnCount, 1)
    require(
      a.count == rowCount * depth && result.count == rowCount * columnCount,
      """
      a left operand of \(a.count) numbers and a result of \(result.count) for a matrix of \
      \(columnCount) x \(depth)
      """)
    var bytes = result.mutableBytes
    multiply(
      a.bytes, as: MatrixLayout(rowCount: rowCount, columnCount: depth), policy: policy,
      tensorScale: tensorScale, index: index, into: &bytes,
      as: MatrixLayout(rowCount: rowCount, columnCount: columnCount), epilogue: epilogue,
      parallelism: parallelism, workspace: workspace)
  }

  /// Y = A · Bᵀ in the caller's memory, for numbers of any type, with gaps between rows where the
  /// layouts have some; see the function that takes spans of numbers.
  ///
  /// - Precondition: the layouts are M x K and M x N, and the spans hold their bytes.
  public func multiply(
    _ a: RawSpan, as left: MatrixLayout, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
    index: Int = 0, into result: inout MutableRawSpan, as rows: MatrixLayout,
    epilogue: ProductEpilogue = .init(), parallelism: Parallelism = .allCores,
    workspace: ProductWorkspace? = nil
  ) {
    MutableMatrixRows.with(&result, rows) { result in
      MatrixRows.with(a, left) { a in
        multiply(
          a, policy: policy, tensorScale: tensorScale, index: index, into: result,
          epilogue: epilogue, parallelism: parallelism, workspace: workspace)
      }
    }
  }

  /// Y = A · Bᵀ of a quantized left operand in the caller's memory.
  ///
  /// - Parameters:
  ///   - a: M x K, or a batch of such, in the format that this matrix was prepared for.
  ///   - result: receives the rows of all matrices, M x N each.
  ///   - rows: how all these rows lie in `result`.
  ///   - epilogue: what happens to the sums.
  ///   - parallelism: how many threads may work; never changes a result.
  ///   - workspace: memory to use again; new if `nil`.
  /// - Precondition: shapes and formats fit, and the span holds the bytes of its layout.
  public func multiply(
    _ a: QuantizedMatrix, into result: inout MutableRawSpan, as rows: MatrixLayout,
    epilogue: ProductEpilogue = .init(), parallelism: Parallelism = .allCores,
    workspace: ProductWorkspace? = nil
  ) {
    MutableMatrixRows.with(&result, rows) { result in
      multiply(
        a, into: result, epilogue: epilogue, parallelism: parallelism, workspace: workspace)
    }
  }
}

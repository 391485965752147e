public import BlockFormats
import CallerChecks

extension PreparedMatrix {
  /// Prepares matrices of one shape in turn, in the same memory: a weight that is trained.
  ///
  /// ```swift
  /// let weight = try PreparedMatrix.Builder(
  ///   rowCount: n, depth: k, as: .quantized(.mxfp4), for: .quantized(.mxfp8E4M3))
  /// weight.update(w)
  /// weight.matrix.multiply(x, into: &y)
  /// ```
  public final class Builder {
    /// The matrix as the last `update` left it: zeros before the first.
    ///
    /// It is a value: one that is kept stays as it is, and the next update takes new memory.
    public private(set) var matrix: PreparedMatrix
    private var bands: BandQuantizer?

    /// Makes room for a matrix.
    ///
    /// - Parameters:
    ///   - rowCount: the rows N of B.
    ///   - depth: the numbers K of a row.
    ///   - b: what B is multiplied as.
    ///   - a: the format of the left operands to come.
    /// - Throws: `ProductError.unalignedBlocks`, and `.badExtent` for a negative extent.
    public init(
      rowCount: Int, depth: Int, as b: OperandFormat, for a: OperandFormat
    ) throws(ProductError) {
      guard rowCount >= 0 else { throw .badExtent(name: "row count", value: rowCount) }
      matrix = try PreparedMatrix(
        ProductDefinition(a: a, b: b, depth: depth), shape: [rowCount, depth], level: .best)
    }

    /// Replaces the matrix by other numbers.
    ///
    /// Where B is quantized, numbers are quantized on the way; the result is that of a matrix
    /// prepared from `QuantizedMatrix` with the same policy.
    ///
    /// - Parameters:
    ///   - values: N x K.
    ///   - policy: the choices to quantize by; the format's defaults if `nil`.
    ///   - tensorScale: as for `Tensor.quantized`.
    ///   - parallelism: how many threads may work; never changes a result.
    /// - Precondition: the shape is that of the matrix.
    public func update(
      _ values: Tensor, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
      parallelism: Parallelism = .allCores
    ) {
      require(
        values.shape == matrix.shape,
        "numbers of shape \(values.shape) for a matrix of shape \(matrix.shape)")
      MatrixRows.with(values.elements, layout(.float32)) {
        update($0, policy: policy, tensorScale: tensorScale, parallelism: parallelism)
      }
    }

    /// Replaces the matrix by other numbers, row by row; see the function that takes a tensor.
    ///
    /// - Precondition: N · K numbers.
    public func update(
      _ values: Span<Float>, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
      parallelism: Parallelism = .allCores
    ) {
      require(
        values.count == matrix.columnCount * matrix.depth,
        "\(values.count) numbers for a matrix of shape \(matrix.shape)")
      MatrixRows.with(values.bytes, layout(.float32)) {
        update($0, policy: policy, tensorScale: tensorScale, parallelism: parallelism)
      }
    }

    /// Replaces the matrix by numbers of any type, with gaps between rows where the layout has some;
    /// see the function that takes a tensor.
    ///
    /// - Precondition: the layout has N rows of K numbers, and `values` holds its bytes.
    public func update(
      _ values: RawSpan, as layout: MatrixLayout, policy: EncodingPolicy? = nil,
      tensorScale: Float? = nil, parallelism: Parallelism = .allCores
    ) {
      MatrixRows.with(values, layout) {
        update($0, policy: policy, tensorScale: tensorScale, parallelism: parallelism)
      }
    }

    /// Replaces the matrix by numbers at an address.
    package func update(
      _ values: MatrixRows, policy: EncodingPolicy? = nil, tensorScale: Float? = nil,
      parallelism: Parallelism = .allCores
    ) {
      require(
        values.rowCount == matrix.columnCount && values.columnCount == matrix.depth,
        "\(values.rowCount) x \(values.columnCount) numbers for a matrix of shape \(matrix.shape)")
      switch matrix.definition.b {
      case .float32: matrix.replace(values, parallelism: parallelism)
      case .quantized(let format):
        let bands = bands(format, policy ?? format.defaultPolicy)
        matrix.replace(values, format, bands, tensorScale: tensorScale, parallelism: parallelism)
      }
    }

    private func layout(_ type: ScalarType) -> MatrixLayout {
      MatrixLayout(type, rowCount: matrix.columnCount, columnCount: matrix.depth)
    }

    private func bands(_ format: some BlockFormat, _ policy: EncodingPolicy) -> BandQuantizer {
      if let bands, bands.fits(format, policy: policy, shape: matrix.shape) { return bands }
      let made = BandQuantizer(
        format, policy: policy, shape: matrix.shape, level: matrix.kernelLevel,
        unit: ProductKernels.panelColumns)
      bands = made
      return made
    }
  }
}

import CallerChecks

/// A dense FP32 tensor in row-major order.
public struct Tensor: Hashable, Sendable {
  /// The extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The elements; the last axis varies fastest.
  public package(set) var elements: [Float]

  /// Creates a tensor.
  ///
  /// - Precondition: `shape` is valid and `elements` holds its product.
  public init(_ elements: [Float], shape: [Int]) {
    let count = BlockGrid.elementCount(of: shape)
    require(
      elements.count == count, "\(elements.count) elements for a tensor of shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// Creates a vector.
  public init(_ elements: [Float]) {
    self.init(elements, shape: [elements.count])
  }

  /// A tensor whose every element `body` initializes.
  init(shape: [Int], _ body: (UnsafeMutableRawBufferPointer) -> Void) {
    let count = BlockGrid.elementCount(of: shape)
    let elements = [Float](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      body(UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])))
      initializedCount = count
    }
    self.init(elements, shape: shape)
  }

  /// The element at a row-major index.
  ///
  /// - Precondition: the index is below the number of elements.
  public subscript(index: Int) -> Float {
    get { elements[checked(index)] }
    set { elements[checked(index)] = newValue }
  }

  private func checked(_ index: Int) -> Int {
    require(
      elements.indices.contains(index), "element \(index) of \(elements.count), shape \(shape)")
    return index
  }

  /// Runs `body` with the elements, to write in place.
  public mutating func withMutableSpan<Result>(
    _ body: (inout MutableSpan<Float>) throws -> Result
  ) rethrows -> Result {
    var span = elements.mutableSpan
    return try body(&span)
  }

  /// Whether a shape has no negative extent, and a product of its extents other than zero of at
  /// most 2^48, so that no stride, bit count or byte count overflows.
  public static func isValid(shape: [Int]) -> Bool { BlockGrid.isValid(shape: shape) }
}

extension Tensor {
  /// Encodes the tensor.
  ///
  /// The bytes depend only on the arguments shown and not on `parallelism`.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - axis: the axis that blocks run along, negative from the end. Formats with 2-D or
  ///     whole-tensor blocks ignore it. For a GEMM operand this is the contraction axis.
  ///   - policy: the choices to follow; the format's defaults if `nil`.
  ///   - tensorScale: the decode multiplier of the tensor, for formats with a tensor scale or with
  ///     one FP32 scale for the whole tensor; computed from the values if `nil`. Ignored by other
  ///     formats.
  ///   - parallelism: how many threads may work.
  /// - Precondition: `axis` is an axis of the tensor, the policy's scale rule is one of
  ///   `format.scaleRules`, and `tensorScale` is finite and at least 2^-128.
  public func quantized(
    to format: some BlockFormat, axis: Int = -1, policy: EncodingPolicy? = nil,
    tensorScale: Float? = nil, parallelism: Parallelism = .allCores
  ) -> QuantizedTensor {
    let quantizer = Quantizer(
      format: format, shape: shape, axis: axis, policy: policy, parallelism: parallelism)
    var storage = quantizer.makeStorage()
    elements.withUnsafeBytes {
      quantizer.encode($0, as: .float32, tensorScale: tensorScale, into: &storage)
    }
    return storage
  }

  /// Encodes and decodes the tensor without storing codes ("fake quantization").
  ///
  /// - Returns: the values that `quantized(...).dequantized()` gives, and what happened on the way.
  public func fakeQuantized(
    to format: some BlockFormat, axis: Int = -1, policy: EncodingPolicy? = nil,
    tensorScale: Float? = nil, parallelism: Parallelism = .allCores
  ) -> FakeQuantization {
    let quantizer = Quantizer(
      format: format, shape: shape, axis: axis, policy: policy, parallelism: parallelism)
    var reconstruction = Reconstruction()
    let decoded = Tensor(shape: shape) { result in
      elements.withUnsafeBytes {
        reconstruction = quantizer.reconstruct(
          $0, into: result, as: .float32, tensorScale: tensorScale, exactBlocks: .counted)
      }
    }
    return FakeQuantization(
      tensor: decoded, tally: reconstruction.tally, blockCount: quantizer.grid.blockCount,
      exactBlockCount: reconstruction.exactBlockCount,
      storedByteCount: StorageLayout(of: format.layout, over: quantizer.grid).byteCount)
  }
}

extension Array<Float> {
  /// Encodes the values as a vector; see `Tensor.quantized(to:axis:policy:tensorScale:parallelism:)`.
  public func quantized(
    to format: some BlockFormat, policy: EncodingPolicy? = nil
  ) -> QuantizedTensor {
    Tensor(self).quantized(to: format, policy: policy)
  }
}

/// A tensor encoded and decoded again.
public struct FakeQuantization: Sendable {
  /// The decoded values.
  public var tensor: Tensor
  /// Events counted while encoding.
  public var tally: EncodingTally
  /// The number of blocks.
  public var blockCount: Int
  /// The number of blocks in which every value decodes to itself (NaN to NaN).
  public var exactBlockCount: Int
  /// The bytes that storing the tensor takes.
  public var storedByteCount: Int
}

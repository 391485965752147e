import CallerChecks

/// A format laid over tensors of one shape: encodes, decodes and fake-quantizes the caller's own
/// buffers.
///
/// `Tensor.quantized` and its relatives make one and throw it away. Keep one where tensors of the
/// same shape come again and again, where values are FP16 or BF16, or where results belong in
/// memory that exists already:
///
/// ```swift
/// let quantizer = TensorQuantizer(format: SharedExponentFormat.mxfp4, shape: [rows, columns])
/// var weights = quantizer.makeStorage()
/// quantizer.encode(source, as: .bfloat16, into: &weights)  // a RawSpan
/// quantizer.decode(weights, into: &target)                 // a MutableSpan of Float
/// ```
public struct TensorQuantizer: Sendable {
  /// The block format.
  public let format: any BlockFormat
  /// The choices to follow.
  public let policy: EncodingPolicy
  /// The shape of the tensors.
  public let shape: [Int]
  /// The axis that blocks run along.
  public let axis: Int
  /// How many threads may work.
  public let parallelism: Parallelism
  let quantizer: any TensorQuantizing

  /// Creates a quantizer.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the shape of the tensors.
  ///   - axis: the axis that blocks run along, negative from the end. Formats with 2-D or
  ///     whole-tensor blocks ignore it.
  ///   - policy: the choices to follow; the format's defaults if `nil`.
  ///   - parallelism: how many threads may work; never changes a result.
  /// - Precondition: `axis` is an axis of the shape, and the policy's scale rule is one of
  ///   `format.scaleRules`.
  public init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    parallelism: Parallelism = .allCores
  ) {
    self.init(
      format: format, shape: shape, axis: axis, policy: policy, parallelism: parallelism,
      kernels: .best)
  }

  /// Creates a quantizer that runs a chosen implementation, for tests and measurements.
  package init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    parallelism: Parallelism = .allCores, kernels: KernelSelection
  ) {
    let quantizer = Quantizer(
      format: format, shape: shape, axis: axis, policy: policy, parallelism: parallelism,
      kernels: kernels)
    self.format = format
    self.policy = quantizer.policy
    self.shape = shape
    self.axis = quantizer.axis
    self.parallelism = parallelism
    self.quantizer = quantizer
  }

  /// The instructions whose kernels run; `nil` where the format or the policy has no vector form,
  /// so that the reference runs.
  public var kernelLevel: KernelLevel? { quantizer.plan?.kernels.level }

  /// The number of elements of a tensor.
  public var elementCount: Int { BlockGrid.elementCount(of: shape) }

  /// A tensor of zero codes to encode into.
  public func makeStorage() -> QuantizedTensor { quantizer.makeStorage() }

  /// Encodes a row-major tensor into storage made by `makeStorage`, whose memory is used again.
  ///
  /// - Parameters:
  ///   - values: `elementCount` values.
  ///   - type: their number type.
  ///   - tensorScale: the decode multiplier of the tensor, for formats with a tensor scale or with
  ///     one FP32 scale for the whole tensor; computed from the values if `nil`. Ignored by other
  ///     formats.
  ///   - storage: receives codes, scales, tensor scale and tally.
  /// - Precondition: `values` holds exactly `elementCount` values, `storage` has the quantizer's
  ///   format, shape and axis, and `tensorScale` is finite and at least 2^-128.
  package func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType = .float32, tensorScale: Float? = nil,
    into storage: inout QuantizedTensor
  ) {
    requireSize(values, type)
    requireMatch(storage)
    quantizer.encode(values, as: type, tensorScale: tensorScale, into: &storage)
  }

  /// Decodes a tensor into row-major values.
  ///
  /// - Parameters:
  ///   - storage: a tensor of the quantizer's format, shape and axis.
  ///   - values: receives `elementCount` values.
  ///   - type: their number type.
  package func decode(
    _ storage: QuantizedTensor, into values: UnsafeMutableRawBufferPointer,
    as type: ScalarType = .float32
  ) {
    requireSize(UnsafeRawBufferPointer(values), type)
    requireMatch(storage)
    quantizer.decode(storage, into: values, as: type)
  }

  /// Encodes and decodes values without storing codes ("fake quantization").
  ///
  /// - Parameters:
  ///   - values: `elementCount` values.
  ///   - result: receives as many; may be the memory of `values` itself, but must not overlap it
  ///     otherwise.
  ///   - type: the number type of both.
  ///   - tensorScale: as for `encode`.
  /// - Returns: events counted while encoding.
  @discardableResult
  package func fakeQuantize(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType = .float32, tensorScale: Float? = nil
  ) -> EncodingTally {
    requireSize(values, type)
    requireSize(UnsafeRawBufferPointer(result), type)
    requireNoPartialOverlap(values, UnsafeRawBufferPointer(result))
    return quantizer.reconstruct(
      values, into: result, as: type, tensorScale: tensorScale, exactBlocks: .ignored
    ).tally
  }

  private func requireSize(_ buffer: UnsafeRawBufferPointer, _ type: ScalarType) {
    require(
      buffer.count == elementCount * type.byteCount,
      """
      \(buffer.count) bytes for a tensor of shape \(shape), which takes \(elementCount) \
      \(type.id) values of \(type.byteCount) bytes
      """)
  }

  private func requireNoPartialOverlap(
    _ values: UnsafeRawBufferPointer, _ result: UnsafeRawBufferPointer
  ) {
    guard let first = values.baseAddress, let second = result.baseAddress, first != second else {
      return
    }
    let distance = abs(first - second)
    require(
      distance >= values.count,
      "values and result of \(values.count) bytes overlap at a distance of \(distance)")
  }

  private func requireMatch(_ storage: QuantizedTensor) {
    require(
      storage.format.isSame(as: format) && storage.shape == shape && storage.axis == axis,
      """
      a tensor of \(storage.format.id), shape \(storage.shape), axis \(storage.axis) where the \
      quantizer is for \(format.id), shape \(shape), axis \(axis)\
      \(storage.format.id == format.id && storage.format.layout != format.layout
        ? ", and two formats of this id store different things" : "")
      """)
  }
}

/// A quantizer whose format is not known to the compiler.
protocol TensorQuantizing: Sendable {
  var plan: KernelPlan? { get }
  func makeStorage() -> QuantizedTensor
  func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale given: Float?,
    into storage: inout QuantizedTensor)
  func tensorLevels(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, tensorScale given: Float?
  ) -> TensorLevels
  func levels(
    of values: UnsafeRawBufferPointer, as type: ScalarType, statistics: ValueStatistics?
  ) -> TensorLevels
  func encode(
    _ values: UnsafeRawBufferPointer, as type: ScalarType, _ levels: TensorLevels,
    into storage: inout QuantizedTensor)
  func reconstruct(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType, _ levels: TensorLevels, exactBlocks: ExactBlockCounting
  ) -> Reconstruction
  func reconstruct(
    _ values: UnsafeRawBufferPointer, into result: UnsafeMutableRawBufferPointer,
    as type: ScalarType, tensorScale given: Float?, exactBlocks: ExactBlockCounting
  ) -> Reconstruction
  func decode(
    _ tensor: QuantizedTensor, into result: UnsafeMutableRawBufferPointer, as type: ScalarType)
}

extension Quantizer: TensorQuantizing {}

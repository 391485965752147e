public import BlockFormats
import CallerChecks

/// Y = A · Bᵀ of two quantized operands by the reference, with any accumulator.
///
/// It is written to be read and to be right, not to be fast: some 10^8 products a second on a core.
/// With `Accumulator.float32` the result is the one of every kernel, bit for bit.
///
/// The last axes are contracted; leading axes are batches of equal extents, or one matrix on one
/// side. With K = 0 all sums are +0.
///
/// - Parameters:
///   - a: M x K, or a batch of such.
///   - b: N x K, or a batch of such.
///   - accumulator: how products are summed.
///   - epilogue: what happens to the sums.
///   - old: the old contents of the result, for an epilogue with a `beta` other than 0.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError.depthMismatch`, `.batchMismatch` or `.unalignedBlocks`.
/// - Precondition: the bias is empty or has N numbers, and `old` has the shape of the result if
///   `beta` is not 0.
public func referenceMatmul(
  _ a: QuantizedMatrix, transposed b: QuantizedMatrix, accumulator: Accumulator = .float32,
  epilogue: ProductEpilogue = .init(), adding old: Tensor? = nil,
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  try ReferenceMatmul(accumulator, epilogue, old, parallelism)(.quantized(a), .quantized(b))
}

/// Y = A · Bᵀ of FP32 numbers and a quantized operand, which is decoded.
///
/// - Parameters:
///   - a: M x K, or a batch of such.
///   - b: N x K, or a batch of such.
///   - accumulator: how products are summed.
///   - epilogue: what happens to the sums.
///   - old: the old contents of the result, for an epilogue with a `beta` other than 0.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError.notAMatrix`, `.depthMismatch` or `.batchMismatch`.
/// - Precondition: as with two quantized operands.
public func referenceMatmul(
  _ a: Tensor, transposed b: QuantizedMatrix, accumulator: Accumulator = .float32,
  epilogue: ProductEpilogue = .init(), adding old: Tensor? = nil,
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  try ReferenceMatmul(accumulator, epilogue, old, parallelism)(.float32(a), .quantized(b))
}

/// Y = A · Bᵀ in FP32.
///
/// - Parameters:
///   - a: M x K, or a batch of such.
///   - b: N x K, or a batch of such.
///   - accumulator: how products are summed.
///   - epilogue: what happens to the sums.
///   - old: the old contents of the result, for an epilogue with a `beta` other than 0.
///   - parallelism: how many threads may work; never changes a result.
/// - Returns: M x N, or a batch of such.
/// - Throws: `ProductError.notAMatrix`, `.depthMismatch` or `.batchMismatch`.
/// - Precondition: as with two quantized operands.
public func referenceMatmul(
  _ a: Tensor, transposed b: Tensor, accumulator: Accumulator = .float32,
  epilogue: ProductEpilogue = .init(), adding old: Tensor? = nil,
  parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  try ReferenceMatmul(accumulator, epilogue, old, parallelism)(.float32(a), .float32(b))
}

/// The reference of whole tensors: shapes, batches and the epilogue around `ReferenceProduct`.
private struct ReferenceMatmul {
  let accumulator: Accumulator
  let epilogue: ProductEpilogue
  let old: Tensor?
  let parallelism: Parallelism

  init(
    _ accumulator: Accumulator, _ epilogue: ProductEpilogue, _ old: Tensor?,
    _ parallelism: Parallelism
  ) {
    self.accumulator = accumulator
    self.epilogue = epilogue
    self.old = old
    self.parallelism = parallelism
  }

  func callAsFunction(_ a: ProductOperand, _ b: ProductOperand) throws(ProductError) -> Tensor {
    let shape = try ProductShape.of(a.shape, b.shape)
    let definition = try ProductDefinition(
      a: a.format, b: b.format, depth: a.shape[a.shape.count - 1]
    ).seen(by: accumulator)
    let columns = shape[shape.count - 1]
    require(
      epilogue.bias.isEmpty || epilogue.bias.count == columns,
      "\(epilogue.bias.count) bias values for \(columns) columns")
    require(
      epilogue.beta == 0 || old?.shape == shape,
      "beta \(epilogue.beta) needs old contents of shape \(shape)")
    let (left, right) = (
      ReferenceOperand(a, .a, definition: definition),
      ReferenceOperand(b, .b, definition: definition)
    )
    let product = ReferenceProduct(definition: definition)
    let scale = product.tensorScale(left, right)
    var result: [Float] = []
    result.reserveCapacity(shape.reduce(1, *))
    let isOneA = a.shape.dropLast(2).reduce(1, *) == 1
    let isOneB = b.shape.dropLast(2).reduce(1, *) == 1
    for index in 0..<shape.dropLast(2).reduce(1, *) {
      let sums = product.sums(
        left.matrix(at: isOneA ? 0 : index), right.matrix(at: isOneB ? 0 : index),
        accumulator: accumulator, parallelism: parallelism)
      for (place, sum) in sums.enumerated() {
        result.append(
          epilogue.value(
            sum, tensorScale: scale, column: place % columns,
            old: old?.elements[result.count] ?? 0))
      }
    }
    return Tensor(result, shape: shape)
  }
}

public import BlockFormats

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
  return try prepared.product(a, epilogue: epilogue, parallelism: parallelism)
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
  return try prepared.product(a, epilogue: epilogue, parallelism: parallelism)
}

/// `matmul` by the kernels of a level, for tests.
package func matmul(
  _ a: QuantizedMatrix, transposed b: QuantizedMatrix, epilogue: ProductEpilogue = .init(),
  level: KernelLevel, parallelism: Parallelism = .allCores
) throws(ProductError) -> Tensor {
  // Told before B is prepared, which takes time.
  _ = try ProductShape.of(a.shape, b.shape)
  let prepared = try PreparedMatrix(
    b, for: .quantized(a.format), level: level, parallelism: parallelism)
  return try prepared.product(a, epilogue: epilogue, parallelism: parallelism)
}

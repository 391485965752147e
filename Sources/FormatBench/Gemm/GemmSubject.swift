import BlockFormats
import FormatMetrics
import QuantizedLinearAlgebra

/// A pair of formats at a shape, with B prepared for the kernels of a level.
final class GemmSubject {
  let input: GemmInput
  private let prepared: PreparedMatrix
  private let level: KernelLevel
  private let workspace = ProductWorkspace()
  private let a: GemmBytes
  private let result: GemmBytes

  /// Quantizes and prepares B.
  init(_ pair: GemmPair, _ input: GemmInput, level: KernelLevel) throws(ProductError) {
    self.input = input
    self.level = level
    prepared = try pair.prepared(input.b, level: level)
    a = GemmBytes(input.a.elements)
    result = GemmBytes(byteCount: 4 * input.shape.rows * input.shape.columns)
  }

  /// Quantizes and packs A, and multiplies.
  func multiply(threads: Int) {
    let shape = input.shape
    prepared.multiply(
      MatrixRows(a.base, rowCount: shape.rows, columnCount: shape.depth),
      into: MutableMatrixRows(result.base, rowCount: shape.rows, columnCount: shape.columns),
      parallelism: .threads(threads), workspace: workspace)
  }

  /// Measures a call and its limits in turn.
  func measure(threads: Int, clock: RepeatClock) -> GemmMeasurement {
    let peak = MultiplyLimit(
      level: level, work: GroupWork(prepared.definition), threadCount: threads)
    var works: [() -> Void] = [{ peak.run() }, { self.multiply(threads: threads) }]
    let byteCount = prepared.byteCount
    if input.shape.isReading {
      let memory = GemmBytes(byteCount: byteCount)
      let limit = StreamLimit(
        input: UnsafeRawBufferPointer(memory.bytes),
        output: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<0]),
        elementCount: input.shape.columns * input.shape.depth, parallelism: .threads(threads))
      works.append { withExtendedLifetime(memory) { _ = limit.move(.ordinary) } }
    }
    // Both works that read find their bytes in the caches as far as they fit there.
    let seconds = clock.seconds(
      of: works, preparation: input.shape.isReading ? .call : .nothing)
    return GemmMeasurement(
      operationCount: input.shape.operationCount, call: seconds[1],
      peakOperationCount: peak.operationCount, peak: seconds[0],
      peakInstructions: peak.instructions,
      reading: input.shape.isReading ? .init(byteCount: byteCount, limit: seconds[2]) : nil)
  }

  /// The measured rows of the product that the last call left.
  var measuredProduct: [Float] {
    input.measured(result.base.assumingMemoryBound(to: Float.self))
  }
}

extension GemmPair {
  /// B in the form that products read.
  fileprivate func prepared(_ b: Tensor, level: KernelLevel) throws(ProductError) -> PreparedMatrix
  {
    switch (a, self.b) {
    case (.float32, .float32): try PreparedMatrix(b, level: level, parallelism: .allCores)
    case (_, .quantized(let format)):
      try PreparedMatrix(
        QuantizedMatrix(b, format: format), for: a, level: level, parallelism: .allCores)
    case (.quantized, .float32):
      // Casts to FP32 keep numbers as they are.
      try PreparedMatrix(
        QuantizedMatrix(b, format: CastFormat.fp32), for: a, level: level, parallelism: .allCores)
    }
  }
}

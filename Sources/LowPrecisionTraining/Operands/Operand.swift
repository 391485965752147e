import BlockFormats
internal import CBlockKernels
internal import CTrainingKernels
import QuantizedLinearAlgebra
import TrainingRecipes

/// An operand of a product on its way into a format: its rows run along the contraction axis.
struct Operand {
  /// The numbers, rotated and scaled as the recipe says.
  let rows: MatrixRows
  /// What they are quantized to.
  let format: OperandFormat
  /// The choices to quantize by; `nil` for those of the format.
  let policy: EncodingPolicy?
  /// The decode multiplier, where an earlier step decided on it.
  let tensorScale: Float?
  /// What products are to be multiplied by on account of this operand.
  let correction: Float

  /// Applies what a recipe does before encoding, in memory of the step where numbers change.
  init(
    _ rows: MatrixRows, _ tensor: TensorRole, _ product: ProductRole,
    _ quantization: LayerQuantization, on tape: Tape
  ) {
    let choice = quantization.choice(tensor, product)
    format = choice.operandFormat
    guard case .block(let block) = choice else {
      self.rows = rows
      (policy, tensorScale, correction) = (nil, nil, 1)
      return
    }
    let key = tape.quantization.draws.key(tensor, product, layer: quantization.number)
    policy = block.policy(drawingFrom: tape.quantization.draws.streams, for: key)
    correction = 1 / block.premultiplier
    let changed = Self.changed(rows, block, on: tape)
    self.rows = changed
    tensorScale = quantization.delayedScale(tensor, product)
    // Looks at validation data leave no trace.
    if tensorScale != nil, tape.isRecording {
      quantization.record(amax: Self.greatestMagnitude(changed, on: tape), tensor, product)
    }
  }

  private init(decoded rows: MatrixRows, correction: Float) {
    self.rows = rows
    (format, policy, tensorScale) = (.float32, nil, nil)
    self.correction = correction
  }

  /// The same operand encoded and decoded number by number, as one of FP32, in memory of the step.
  func decoded(on tape: Tape) -> Operand {
    guard case .quantized(let format) = format else { return self }
    let (count, columns) = (rows.rowCount, rows.columnCount)
    let numbers = tape.memory.floats(count * columns)
    copyRows(to: numbers)
    decode(format, numbers, into: numbers, on: tape)
    return Operand(
      decoded: MatrixRows(numbers, rowCount: count, columnCount: columns), correction: correction)
  }

  /// Writes the rows side by side.
  func copyRows(to numbers: UnsafeMutablePointer<Float>) {
    for row in 0..<rows.rowCount {
      (numbers + row * rows.columnCount).update(from: rows.floats(row), count: rows.columnCount)
    }
  }

  /// Encodes and decodes the rows, which lie side by side.
  @discardableResult
  func decode(
    _ format: any BlockFormat, _ numbers: UnsafePointer<Float>,
    into result: UnsafeMutablePointer<Float>, on tape: Tape
  ) -> EncodingTally {
    let (shape, bytes) = (
      [rows.rowCount, rows.columnCount], 4 * rows.rowCount * rows.columnCount
    )
    func decode(_ format: some BlockFormat) -> EncodingTally {
      TensorQuantizer(
        format: format, shape: shape, policy: policy, parallelism: tape.execution.parallelism
      )
      .fakeQuantize(
        UnsafeRawBufferPointer(start: numbers, count: bytes),
        into: UnsafeMutableRawBufferPointer(start: result, count: bytes),
        tensorScale: tensorScale)
    }
    return decode(format)
  }

  /// Everything before the encoder; bands of rows in parallel, each with all steps.
  private static func changed(
    _ rows: MatrixRows, _ block: BlockQuantization, on tape: Tape
  ) -> MatrixRows {
    guard block.transform != nil || block.source == .bfloat16 || block.premultiplier != 1 else {
      return rows
    }
    let (count, columns) = (rows.rowCount, rows.columnCount)
    nonisolated(unsafe) let (numbers, kernels) = (
      tape.memory.floats(count * columns), tape.execution.kernels
    )
    let hadamard = block.transform?.hadamard(
      tape.quantization.draws.streams, step: tape.quantization.draws.step)
    tape.execution.forRows(count, columns: columns) { band in
      let target = numbers + band.lowerBound * columns
      // What the next step reads: the operand itself, then the target.
      var (source, stride) = (rows.floats(band.lowerBound), rows.stride)
      func moved() { (source, stride) = (UnsafePointer(target), columns) }
      if block.source == .bfloat16 {
        for row in 0..<band.count {
          roundToBFloat16(source + row * stride, target + row * columns, columns)
        }
        moved()
      }
      if let hadamard {
        hadamard.transformRows(
          source, stride: stride, into: target, rows: band.count, columns: columns)
        moved()
        if block.source == .bfloat16 { roundToBFloat16(source, target, band.count * columns) }
      }
      if block.premultiplier != 1 {
        for row in 0..<band.count {
          kernels.pointee.scale(
            source + row * stride, block.premultiplier, columns, target + row * columns)
        }
      }
    }
    return MatrixRows(numbers, rowCount: count, columnCount: columns)
  }

  /// The numbers that are narrowed and widened in turn: 2 KiB, which stay in the first cache.
  private static let halvesAtOnce = 1024

  /// To nearest, ties to even.
  private static func roundToBFloat16(
    _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    let kernels = bk_kernels(bk_best_level())
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: halvesAtOnce) { halves in
      guard let place = halves.baseAddress else { return }
      for start in stride(from: 0, to: count, by: halvesAtOnce) {
        let length = min(halvesAtOnce, count - start)
        kernels.pointee.narrow(BK_BFLOAT16, source + start, length, place)
        kernels.pointee.widen(BK_BFLOAT16, place, length, result + start)
      }
    }
  }

  private static func greatestMagnitude(_ rows: MatrixRows, on tape: Tape) -> Float {
    guard rows.columnCount > 0 else { return 0 }
    // Bit patterns of magnitudes are in the order of the magnitudes, NaNs above all.
    nonisolated(unsafe) let maxima = tape.memory.floats(rows.rowCount)
    tape.execution.forRows(rows.rowCount, columns: rows.columnCount) { band in
      let kernels = bk_kernels(bk_best_level())
      for row in band {
        var maximum: UInt32 = 0
        kernels.pointee.row_magnitudes(
          rows.floats(row), rows.columnCount, rows.columnCount, &maximum)
        maxima[row] = Float(bitPattern: maximum)
      }
    }
    return Float(bitPattern: (0..<rows.rowCount).reduce(0) { max($0, maxima[$1].bitPattern) })
  }
}

extension MatrixRows {
  /// A row of FP32 numbers.
  fileprivate func floats(_ row: Int) -> UnsafePointer<Float> {
    (base + row * stride * 4).assumingMemoryBound(to: Float.self)
  }
}

import BlockFormats
internal import CBlockKernels
internal import CTrainingKernels
import QuantizedLinearAlgebra

/// An operand of a product on its way into a format: its rows run along the contraction axis.
struct Operand {
  /// The numbers, rotated and scaled as the recipe says.
  let rows: MatrixRows
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
    guard case .block(let block) = quantization.choice(tensor, product) else {
      self.rows = rows
      (policy, tensorScale, correction) = (nil, nil, 1)
      return
    }
    let key = StreamKey(
      layer: quantization.number, tensor: tensor, product: product, step: tape.step)
    policy = block.policy(drawingFrom: tape.streams, for: key)
    correction = 1 / block.premultiplier
    let changed = Self.changed(rows, block, on: tape)
    self.rows = changed
    tensorScale = quantization.delayedScale(tensor, product, on: tape) {
      Self.greatestMagnitude(changed)
    }
  }

  private static func changed(
    _ rows: MatrixRows, _ block: BlockQuantization, on tape: Tape
  ) -> MatrixRows {
    guard block.transform != nil || block.source == .bfloat16 || block.premultiplier != 1 else {
      return rows
    }
    let (count, columns) = (rows.rowCount, rows.columnCount)
    let numbers = tape.memory.floats(count * columns)
    for row in 0..<count {
      (numbers + row * columns).update(
        from: (rows.base + row * rows.stride * 4).assumingMemoryBound(to: Float.self),
        count: columns)
    }
    if block.source == .bfloat16 { roundToBFloat16(numbers, count * columns) }
    if let transform = block.transform {
      let buffer = UnsafeMutableBufferPointer(start: numbers, count: count * columns)
      transform.hadamard(tape.streams, step: tape.step).transform(
        UnsafeBufferPointer(buffer), into: buffer, rows: count, columns: columns, axis: 1,
        direction: .forward)
      if block.source == .bfloat16 { roundToBFloat16(numbers, count * columns) }
    }
    if block.premultiplier != 1 {
      tape.kernels.pointee.scale(numbers, block.premultiplier, count * columns, numbers)
    }
    return MatrixRows(numbers, rowCount: count, columnCount: columns)
  }

  /// To nearest, ties to even.
  private static func roundToBFloat16(_ numbers: UnsafeMutablePointer<Float>, _ count: Int) {
    let kernels = bk_kernels(bk_best_level())
    withUnsafeTemporaryAllocation(of: UInt16.self, capacity: 1024) { halves in
      guard let place = halves.baseAddress else { return }
      for start in stride(from: 0, to: count, by: 1024) {
        let length = min(1024, count - start)
        kernels.pointee.narrow(BK_BFLOAT16, numbers + start, length, place)
        kernels.pointee.widen(BK_BFLOAT16, place, length, numbers + start)
      }
    }
  }

  private static func greatestMagnitude(_ rows: MatrixRows) -> Float {
    let kernels = bk_kernels(bk_best_level())
    var greatest: UInt32 = 0
    for row in 0..<rows.rowCount where rows.columnCount > 0 {
      var maximum: UInt32 = 0
      kernels.pointee.row_magnitudes(
        (rows.base + row * rows.stride * 4).assumingMemoryBound(to: Float.self),
        rows.columnCount, rows.columnCount, &maximum)
      greatest = max(greatest, maximum)
    }
    return Float(bitPattern: greatest)
  }
}

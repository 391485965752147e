import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Rows of the left operand, packed for the kernels; memory is used again for the next rows.
final class PackedRows: @unchecked Sendable {
  let layout: OperandLayout
  /// Bytes from row to row: whole cache lines, an odd number of them, so that the rows of a tile
  /// do not compete for the same lines of the cache.
  let stride: Int
  private let elementMemory = AlignedMemory()
  private let scaleMemory = AlignedMemory()
  private let offsetMemory = AlignedMemory()
  private(set) var elements: UnsafeMutableRawPointer
  private(set) var scales: UnsafeMutablePointer<Float>
  private(set) var offsets: UnsafeMutablePointer<Int32>?

  init(_ layout: OperandLayout) {
    self.layout = layout
    stride = ((layout.rowByteCount + 63) / 64 | 1) * 64
    elements = elementMemory.base
    scales = scaleMemory.base.assumingMemoryBound(to: Float.self)
  }

  /// Makes room for rows; what was there is lost.
  func reserve(rows: Int) {
    elements = elementMemory.reserve(rows * stride)
    guard layout.unit != .float32 else { return }
    scales = scaleMemory.reserve(rows * layout.groupCount, of: Float.self)
    if layout.unit == .int8 {
      offsets = offsetMemory.reserve(rows * layout.groupCount, of: Int32.self)
    }
  }

  /// Where a row goes.
  func target(_ row: Int) -> RowPacker.Target {
    RowPacker.Target(
      elements: elements + row * stride, scales: scales + row * layout.groupCount,
      offsets: offsets.map { $0 + row * layout.groupCount })
  }

  /// Turns the scales of the first rows into the factors that meet those of columns.
  ///
  /// - Parameter unitExponent: the exponent of the power of two that joins every product of scales.
  func finishScales(rows: Int, for product: ScaleRange.Product, unitExponent: Int) {
    let count = rows * layout.groupCount
    switch product {
    case .addedExponents:
      let bits = UnsafeMutableRawPointer(scales).assumingMemoryBound(to: UInt32.self)
      let step = UInt32(truncatingIfNeeded: unitExponent - 127) << 23
      for index in 0..<count { bits[index] &+= step }
    case .multiplied where unitExponent != 0:
      let unit = Float(sign: .plus, exponent: unitExponent, significand: 1)
      for index in 0..<count { scales[index] *= unit }
    case .multiplied, .unlimitedExponents: break
    }
  }

  /// Some rows as the kernels take them.
  func operand(_ rows: Range<Int>) -> BKRows {
    let target = target(rows.lowerBound)
    return BKRows(
      elements: UnsafePointer(target.elements.assumingMemoryBound(to: UInt8.self)),
      stride: stride, scales: UnsafePointer(target.scales),
      offsets: target.offsets.map { UnsafePointer($0) }, rows: rows.count)
  }
}

import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Rows of the left operand, packed for the kernels; memory is used again for the next rows.
final class PackedRows {
  let layout: OperandLayout
  /// Bytes from row to row: whole cache lines, an odd number of them, so that the rows of a tile
  /// do not compete for the same lines of the cache.
  let stride: Int
  private let elementMemory = AlignedMemory()
  private let scaleMemory = AlignedMemory()
  private let offsetMemory = AlignedMemory()
  private let middleMemory = AlignedMemory()
  private let sumMemory = AlignedMemory()
  private(set) var elements: UnsafeMutableRawPointer
  private(set) var scales: UnsafeMutablePointer<Float>
  private(set) var offsets: UnsafeMutablePointer<Int32>?
  private(set) var middles: UnsafeMutablePointer<Float>?
  private(set) var sums: UnsafeMutablePointer<Float>?

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
    if layout.offsetsPerGroup > 0 {
      offsets = offsetMemory.reserve(
        rows * layout.groupCount * layout.offsetsPerGroup, of: Int32.self)
    }
    if layout.hasMiddles {
      middles = middleMemory.reserve(rows * layout.groupCount, of: Float.self)
    }
    if layout.needsSums {
      sums = sumMemory.reserve(rows * layout.groupCount, of: Float.self)
    }
  }

  /// Where rows go, each by one thread; until the next call of `reserve`.
  var places: Places {
    Places(
      elements: elements, scales: scales, offsets: offsets, middles: middles, sums: sums,
      stride: stride, groupCount: layout.groupCount, offsetsPerGroup: layout.offsetsPerGroup)
  }

  /// The memory of rows by its address.
  struct Places: Sendable {
    /// Each row is written by one thread.
    nonisolated(unsafe) let elements: UnsafeMutableRawPointer
    nonisolated(unsafe) let scales: UnsafeMutablePointer<Float>
    nonisolated(unsafe) let offsets: UnsafeMutablePointer<Int32>?
    nonisolated(unsafe) let middles: UnsafeMutablePointer<Float>?
    nonisolated(unsafe) let sums: UnsafeMutablePointer<Float>?
    let stride: Int
    let groupCount: Int
    let offsetsPerGroup: Int

    /// Where a row goes.
    func target(_ row: Int) -> RowPacker.Target {
      RowPacker.Target(
        elements: elements + row * stride, scales: scales + row * groupCount,
        offsets: offsets.map { $0 + row * groupCount * offsetsPerGroup },
        middles: middles.map { $0 + row * groupCount }, sums: sums.map { $0 + row * groupCount })
    }
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

  /// The first rows as the kernels take them.
  func operand(rowCount: Int) -> BKRows {
    BKRows(
      elements: UnsafePointer(elements.assumingMemoryBound(to: UInt8.self)), stride: stride,
      scales: UnsafePointer(scales), offsets: offsets.map { UnsafePointer($0) },
      middles: middles.map { UnsafePointer($0) }, sums: sums.map { UnsafePointer($0) },
      rows: rowCount)
  }
}

internal import CBlockKernels
import CallerChecks

/// The caller's values that panels are read from.
struct PanelInput: @unchecked Sendable {
  let base: UnsafeRawPointer?
  let type: ScalarType

  init(_ values: UnsafeRawBufferPointer, _ type: ScalarType) {
    base = values.baseAddress
    self.type = type
  }

  /// The rows of a panel where they are, if they are FP32.
  ///
  /// The pointers may be unaligned; kernels take any address.
  func rowsInPlace(of panel: PanelGrid.Panel) -> PanelRows? {
    guard let base, type == .float32 else { return nil }
    let first = (base + 4 * panel.base).assumingMemoryBound(to: Float.self)
    return PanelRows(first: first, stride: panel.stride)
  }

  /// The rows of a panel, widened.
  func rows(
    of panel: PanelGrid.Panel, widenedInto memory: UnsafeMutablePointer<Float>,
    _ table: UnsafePointer<BKKernels>
  ) -> PanelRows {
    for row in 0..<panel.rows {
      guard let base else { break }
      table.pointee.widen(
        type.kernelScalar, base + type.byteCount * (panel.base + row * panel.stride),
        panel.columns, memory + row * panel.columns)
    }
    return PanelRows(first: UnsafePointer(memory), stride: panel.columns)
  }

  /// The largest magnitude among some values, as a bit pattern, infinities and NaN included.
  func greatestMagnitude(in range: Range<Int>, _ table: UnsafePointer<BKKernels>) -> UInt32 {
    guard let base, !range.isEmpty else { return 0 }
    var greatest: UInt32 = 0
    guard type != .float32 else {
      table.pointee.row_magnitudes(
        (base + 4 * range.lowerBound).assumingMemoryBound(to: Float.self), range.count,
        range.count, &greatest)
      return greatest
    }
    let part = 4096
    withUnsafeTemporaryAllocation(of: Float.self, capacity: part) { widened in
      guard let values = widened.baseAddress else { return }
      for first in stride(from: range.lowerBound, to: range.upperBound, by: part) {
        let count = min(part, range.upperBound - first)
        var magnitude: UInt32 = 0
        table.pointee.widen(
          type.kernelScalar, base + type.byteCount * first, count, values)
        table.pointee.row_magnitudes(values, count, count, &magnitude)
        greatest = max(greatest, magnitude)
      }
    }
    return greatest
  }
}

/// Rows of FP32 values.
struct PanelRows {
  let first: UnsafePointer<Float>
  let stride: Int

  func row(_ index: Int) -> UnsafePointer<Float> { first + index * stride }
}

/// The caller's memory that values are decoded into.
struct PanelOutput: @unchecked Sendable {
  let base: UnsafeMutableRawPointer?
  let type: ScalarType
  /// Whether results go past the caches, since nothing that long stays in them.
  let streams: Bool

  /// Results from this size on are streamed, in bytes.
  private static let streamedByteCount = 32 << 20

  init(_ values: UnsafeMutableRawBufferPointer, _ type: ScalarType) {
    base = values.baseAddress
    self.type = type
    streams = type == .float32 && values.count >= Self.streamedByteCount
  }

  /// The place of a row, for kernels that stream by themselves.
  func target(_ index: Int) -> UnsafeMutablePointer<Float>? {
    guard let base, type == .float32 else { return nil }
    return (base + 4 * index).assumingMemoryBound(to: Float.self)
  }

  /// The place of a row, where kernels may write it directly.
  func direct(_ index: Int) -> UnsafeMutablePointer<Float>? {
    guard let base, type == .float32, !streams else { return nil }
    return (base + 4 * index).assumingMemoryBound(to: Float.self)
  }

  /// Stores a row.
  func store(
    _ values: UnsafePointer<Float>, _ count: Int, at index: Int,
    _ table: UnsafePointer<BKKernels>
  ) {
    guard let base else { return }
    let target = base + type.byteCount * index
    if streams {
      table.pointee.stream(values, count, target.assumingMemoryBound(to: Float.self))
    } else {
      table.pointee.narrow(type.kernelScalar, values, count, target)
    }
  }
}

extension ScalarType {
  var kernelScalar: BKScalar {
    switch self {
    case .float32: BK_FLOAT32
    case .float16: BK_FLOAT16
    case .bfloat16: BK_BFLOAT16
    }
  }
}

extension UnsafePlane {
  /// The bytes of a row from a column on, which begins a byte.
  func bytes(row: Int, _ column: Int) -> UnsafeMutablePointer<UInt8> {
    guard let base = bytes.baseAddress else { refuse("a plane without bytes has no row") }
    return base + row * bytesPerRow + column * bitWidth / 8
  }
}

extension BKPanel {
  /// A panel of several rows, with its values in the caller's memory and its codes in planes.
  init(
    _ panel: PanelGrid.Panel, _ grid: PanelGrid, codes: UnsafePlane?,
    subscales: UnsafePlane?
  ) {
    self.init(
      rows: panel.rows, columns: panel.columns, stride: panel.stride, index_stride: panel.stride,
      unit_rows: grid.unitRows, code_stride: panel.rowStep * (codes?.bytesPerRow ?? 0),
      subscale_stride: panel.rowStep * (subscales?.bytesPerRow ?? 0), ahead: panel.ahead)
  }
}

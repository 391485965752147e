internal import CBlockKernels

/// The caller's values that panels are read from.
struct PanelInput: @unchecked Sendable {
  let base: UnsafeRawPointer?
  let type: ScalarType

  init(_ values: UnsafeRawBufferPointer, _ type: ScalarType) {
    base = values.baseAddress
    self.type = type
  }

  /// The rows of a panel as FP32: in place, or widened into `memory`.
  ///
  /// Pointers into the caller's memory may be unaligned; kernels take any address.
  func rows(
    of panel: PanelGrid.Panel, _ memory: UnsafeMutablePointer<Float>,
    _ table: UnsafePointer<BKKernels>
  ) -> PanelRows {
    guard let base else { return PanelRows(first: UnsafePointer(memory), stride: 0) }
    if type == .float32 {
      let first = (base + 4 * panel.base).assumingMemoryBound(to: Float.self)
      return PanelRows(first: first, stride: panel.stride)
    }
    for row in 0..<panel.rows {
      table.pointee.widen(
        type.kernelScalar, base + type.byteCount * (panel.base + row * panel.stride),
        panel.columns, memory + row * panel.columns)
    }
    return PanelRows(first: UnsafePointer(memory), stride: panel.columns)
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

extension PlaneWriter.Plane {
  /// The bytes of a row from a column on, which begins a byte.
  func bytes(row: Int, _ column: Int) -> UnsafeMutablePointer<UInt8> {
    guard let base = bytes.baseAddress else { fatalError("a plane without bytes has no row") }
    return base + row * bytesPerRow + column * bitWidth / 8
  }
}

internal import CBlockKernels
internal import CProductKernels

/// A panel and the kernel that multiplies it.
struct PanelMultiplier {
  private let shape: BKProductShape
  private var operand: BKColumns
  private var way = Way.elements
  private let kernels: ProductKernels

  /// What the columns hold.
  private enum Way {
    case elements
    /// Codes, and the bytes that they stand for.
    case integers([Int8])
    /// Narrow elements that become numbers for these rows.
    case narrow(NarrowColumns)
  }

  /// Narrow elements in the groups of their panel.
  private struct NarrowColumns {
    let elements: NarrowElements
    let shape: BKProductShape
    let tensorScale: Float
    /// The numbers of a row.
    let depth: Int

    init(
      _ elements: NarrowElements, _ layout: OperandLayout, _ shape: BKProductShape,
      _ tensorScale: Float
    ) {
      self.elements = elements
      self.tensorScale = elements.decodesTensorScale ? tensorScale : 1
      // Only rows of FP32 end in the middle of a group.
      let isDecoded = shape.unit == BK_FLOAT32_FMA
      depth = isDecoded ? layout.depth : layout.groupCount * layout.groupLength
      var shape = shape
      (shape.groups, shape.words) = (layout.groupCount, layout.groupLength)
      self.shape = shape
    }

    /// Lends what kernels take.
    func with(
      _ operand: BKColumns,
      _ body: (UnsafePointer<BKProductShape>, UnsafePointer<BKColumns>, UnsafePointer<BKCodes>) ->
        Void
    ) {
      elements.values.withUnsafeBufferPointer { values in
        let codes = BKCodes(
          form: elements.form.code, values: values.baseAddress, tensor_scale: tensorScale,
          depth: depth)
        withUnsafePointer(to: shape) { shape in
          withUnsafePointer(to: operand) { operand in
            withUnsafePointer(to: codes) { body(shape, operand, $0) }
          }
        }
      }
    }
  }

  /// The greatest number of rows for which looking bytes up, or widening them, anew for every
  /// tile costs less than writing them down.
  static let fewRows = 8

  /// - Parameters:
  ///   - shape: of the product, in the layout of the rows.
  ///   - panel: counted through the batch.
  ///   - tensorScale: the decode multiplier of the panels' tensor.
  ///   - isWhole: whether the panel is first brought into the layout of the rows.
  ///   - memory: where to.
  init(
    shape: BKProductShape, panels: Panels.Columns, panel: Int, tensorScale: Float,
    kernels: ProductKernels, isWhole: Bool, memory: ProductWorkspace.Worker
  ) {
    self.shape = shape
    self.kernels = kernels
    operand = panels.operand(panel)
    let layout = panels.layout.row
    if let elements = layout.narrow {
      let columns = NarrowColumns(elements, layout, shape, tensorScale)
      way = .narrow(columns)
      // The kernels of narrow elements neither flush nor know numbers without limits.
      if isWhole || shape.flushes || shape.scale_product == BK_UNLIMITED_EXPONENTS {
        spread(columns, layout, memory)
      }
      return
    }
    if let values = panels.layout.integers { way = .integers(values) }
    guard isWhole else { return }
    if case .integers(let values) = way { splitNibbles(layout, values, memory) }
    widen(layout, memory)
  }

  /// Brings narrow elements into the layout of the rows.
  private mutating func spread(
    _ columns: NarrowColumns, _ layout: OperandLayout, _ memory: ProductWorkspace.Worker
  ) {
    let elementByteCount = shape.unit == BK_BFLOAT16_DOT ? 2 : 4
    let bytes = memory.panel.reserve(
      layout.groupCount * layout.groupLength * elementByteCount * ProductKernels.panelColumns,
      of: UInt8.self)
    columns.with(operand) { kernels.products.pointee.spread_codes($0, $1, $2, bytes) }
    operand.elements = UnsafePointer(bytes)
    operand.middles = nil
    way = .elements
  }

  /// Brings codes of integers into the bytes that they stand for.
  private mutating func splitNibbles(
    _ layout: OperandLayout, _ values: [Int8], _ memory: ProductWorkspace.Worker
  ) {
    let bytes = memory.panel.reserve(
      layout.rowByteCount * ProductKernels.panelColumns, of: UInt8.self)
    kernels.products.pointee.split_nibbles(
      operand.elements, layout.groupCount * layout.wordCount, values, bytes)
    operand.elements = UnsafePointer(bytes)
    way = .elements
  }

  /// Brings elements into as many bits as those of the rows.
  private mutating func widen(_ layout: OperandLayout, _ memory: ProductWorkspace.Worker) {
    guard shape.unit == BK_BFLOAT16_WIDE || layout.unit == .int8 && shape.unit == BK_INT16 else {
      return
    }
    let words = layout.groupCount * layout.wordCount
    let wide = memory.widePanel.reserve(
      2 * layout.rowByteCount * ProductKernels.panelColumns, of: UInt8.self)
    if shape.unit == BK_INT16 {
      kernels.products.pointee.widen_bytes(operand.elements, words, wide)
    } else {
      kernels.products.pointee.widen_bfloat16_panel(operand.elements, words, wide)
    }
    operand.elements = UnsafePointer(wide)
  }

  /// Multiplies some rows.
  func multiply(_ rows: BKRows, into result: BKResult) {
    let products = kernels.products
    withUnsafePointer(to: rows) { rows in
      withUnsafePointer(to: result) { result in
        if case .narrow(let columns) = way {
          columns.with(operand) { products.pointee.multiply_codes($0, rows, $1, $2, result) }
          return
        }
        withUnsafePointer(to: shape) { shape in
          withUnsafePointer(to: operand) { operand in
            if case .integers(let values) = way {
              products.pointee.multiply_nibbles(shape, rows, operand, values, result)
            } else {
              products.pointee.multiply(shape, rows, operand, result)
            }
          }
        }
      }
    }
  }
}

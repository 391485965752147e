internal import CBlockKernels
internal import CProductKernels

/// A panel and the kernel that multiplies it.
struct PanelMultiplier {
  private var shape: BKProductShape
  private var operand: BKColumns
  private var nibbles: [Int8]?
  private let kernels: ProductKernels

  /// The greatest number of rows for which looking bytes up, or widening them, anew for every
  /// tile costs less than writing them down.
  static let fewRows = 8

  /// - Parameters:
  ///   - shape: of the product, in the layout of the rows.
  ///   - panel: counted through the batch.
  ///   - isWhole: whether the panel is first brought into the layout of the rows.
  ///   - memory: where to.
  init(
    shape: BKProductShape, panels: Panels.Columns, panel: Int, kernels: ProductKernels,
    isWhole: Bool, memory: ProductWorkspace.Worker
  ) {
    self.shape = shape
    self.kernels = kernels
    operand = panels.operand(panel)
    nibbles = panels.layout.nibbles
    guard isWhole else { return }
    let layout = panels.layout.row
    let (words, products) = (layout.groupCount * layout.wordCount, kernels.products)
    let byteCount = layout.rowByteCount * ProductKernels.panelColumns
    if let values = nibbles {
      let bytes = memory.panel.reserve(byteCount, of: UInt8.self)
      products.pointee.split_nibbles(operand.elements, words, values, bytes)
      operand.elements = UnsafePointer(bytes)
      nibbles = nil
    }
    guard shape.unit == BK_BFLOAT16_WIDE || layout.unit == .int8 && shape.unit == BK_INT16 else {
      return
    }
    let wide = memory.widePanel.reserve(2 * byteCount, of: UInt8.self)
    if shape.unit == BK_INT16 {
      products.pointee.widen_bytes(operand.elements, words, wide)
    } else {
      products.pointee.widen_bfloat16_panel(operand.elements, words, wide)
    }
    operand.elements = UnsafePointer(wide)
  }

  /// Multiplies some rows.
  func multiply(_ rows: BKRows, into result: BKResult) {
    withUnsafePointer(to: shape) { shape in
      withUnsafePointer(to: rows) { rows in
        withUnsafePointer(to: operand) { operand in
          withUnsafePointer(to: result) { result in
            if let nibbles {
              kernels.products.pointee.multiply_nibbles(shape, rows, operand, nibbles, result)
            } else {
              kernels.products.pointee.multiply(shape, rows, operand, result)
            }
          }
        }
      }
    }
  }
}

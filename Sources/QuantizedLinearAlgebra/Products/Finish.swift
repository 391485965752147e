import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Carries sums through the epilogue into the caller's result.
struct Finish: Sendable {
  let epilogue: ProductEpilogue
  let tensorScale: Float
  let result: MutableMatrixRows
  let kernels: ProductKernels

  /// Brings the lines of the result near, while their sums are at work.
  func claim(firstRow: Int, rowCount: Int, panel: Int) {
    let first = panel * ProductKernels.panelColumns
    let columns = min(ProductKernels.panelColumns, result.columnCount - first)
    kernels.products.pointee.claim(
      result.row(firstRow) + first * result.type.byteCount, rowCount,
      columns * result.type.byteCount, result.stride * result.type.byteCount)
  }

  /// Stores the sums of some rows and one panel of columns.
  func store(
    _ sums: UnsafePointer<Float>, firstRow: Int, rowCount: Int, panel: Int,
    memory: ProductWorkspace.Worker
  ) {
    let first = panel * ProductKernels.panelColumns
    let columns = min(ProductKernels.panelColumns, result.columnCount - first)
    let target = result.row(firstRow) + first * result.type.byteCount
    epilogue.bias.withUnsafeBufferPointer { bias in
      let bias = bias.isEmpty ? nil : bias.baseAddress.map { $0 + first }
      if result.type == .float32 {
        finish(
          sums, rowCount, columns, bias, target.assumingMemoryBound(to: Float.self),
          result.stride)
      } else {
        storeNarrow(sums, rowCount, columns, bias, target, memory)
      }
    }
  }

  private func finish(
    _ sums: UnsafePointer<Float>, _ rowCount: Int, _ columns: Int,
    _ bias: UnsafePointer<Float>?, _ target: UnsafeMutablePointer<Float>, _ stride: Int
  ) {
    kernels.products.pointee.finish(
      sums, rowCount, columns, tensorScale, epilogue.alpha, bias, epilogue.beta, target, stride)
  }

  private func storeNarrow(
    _ sums: UnsafePointer<Float>, _ rowCount: Int, _ columns: Int,
    _ bias: UnsafePointer<Float>?, _ target: UnsafeMutableRawPointer,
    _ memory: ProductWorkspace.Worker
  ) {
    let type = result.type.code
    let step = result.stride * result.type.byteCount
    let wide = memory.wide.reserve(rowCount * ProductKernels.panelColumns, of: Float.self)
    if epilogue.beta != 0 {
      for row in 0..<rowCount {
        kernels.blocks.pointee.widen(
          type, target + row * step, columns, wide + row * ProductKernels.panelColumns)
      }
    }
    finish(sums, rowCount, columns, bias, wide, ProductKernels.panelColumns)
    for row in 0..<rowCount {
      kernels.blocks.pointee.narrow(
        type, wide + row * ProductKernels.panelColumns, columns, target + row * step)
    }
  }
}

extension ScalarType {
  /// The type in the kernels' interface.
  var code: BKScalar {
    switch self {
    case .float32: BK_FLOAT32
    case .float16: BK_FLOAT16
    case .bfloat16: BK_BFLOAT16
    }
  }
}

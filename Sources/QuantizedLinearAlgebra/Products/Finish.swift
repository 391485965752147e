import BlockFormats
internal import CBlockKernels
internal import CProductKernels

/// Carries sums through the epilogue into the caller's result.
struct Finish: Sendable {
  let epilogue: ProductEpilogue
  let tensorScale: ScaleProduct
  let result: MutableMatrixRows
  let kernels: ProductKernels

  /// Lets `multiply` put rows of a panel's columns where they belong, by way of FP32 memory where
  /// the result is of another type.
  func store(
    rows: Range<Int>, panel: Int, memory: ProductWorkspace.Worker,
    _ multiply: (BKResult) -> Void
  ) {
    let first = panel * ProductKernels.panelColumns
    let columns = min(ProductKernels.panelColumns, result.columnCount - first)
    let target = result.row(rows.lowerBound) + first * result.type.byteCount
    epilogue.bias.withUnsafeBufferPointer { bias in
      var place = BKResult(
        values: target.assumingMemoryBound(to: Float.self), stride: result.stride,
        columns: columns, tensor_scale: tensorScale.value, alpha: epilogue.alpha,
        beta: epilogue.beta,
        bias: bias.isEmpty ? nil : bias.baseAddress.map { $0 + first })
      guard result.type != .float32 else {
        multiply(place)
        return
      }
      let wide = memory.wide.reserve(rows.count * columns, of: Float.self)
      place.values = wide
      place.stride = columns
      let (type, step) = (result.type.code, result.stride * result.type.byteCount)
      if epilogue.beta != 0 {
        for row in 0..<rows.count {
          kernels.blocks.pointee.widen(type, target + row * step, columns, wide + row * columns)
        }
      }
      multiply(place)
      for row in 0..<rows.count {
        kernels.blocks.pointee.narrow(type, wide + row * columns, columns, target + row * step)
      }
    }
  }
}

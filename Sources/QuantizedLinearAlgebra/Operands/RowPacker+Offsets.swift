import BlockFormats
internal import CProductKernels
import NumericSupport

/// What products with offsets need beside elements and scales.
extension RowPacker {
  /// Turns the offsets of a row's groups into the values of their middle codes.
  func finishMiddles(_ middles: UnsafeMutablePointer<Float>, _ target: Target) {
    let middle = Float(layout.middle ?? 0)
    for group in 0..<layout.groupCount {
      middles[group].addProduct(middle, target.scales[group])
    }
  }

  /// Sums the groups of a packed row: of rows whole values, of columns those less the middle one.
  func fillSums(
    _ sums: UnsafeMutablePointer<Float>, _ target: Target, _ scratch: PackingScratch
  ) {
    var elements = UnsafeRawPointer(target.elements)
    if !bytesOfCodes.isEmpty {
      kernels.products.pointee.map_int8(
        elements.assumingMemoryBound(to: UInt8.self), layout.rowByteCount,
        UInt32(self.elements.width + self.elements.powerWidth), bytesOfCodes,
        scratch.elements.assumingMemoryBound(to: Int8.self))
      elements = UnsafeRawPointer(scratch.elements)
    }
    switch layout.unit {
    case .int8 where layout.bias > 0:
      fillSums(sums, of: elements.assumingMemoryBound(to: UInt8.self), target)
    case .int8: fillSums(sums, of: elements.assumingMemoryBound(to: Int8.self), target)
    case .int16: fillSums(sums, of: elements.assumingMemoryBound(to: Int16.self), target)
    case .bfloat16, .float32: break
    }
  }

  private func fillSums<Element: FixedWidthInteger>(
    _ sums: UnsafeMutablePointer<Float>, of elements: UnsafePointer<Element>, _ target: Target
  ) {
    let length = layout.groupByteCount / MemoryLayout<Element>.size
    let bias = Int32(layout.bias)
    let middles = layout.side == .rows ? target.middles : nil
    for group in 0..<layout.groupCount {
      // Below 2^31, as dot products are, and zeros behind the last element.
      var sum: Int32 = 0
      for element in UnsafeBufferPointer(start: elements + group * length, count: length) {
        sum &+= Int32(truncatingIfNeeded: element) &- bias
      }
      var value = Double(Float(sum)) * Double(target.scales[group])
      if unitExponent != 0 { value = Double.scaled(value, byPowerOfTwo: unitExponent) }
      if let middles {
        let start = group * layout.groupLength
        let count = min(layout.groupLength, layout.depth - start)
        value += Double(count) * Double(middles[group])
      }
      sums[group] = Float(value)
    }
  }
}

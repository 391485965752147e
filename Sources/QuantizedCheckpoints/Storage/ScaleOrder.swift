internal import BlockFormats
internal import CallerChecks

/// In which order a producer multiplies an element, its block's scale and the tensor's.
///
/// The order decides the last bit of an FP32 value. Formats define theirs; producers that make one factor
/// of both scales round twice.
enum ScaleOrder: Hashable, Sendable {
  /// As the format is defined: the element by the block's scale, and then by the tensor's.
  case format
  /// The two scales first.
  case scalesFirst
  /// The block's scale divided by what is stored for the tensor, whose reciprocal decodes.
  case quotientFirst
}

extension QuantizedTensor {
  /// Decodes in a producer's order.
  ///
  /// - Parameters:
  ///   - order: `.format`, unless the format has codes, block scales and an FP32 scale of the tensor.
  ///   - stored: what the producer stored for the tensor.
  func dequantized(
    _ order: ScaleOrder, stored: Float?, parallelism: Parallelism
  ) throws(StorageError) -> Tensor {
    guard order != .format, let stored, let tensorScale else {
      return dequantized(parallelism: parallelism)
    }
    require(planes.count == 3, "\(format.id) has no scales of blocks and tensor alone")
    let scale = format.layout.fields[1].element
    // Every scale as FP32, multiplied once: the format is then one with FP32 scales.
    let factors = (0..<UInt32(1) << UInt32(scale.bitWidth)).map { code in
      let value = Float(scale.value(of: code))
      return (order == .quotientFirst ? value / stored : value * tensorScale).bitPattern
    }
    let codes = planes[1].unpacked().map { factors[Int($0)] }
    let scaled = ScaledFormat(
      id: "scaled(element=\(format.layout.element),block=\(format.layout.block.id),scale=fp32)",
      source: format.source, element: format.layout.element, block: format.layout.block)
    let factorPlane = BitPlane(
      rowCount: planes[1].rowCount, rowLength: planes[1].rowLength, bitWidth: 32, codes: codes)
    return try QuantizedTensor(
      format: scaled, shape: shape, axis: axis, planes: [planes[0], factorPlane]
    ).dequantized(parallelism: parallelism)
  }
}

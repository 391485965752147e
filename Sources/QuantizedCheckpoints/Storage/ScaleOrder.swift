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

extension Dialect {
  /// In which order its producer multiplies the scales of blocks and of the tensor.
  var scaleOrder: ScaleOrder {
    switch self {
    case .blockFormats, .bitsandbytes: .format
    case .compressedTensors: .quotientFirst
    case .torchao, .modelOpt, .mlx, .quark, .deepSeek, .gptOSS, .ggml: .scalesFirst
    }
  }
}

/// What a producer stores above the scales of blocks, as far as the order of factors matters.
struct OuterScale: Hashable, Sendable {
  /// In which order factors are multiplied.
  let order: ScaleOrder
  /// The factors that decode, or for `.quotientFirst` what is stored: one number, or one for each of the
  /// outermost extents.
  let stored: [Float]
  /// The elements that one number is for.
  let share: Int
}

extension QuantizedTensor {
  /// Decodes a piece of a tensor in a producer's order.
  ///
  /// - Parameters:
  ///   - outer: what stands above the scales; nil to decode as the format is defined.
  ///   - firstElement: the place of the piece in the tensor.
  /// - Precondition: with `outer`, the format has codes, scales of blocks, and at most a scale of the tensor.
  func dequantized(
    _ outer: OuterScale?, firstElement: Int, parallelism: Parallelism
  ) throws(StorageError) -> Tensor {
    guard let outer, outer.order != .format else {
      return dequantized(parallelism: parallelism)
    }
    require(
      planes.count == 2 || planes.count == 3 && tensorScale != nil,
      "\(format.id) has no scales of blocks and tensor alone")
    let scale = format.layout.fields[1].element
    let values = (0..<UInt32(1) << UInt32(scale.bitWidth)).map { Float(scale.value(of: $0)) }
    // Every scale as FP32, multiplied once: the format is then one with FP32 scales.
    let blockLength = format.layout.scaleSpacing
    let codes = planes[1].unpacked().enumerated().map { index, code in
      let number = outer.stored[
        min((firstElement + index * blockLength) / outer.share, outer.stored.count - 1)]
      let value = values[Int(code)]
      let factor =
        outer.order == .quotientFirst ? value / number : value * number
      return factor.bitPattern
    }
    let scaled = ScaledFormat(
      id: "scaled(element=\(format.layout.element),block=\(blockLength),scale=fp32)",
      source: format.source, element: format.layout.element,
      block: .vector(length: blockLength))
    let factorPlane = BitPlane(
      rowCount: planes[1].rowCount, rowLength: planes[1].rowLength, bitWidth: 32, codes: codes)
    return try QuantizedTensor(
      format: scaled, shape: shape, axis: axis, planes: [planes[0], factorPlane]
    ).dequantized(parallelism: parallelism)
  }
}

extension BlockLayout {
  /// The elements that share a code of the second field.
  fileprivate var scaleSpacing: Int {
    let length = block.elementCount ?? 1
    return switch fields[1].extent {
    case .every(let spacing): spacing
    case .perBlock(let count): length / count
    case .everyElement, .perTensor: length
    }
  }
}

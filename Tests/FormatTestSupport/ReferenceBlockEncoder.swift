/// What a reference encoder stores for a tensor, and what that decodes to.
public struct ReferenceBlockResult: Sendable {
  public var codes: [UInt32]
  public var scales: [UInt32] = []
  public var subscales: [UInt32] = []
  public var tensorScale: Float?
  public var decoded: [Float]
  public var overflowCount = 0
  public var exactBlockCount = 0
  public var storedBytes: [UInt8] = []
}

/// Encodes tensors value by value, straight from the formulas, with no thought for speed.
public struct ReferenceBlockEncoder {
  let format: ReferenceBlockFormat
  let policy: ReferenceBlockPolicy
  let values: [Float]
  /// Encode and decode multipliers of the tensor.
  var tensor: (encode: Float, decode: Float) = (1, 1)

  public init(
    _ format: ReferenceBlockFormat, _ policy: ReferenceBlockPolicy, _ values: [Float],
    tensorScale: Float? = nil
  ) {
    self.format = format
    self.policy = policy
    self.values = values
    guard case .twoLevel(let scale, _, true) = format.kind else { return }
    if let tensorScale {
      tensor = (1 / tensorScale, tensorScale)
      return
    }
    let amax = finiteMaximum(Array(values.indices))
    if scale.nanCode == nil && isPoisoned(Array(values.indices)) {
      tensor = (.nan, .nan)
    } else if amax > 0 {
      var most = Float(format.element.greatest) * Float(scale.greatest)
      if policy.isFourOverSix { most = 1536 }
      guard !most.isNaN else { return }
      if policy.arithmetic == .divide || policy.arithmetic == .reciprocal {
        let decode = Self.held(amax / most, above: 0x1p-128)
        tensor = (Self.held(1 / decode, above: 0), decode)
        return
      }
      let encode = Self.held(most / amax, above: .leastNonzeroMagnitude)
      tensor = (encode, Self.held(1 / encode, above: 0))
    }
  }

  /// Encodes and decodes the tensor.
  public func run(shape: [Int], axis: Int) -> ReferenceBlockResult {
    var subLength: Int?
    var subBits = 0
    if case .powerOfTwo(_, let length, let bits) = format.kind {
      (subLength, subBits) = (length, bits)
    }
    let geometry = ReferenceBlockGeometry(
      shape: shape, axis: axis, block: format.shape, subLength: subLength)
    var result = ReferenceBlockResult(
      codes: [UInt32](repeating: 0, count: values.count),
      decoded: [Float](repeating: 0, count: values.count))
    var subBlockOf = [Int](repeating: 0, count: values.count)
    for (number, members) in geometry.subBlocks.enumerated() {
      for index in members { subBlockOf[index] = number }
    }
    result.subscales = [UInt32](repeating: 0, count: geometry.subBlocks.count)
    for block in geometry.blocks {
      var parts: [[Int]] = []
      for index in block {
        if let last = parts.last?.last, subLength == nil || subBlockOf[last] == subBlockOf[index] {
          parts[parts.count - 1].append(index)
        } else {
          parts.append([index])
        }
      }
      let encoded = encode(block, parts)
      if format.scaleBits != nil { result.scales.append(encoded.scale) }
      if subLength != nil {
        for (part, tau) in zip(parts, encoded.taus) { result.subscales[subBlockOf[part[0]]] = tau }
      }
      var isExact = true
      for (position, index) in block.enumerated() {
        result.codes[index] = encoded.codes[position]
        result.decoded[index] = encoded.decoded[position]
        let (x, y) = (values[index], encoded.decoded[position])
        if x != y && !(x.isNaN && y.isNaN) { isExact = false }
      }
      result.overflowCount += encoded.overflows
      if isExact { result.exactBlockCount += 1 }
    }
    if case .twoLevel(_, _, true) = format.kind { result.tensorScale = tensor.decode }
    let extents = shape.isEmpty ? [1] : shape
    result.storedBytes = ReferenceBlockPacking.pack(
      result.codes, rowLength: extents[extents.count - 1], bitWidth: format.element.bitWidth)
    if let bits = format.scaleBits {
      result.storedBytes += ReferenceBlockPacking.pack(
        result.scales, rowLength: geometry.scaleShape[geometry.scaleShape.count - 1],
        bitWidth: bits)
    }
    if subLength != nil {
      result.storedBytes += ReferenceBlockPacking.pack(
        result.subscales, rowLength: geometry.subscaleShape[geometry.subscaleShape.count - 1],
        bitWidth: subBits)
    }
    if let scale = result.tensorScale {
      for shift in stride(from: UInt32(0), to: 32, by: 8) {
        result.storedBytes.append(UInt8(scale.bitPattern >> shift & 255))
      }
    }
    return result
  }

  /// A number in the place of one that left FP32's range.
  static func held(_ x: Float, above least: Float) -> Float {
    if x == .infinity { return .greatestFiniteMagnitude }
    return x < least ? least : x
  }

  /// Encodes the value that scaling made of the one at an index, and lowers the code step by step
  /// until it decodes to a finite number, where overflow saturates.
  func element(
    _ scaled: Double, at index: Int, decoded: (Double) -> Float
  ) -> (code: UInt32, overflowed: Bool) {
    // A finite value that scaling took out of FP32 is as large as FP32 can say.
    let isFinite = values[index].isFinite
    let held =
      scaled.isInfinite && isFinite
      ? (scaled > 0 ? 1 : -1) * Double(Float.greatestFiniteMagnitude) : scaled
    var result = format.element.encode(held, policy, index: index)
    guard !policy.overflowIsSpecial else { return result }
    func value() -> Double { format.element.value(of: result.code) }
    // Under a scale that makes even zero a NaN no code helps.
    while value().isFinite, !decoded(value()).isFinite, !decoded(0).isNaN {
      result = (format.element.codeTowardZero(result.code), isFinite)
    }
    return result
  }

  /// One block's fields and values; `parts` are its sub-blocks.
  struct Block {
    var scale: UInt32 = 0
    var taus: [UInt32] = []
    var codes: [UInt32] = []
    var decoded: [Float] = []
    var overflows = 0
  }

  func finiteMaximum(_ indices: [Int]) -> Float {
    var amax: Float = 0
    for index in indices where values[index].isFinite { amax = max(amax, abs(values[index])) }
    return amax
  }

  func isPoisoned(_ indices: [Int]) -> Bool {
    switch policy.nonFinite {
    case .blockNaN: indices.contains { !values[$0].isFinite }
    case .element: format.element.nanCode == nil && indices.contains { values[$0].isNaN }
    case .nanToZero, .nanToMax: false
    }
  }

  private func encode(_ block: [Int], _ parts: [[Int]]) -> Block {
    switch format.kind {
    case .powerOfTwo(let bits, let subLength, let subBits):
      encodePowerOfTwo(
        block, subLength == nil ? [block] : parts, bits, subLength == nil ? 0 : subBits)
    case .twoLevel(let scale, let leastNormal, _): encodeTwoLevel(block, scale, leastNormal)
    case .float32: encodeFloat32(block)
    case .cast: encodeCast(block)
    }
  }

  /// The sum of squared differences in eight lanes, added pairwise from the far half.
  func squaredError(_ decoded: [Float], _ block: [Int]) -> Double {
    error(decoded, block) { $0 * $0 }
  }

  func absoluteError(_ decoded: [Float], _ block: [Int]) -> Double {
    error(decoded, block) { abs($0) }
  }

  private func error(_ decoded: [Float], _ block: [Int], _ term: (Double) -> Double) -> Double {
    var lanes = [Double](repeating: 0, count: 8)
    for (position, index) in block.enumerated() where values[index].isFinite {
      lanes[position % 8] += term(Double(decoded[position]) - Double(values[index]))
    }
    let a = (lanes[0] + lanes[4], lanes[1] + lanes[5], lanes[2] + lanes[6], lanes[3] + lanes[7])
    return (a.0 + a.2) + (a.1 + a.3)
  }
}

import BlockFormats

/// Elements of a right operand that panels keep narrow, and that become numbers where rows of numbers
/// multiply them: so a weight-only product reads the bits of weights, and not those of FP32 numbers.
///
/// FP8 is kept as BF16 elements, of which a shift or a mask makes FP32 numbers.
struct NarrowElements: Hashable, Sendable {
  /// How panels hold them.
  enum Form: Hashable, Sendable {
    /// Codes of four bits, with the number of each, and the one that fills groups and panels up.
    case codes(values: [Float], zero: UInt8)
    /// Integers of eight bits.
    case bytes
    /// BF16 numbers.
    case halves
  }

  let form: Form
  /// The exponent of the power of two that elements count in, which scales take.
  let unitExponent: Int
  /// Whether blocks have offsets, which decoding adds.
  let hasOffsets: Bool
  /// Whether decoding multiplies by the scale of the tensor, which is a factor of results elsewhere.
  let decodesTensorScale: Bool

  /// What the right operand of a product keeps; `nil` where its panels hold what its unit multiplies.
  init?(_ definition: ProductDefinition) {
    guard case .quantized(let format) = definition.b, let linear = format.layout.linear else {
      return nil
    }
    switch definition.unit {
    case .float32:
      guard format.decodesByFactors,
        let length = ProductDefinition.blockLength(of: definition.b, depth: definition.depth)
      else { return nil }
      self.init(decoding: linear, blockLength: length)
    case .bfloat16:
      self.init(multiplying: linear, groupLength: definition.groupLength)
    case .int8, .int16: return nil
    }
  }

  /// For rows of FP32: kernels round as decoding does, after each of value · scale · tensor scale, or
  /// after value · scale and the offset.
  private init?(decoding linear: LinearLayout, blockLength: Int) {
    let factors = linear.factors
    guard factors.powers.isEmpty, linear.offset == nil || factors.tensorField == nil else {
      return nil
    }
    hasOffsets = linear.offset != nil
    decodesTensorScale = factors.tensorField != nil
    let (element, elements) = (factors.element, OperandElements(factors))
    if element.bitWidth <= Self.codeWidth {
      guard blockLength % Self.codesOfLane == 0 else { return nil }
      let values = element.valueTable.map { Float($0) }
      form = .codes(values: Self.padded(values), zero: Self.zero(values) ?? 0)
      unitExponent = 0
    } else if let integers = elements.integers, integers.bitWidth <= 8, !element.hasNegativeZero,
      !hasOffsets, factors.canTake(unitExponent: integers.unitExponent), blockLength % 4 == 0
    {
      (form, unitExponent) = (.bytes, integers.unitExponent)
    } else if elements.areBFloat16, blockLength % 2 == 0 {
      (form, unitExponent) = (.halves, 0)
    } else {
      return nil
    }
  }

  /// For rows of BF16, by multiply-adds of FP32 that flush nothing.
  private init?(multiplying linear: LinearLayout, groupLength: Int) {
    guard groupLength % Self.codesOfLane == 0,
      let values = ElementMap.numbers(linear, for: .bfloat16),
      values.count <= Self.codeCount, values.allSatisfy({ $0 == 0 || $0.isNormal }),
      let zero = Self.zero(values)
    else { return nil }
    form = .codes(values: Self.padded(values), zero: zero)
    (unitExponent, hasOffsets, decodesTensorScale) = (0, false, false)
  }

  private static let codeWidth = 4
  private static let codeCount = 1 << codeWidth
  /// Codes that share a lane of 32 bits.
  private static let codesOfLane = 32 / codeWidth

  private static func padded(_ values: [Float]) -> [Float] {
    values + [Float](repeating: 0, count: codeCount - values.count)
  }

  private static func zero(_ values: [Float]) -> UInt8? {
    values.firstIndex { $0 == 0 && $0.sign == .plus }.map { UInt8($0) }
  }

  /// Whether panels hold codes of four bits.
  var isCodes: Bool { !values.isEmpty }

  /// The numbers of codes of four bits.
  var values: [Float] {
    if case .codes(let values, _) = form { values } else { [] }
  }

  /// Whether no code stands for zero: then only a scale of zero makes columns of zeros.
  var lacksZero: Bool {
    if case .codes(let values, let zero) = form { values[Int(zero)] != 0 } else { false }
  }

  /// The unit whose elements they are, codes taken for bytes.
  var unit: ProductUnit { form == .halves ? .bfloat16 : .int8 }

  /// The bits of the least BF16 element, without its sign, that is not zero.
  var leastElement: UInt32 {
    values.filter { $0 != 0 }.map { $0.magnitude.bitPattern >> 16 }.min() ?? .max
  }
}

extension FactorLayout {
  /// Whether every scale times a power of two is an FP32 number.
  fileprivate func canTake(unitExponent: Int) -> Bool {
    guard unitExponent != 0 else { return true }
    guard let scale = scale?.element, scale.significandBitCount == 1 else { return false }
    return scale.leastSpacingExponent + unitExponent >= -149 && unitExponent < 0
  }
}

/// What the encoders of ggml's formats have in common.
enum GGMLNumbers {
  /// The largest number of FP16.
  static let greatestHalf = Float(ElementFormat.fp16.greatestFiniteMagnitude)

  /// A scale as FP16 holds it, and as codes follow from it.
  struct Scale {
    /// The FP16 bits, to nearest even.
    let code: UInt32
    /// The scale before it was rounded; under `OverflowRule.saturate` within FP16.
    let used: Float

    init(_ scale: Float, overflow: OverflowRule) {
      code = ElementFormat.fp16.code(for: Double(scale), overflow: overflow)
      let isClipped = overflow == .saturate && scale.magnitude > GGMLNumbers.greatestHalf
      used = isClipped ? Float(ElementFormat.fp16.value(of: code)) : scale
    }
  }

  /// 1 / d; 0 where d is 0 or that is infinite.
  static func reciprocal(_ d: Float) -> Float {
    let reciprocal = 1 / d
    return reciprocal.isFinite ? reciprocal : 0
  }

  /// The first finite value of the largest magnitude; 0 if there is none.
  static func firstGreatest(of values: Span<Float>) -> Float {
    var greatest: Float = 0
    for position in values.indices where values[position].isFinite {
      if values[position].magnitude > greatest.magnitude { greatest = values[position] }
    }
    return greatest
  }

  /// The values with infinities as the largest finite magnitude of the block, and NaN as zero or +∞.
  static func finite(_ values: Span<Float>, _ rule: NonFiniteRule) -> [Float] {
    let amax = ValueStatistics(values).amax
    return values.indices.map { finite(values[$0], amax: amax, rule) }
  }

  /// A value, or what stands for it in a block of some largest finite magnitude.
  static func finite(_ value: Float, amax: Float, _ rule: NonFiniteRule) -> Float {
    let number = number(value, rule)
    return number.isFinite ? number : Float(signOf: number, magnitudeOf: amax)
  }

  /// A value, or what stands in the place of a NaN that did not make its block NaN.
  static func number(_ value: Float, _ rule: NonFiniteRule) -> Float {
    value.isNaN ? rule.replacementOfNaN : value
  }

  /// The nearest integer, ties to even, of magnitudes up to 2^22; what the same bits give beyond.
  static func nearestInteger(_ value: Float) -> Int {
    let magic: Float = 0x1.8p23
    return Int((value + magic).bitPattern & 0x7F_FFFF) - 0x40_0000
  }

  /// As `nearestInteger`, of eight values.
  @inline(__always)
  static func nearestIntegers(_ values: SIMD8<Float>) -> SIMD8<Int32> {
    let bits = unsafeBitCast(values + 0x1.8p23, to: SIMD8<Int32>.self)
    return (bits & 0x7F_FFFF) &- 0x40_0000
  }

  /// Eight integers within 0..<2^23 as numbers.
  @inline(__always)
  static func floats(_ integers: SIMD8<Int32>) -> SIMD8<Float> {
    unsafeBitCast(integers | 0x4B00_0000, to: SIMD8<Float>.self) - 0x1p23
  }

  /// What formats follow of which rounding is a part of the definition.
  static func followsAllButRounding(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .overflow, .nonFinite: true
    case .rounding, .scaleFloor, .zeroBlock, .zeroSign, .scaleArithmetic: false
    }
  }

  /// Decodes a block of codes and one scale, the fields 0 and 1: elements times the scale.
  static func decode(
    _ fields: BlockFields, _ context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(context.value(of: fields[1, 0], in: 1))
    for position in values.indices {
      let element = Float(context.elementValue(of: fields[0, position]))
      values[position] = (element * scale).canonicalNaN
    }
  }

  /// A part of a block.
  static func range(_ part: Int, of length: Int, in count: Int) -> Range<Int> {
    part * length..<min((part + 1) * length, count)
  }
}

extension ElementFormat {
  /// Codes of n bits that stand for an integer plus an offset.
  ///
  /// - Parameters:
  ///   - n: the bits.
  ///   - offset: 2^(n-1) if `nil`.
  static func offsetInteger(bitCount n: Int, offset: Int? = nil) -> ElementFormat {
    let offset = offset ?? 1 << (n - 1)
    let values = (0..<1 << n).map { Double($0 - offset) }
    return ElementFormat(
      name: "int\(n)_offset\(offset)", table: ValueTable(values))
  }
}

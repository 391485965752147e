import CallerChecks
import NumericSupport

/// Elements that share a power-of-two scale, with or without microexponents: MX, BDR and MSFP.
///
/// A value is element · 2^(e - τ): e is the exponent of the block's scale and τ the sub-scale of
/// the element's sub-block (0 where there are none). An element is x · 2^(τ - e), which Double holds
/// exactly, rounded once; decoding rounds only where the product leaves FP32's normal range. The
/// scale's exponent follows the policy's power-of-two rule and is clamped to the scale format; under
/// the topmost scales `CodeLimit` keeps decoded values finite. With β = 2^d2 - 1 the sub-scale is
/// τ = min(max(e - e', 0), β), where e' is the rule's exponent for the sub-block's own amax; a
/// sub-block of zeros has τ = β.
///
/// A NaN block stores the scale's NaN, sub-scales 0, and the element's NaN code (0 if it has none).
///
/// Sources: OCP Microscaling Formats v1.0 section 6.3; Rouhani et al., "With shared
/// microexponents, a little shifting goes a long way", ISCA 2023 (arXiv 2302.08007).
public struct SharedExponentFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// Every power-of-two rule, and searches around each.
  public var scaleRules: [ScaleRule] { ScaleRule.powersOfTwo }

  /// A block of zeros has one of two scales; powers of two leave nothing to round.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    switch aspect {
    case .scaleRule, .rounding, .overflow, .nonFinite, .zeroBlock: true
    case .zeroSign: element.hasNegativeZero
    case .scaleFloor, .scaleArithmetic: false
    }
  }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format.
  ///   - block: the elements that share a scale.
  ///   - scaleBitCount: the width of the exponent-only scale, 8 for E8M0.
  ///   - microexponents: the second level inside a block, if any.
  ///   - rounding: the default rounding.
  public init(
    id: String, source: String, element: ElementFormat, block: BlockShape,
    scaleBitCount: Int = 8, microexponents: Microexponents? = nil,
    rounding: RoundingRule = .toNearestOrEven
  ) {
    require(
      (2...8).contains(scaleBitCount), "\(scaleBitCount) scale exponent bits are outside 2...8")
    self.id = id
    self.source = source
    let scale = ElementFormat.exponentOnly(bitCount: scaleBitCount)
    bias = (1 << (scaleBitCount - 1)) - 1
    greatestScaleCode = scale.greatestFiniteCode
    self.microexponents = microexponents
    layout = BlockLayout(
      block: block,
      fields: [.codes(element), .blockScale(scale)]
        + (microexponents.map { [.microexponents(bitCount: $0.bitCount, length: $0.length)] } ?? [])
    )
    defaultPolicy = EncodingPolicy(
      rounding: rounding, nonFinite: .blockNaN, scaleRule: .powerOfTwo(.floor))
  }

  /// Shared microexponents: each sub-block of a block lowers the block's exponent by its sub-scale.
  public struct Microexponents: Hashable, Sendable {
    /// The bits of a sub-scale, d2 of the BDR paper: 1...8.
    public var bitCount: Int
    /// The elements that share one, k2 of the BDR paper: a divisor of the block length.
    public var length: Int

    /// Creates microexponents; `BlockLayout` checks them.
    public init(bitCount: Int, length: Int) {
      self.bitCount = bitCount
      self.length = length
    }

    /// The largest sub-scale.
    package var greatest: Int { (1 << bitCount) - 1 }
  }

  /// The second level inside a block; `nil` where there is none.
  public let microexponents: Microexponents?

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
    static let subscales = 2
  }

  /// Below every exponent that a rule gives: what it gives for a block of zeros.
  private static let exponentOfZero = -4096

  /// The exponent of scale code c is c - bias.
  private let bias: Int
  private let greatestScaleCode: UInt32
  private var scaleNaN: UInt32 { greatestScaleCode + 1 }

  /// Chooses the shared exponent, then the microexponents below it.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields[Field.scale, 0] = scaleNaN
      if microexponents != nil { fields.fill(Field.subscales, with: 0) }
      return
    }
    switch context.policy.scaleRule.as(PowerOfTwoScale.self) {
    case .rule(let rule):
      setScale(ruleExponent(statistics.amax, rule), values, rule, &fields)
    case .search(let rule):
      searchScale(ruleExponent(statistics.amax, rule), values, rule, context, &fields)
    case nil: refuse("\(id) has no scale rule \(context.policy.scaleRule.id)")
    }
    if statistics.amax == 0 && context.policy.zeroBlock == .one {
      fields[Field.scale, 0] = UInt32(bias)
    }
  }

  /// The rule's exponent, or one below every scale for amax = 0.
  private func ruleExponent(_ amax: Float, _ rule: PowerOfTwoRule) -> Int {
    amax == 0 ? Self.exponentOfZero : rule.exponent(amax: amax, element: element)
  }

  /// Stores the scale of an exponent, clamped, and the sub-scales below it.
  func setScale(
    _ exponent: Int, _ values: Span<Float>, _ rule: PowerOfTwoRule,
    _ fields: inout BlockFields
  ) {
    let code = min(max(exponent + bias, 0), Int(greatestScaleCode))
    fields[Field.scale, 0] = UInt32(code)
    guard let microexponents else { return }
    for index in 0..<fields.count(of: Field.subscales) {
      let part = values.extracting(subBlock(index, microexponents, values.count))
      let own = ruleExponent(ValueStatistics(part).amax, rule)
      fields[Field.subscales, index] = UInt32(
        min(max(code - bias - own, 0), microexponents.greatest))
    }
  }

  /// The exponents that a search tries, in the order in which they win ties.
  static func searchedExponents(around exponent: Int) -> [Int] {
    [exponent, exponent - 1, exponent + 1]
  }

  private func searchScale(
    _ exponent: Int, _ values: Span<Float>, _ rule: PowerOfTwoRule,
    _ context: borrowing EncodingContext, _ fields: inout BlockFields
  ) {
    let tally = fields.tally
    var best = (exponent: exponent, error: Double.infinity)
    for candidate in SharedExponentFormat.searchedExponents(around: exponent) {
      setScale(candidate, values, rule, &fields)
      encodeElements(of: values, context: context, into: &fields)
      let error = squaredError(of: fields, context: context.decoding, against: values)
      if error < best.error { best = (candidate, error) }
    }
    setScale(best.exponent, values, rule, &fields)
    fields.tally = tally
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard fields[Field.scale, 0] != scaleNaN else {
      fields.fill(Field.codes, with: element.nanCode ?? 0)
      return
    }
    let exponent = Int(fields[Field.scale, 0]) - bias
    guard let microexponents else {
      encode(values.indices, of: values, exponent: exponent, context, &fields)
      return
    }
    for index in 0..<fields.count(of: Field.subscales) {
      encode(
        subBlock(index, microexponents, values.count), of: values,
        exponent: exponent - Int(fields[Field.subscales, index]), context, &fields)
    }
  }

  @inline(__always)
  private func encode(
    _ range: Range<Int>, of values: Span<Float>, exponent: Int,
    _ context: borrowing EncodingContext, _ fields: inout BlockFields
  ) {
    let multiplier = Double.scaled(1, byPowerOfTwo: -exponent)
    let scale = Double.scaled(1, byPowerOfTwo: exponent)
    let limit = context.codeLimit { Float($0 * scale) }
    for position in range {
      fields[Field.codes, position] = context.code(
        for: Double(values[position]) * multiplier, at: position, limit: limit,
        tally: &fields.tally)
    }
  }

  private func subBlock(
    _ index: Int, _ microexponents: Microexponents, _ count: Int
  ) -> Range<Int> {
    index * microexponents.length..<min((index + 1) * microexponents.length, count)
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = context.value(of: fields[Field.scale, 0], in: Field.scale)
    guard let microexponents else {
      for position in values.indices {
        values[position] = Float(context.elementValue(of: fields[Field.codes, position]) * scale)
      }
      return
    }
    for index in 0..<fields.count(of: Field.subscales) {
      let part = Double.scaled(scale, byPowerOfTwo: -Int(fields[Field.subscales, index]))
      for position in subBlock(index, microexponents, values.count) {
        values[position] = Float(context.elementValue(of: fields[Field.codes, position]) * part)
      }
    }
  }
}

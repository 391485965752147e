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
public struct SharedExponentFormat: BlockFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public let defaultPolicy: EncodingPolicy

  /// Every power-of-two rule, and searches around each.
  public var scaleRules: [ScaleRule] { ScaleRule.powersOfTwo }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format.
  ///   - block: the elements that share a scale.
  ///   - scaleBitCount: the width of the exponent-only scale, 8 for E8M0.
  ///   - subscale: microexponents, if any.
  ///   - rounding: the default rounding.
  public init(
    id: String, source: String, element: ElementFormat, block: BlockShape,
    scaleBitCount: Int = 8, subscale: SubscaleLayout? = nil,
    rounding: RoundingRule = .toNearestOrEven
  ) {
    require(
      (2...8).contains(scaleBitCount), "\(scaleBitCount) scale exponent bits are outside 2...8")
    self.id = id
    self.source = source
    let scale = ElementFormat.exponentOnly(bitCount: scaleBitCount)
    bias = (1 << (scaleBitCount - 1)) - 1
    greatestScaleCode = scale.greatestFiniteCode
    layout = BlockLayout(element: element, block: block, scale: scale, subscale: subscale)
    defaultPolicy = EncodingPolicy(
      rounding: rounding, nonFinite: .blockNaN, scaleRule: .powerOfTwo(.floor))
  }

  /// The exponent of scale code c is c - bias.
  private let bias: Int
  private let greatestScaleCode: UInt32
  private var scaleNaN: UInt32 { greatestScaleCode + 1 }

  /// Chooses the shared exponent, then the microexponents below it.
  public func encodeScale(
    of values: UnsafeBufferPointer<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.policy.poisons(statistics, element: element) else {
      fields.scale = scaleNaN
      fields.subscales.update(repeating: 0)
      return
    }
    switch context.policy.scaleRule {
    case .powerOfTwo(let rule):
      setScale(ruleExponent(statistics.amax, rule), values, rule, &fields)
    case .search(let rule):
      searchScale(ruleExponent(statistics.amax, rule), values, rule, context, &fields)
    case .unscaled, .amax, .amaxPowerOfTwo, .fourOverSix:
      refuse("\(id) has no scale rule \(context.policy.scaleRule.id)")
    }
    if statistics.amax == 0 && context.policy.zeroBlock == .one { fields.scale = UInt32(bias) }
  }

  /// The rule's exponent, or one below every scale for amax = 0.
  private func ruleExponent(_ amax: Float, _ rule: PowerOfTwoRule) -> Int {
    amax == 0 ? -4096 : rule.exponent(amax: amax, element: element)
  }

  /// Stores the scale of an exponent, clamped, and the sub-scales below it.
  private func setScale(
    _ exponent: Int, _ values: UnsafeBufferPointer<Float>, _ rule: PowerOfTwoRule,
    _ fields: inout BlockFields
  ) {
    let code = min(max(exponent + bias, 0), Int(greatestScaleCode))
    fields.scale = UInt32(code)
    guard let subscale = layout.subscale else { return }
    let greatest = (1 << subscale.bitWidth) - 1
    for index in fields.subscales.indices {
      let part = UnsafeBufferPointer(rebasing: values[subBlock(index, subscale, values.count)])
      let own = ruleExponent(ValueStatistics(part).amax, rule)
      fields.subscales[index] = UInt32(min(max(code - bias - own, 0), greatest))
    }
  }

  /// The exponents that a search tries, in the order in which they win ties.
  package static func searchedExponents(around exponent: Int) -> [Int] {
    [exponent, exponent - 1, exponent + 1]
  }

  /// The fields that an exponent stands for in a block, for explanations.
  package func scales(
    forExponent exponent: Int, rule: PowerOfTwoRule, of values: [Float]
  ) -> BlockTrace.Scales {
    let length = layout.subscale?.length ?? values.count
    let count = layout.subscale == nil ? 0 : (values.count + length - 1) / length
    return withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { subscales in
      subscales.initialize(repeating: 0)
      var fields = BlockFields(
        subscales: subscales, codes: UnsafeMutableBufferPointer(start: nil, count: 0))
      values.withUnsafeBufferPointer { setScale(exponent, $0, rule, &fields) }
      return BlockTrace.Scales(scale: fields.scale, subscales: Array(subscales))
    }
  }

  private func searchScale(
    _ exponent: Int, _ values: UnsafeBufferPointer<Float>, _ rule: PowerOfTwoRule,
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
    of values: UnsafeBufferPointer<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard fields.scale != scaleNaN else {
      fields.codes.update(repeating: element.nanCode ?? 0)
      return
    }
    let exponent = Int(fields.scale) - bias
    guard let subscale = layout.subscale else {
      encode(values.indices, of: values, exponent: exponent, context, &fields)
      return
    }
    for index in fields.subscales.indices {
      encode(
        subBlock(index, subscale, values.count), of: values,
        exponent: exponent - Int(fields.subscales[index]), context, &fields)
    }
  }

  @inline(__always)
  private func encode(
    _ range: Range<Int>, of values: UnsafeBufferPointer<Float>, exponent: Int,
    _ context: borrowing EncodingContext, _ fields: inout BlockFields
  ) {
    let multiplier = Double.scaled(1, byPowerOfTwo: -exponent)
    let scale = Double.scaled(1, byPowerOfTwo: exponent)
    let limit = context.codeLimit { Float($0 * scale) }
    for position in range {
      fields.codes[position] = context.code(
        for: Double(values[position]) * multiplier, at: position, limit: limit,
        tally: &fields.tally)
    }
  }

  private func subBlock(_ index: Int, _ subscale: SubscaleLayout, _ count: Int) -> Range<Int> {
    index * subscale.length..<min((index + 1) * subscale.length, count)
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    let scale = context.scaleValue(of: fields.scale)
    guard let subscale = layout.subscale else {
      for position in values.indices {
        values[position] = Float(context.elementValue(of: fields.codes[position]) * scale)
      }
      return
    }
    for index in fields.subscales.indices {
      let part = Double.scaled(scale, byPowerOfTwo: -Int(fields.subscales[index]))
      for position in subBlock(index, subscale, values.count) {
        values[position] = Float(context.elementValue(of: fields.codes[position]) * part)
      }
    }
  }
}

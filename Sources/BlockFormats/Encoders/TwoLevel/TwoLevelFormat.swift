import CallerChecks

/// Elements with a narrow scale for each block and one FP32 scale for the tensor: NVFP4 and VSQ.
///
/// The tensor scale can be left out, which gives FP16, BF16 or FP8 scales by themselves (S = 1).
/// With E the element's and T the scale format's largest value, every step one FP32 operation:
///
/// 1. S = fl(E·T / amax) for the tensor, at least 2^-149 and at most FLT_MAX; 1 when amax = 0, or
///    E·T is 0·∞ since FP32 holds neither. Stored: R = min(fl(1 / S), FLT_MAX).
/// 2. s = scale format, to nearest even and saturating, of fl(amax_b · fl(S · fl(1 / E))); of 0
///    when amax_b = 0.
/// 3. r = min(fl(1 / fl(s · R)), FLT_MAX), where R is min(fl(1 / S), FLT_MAX) for a given tensor
///    scale, too.
/// 4. code = element of fl(x · r), by the policy's rounding.
///
/// An element thus rounds a number that has been rounded before, in r and in its product with x, and
/// may differ from the element nearest to x / (s · stored) where that quotient is within some units
/// in the last place of a tie.
///
/// A value decodes to fl(fl(q · s) · stored), and `CodeLimit` keeps that finite. amax is over finite
/// values. A block whose s is zero stores codes 0. A NaN block stores the scale's NaN and codes 0; where the scale format has no
/// NaN (integers) the tensor scale is NaN instead, and with it the whole tensor.
///
/// With `fourOverSix` E·T is 6 · 256, s is tried with 1/6 and 1/4 in step 2, and the smaller
/// squared error wins, ties to 6.
///
/// These are the steps of `ScaleArithmetic.multiply`; it says how the others order them. There the tensor
/// scale is at least 2^-128, and a divisor that underflows to zero counts as 2^-149.
///
/// Sources: TransformerEngine's NVFP4 casts and arXiv 2509.25149; arXiv 2512.02010 (four over
/// six); Dai et al., "VS-Quant", MLSys 2021.
public struct TwoLevelFormat: ComposedFormat, Hashable {
  /// The canonical id.
  public let id: String
  /// The defining document.
  public let source: String
  /// What the format stores.
  public let layout: BlockLayout
  /// The choices made where the caller states none.
  public var defaultPolicy: EncodingPolicy

  /// `amax`, and four over six for E2M1 with E4M3 scales.
  public var scaleRules: [ScaleRule] {
    element == .e2m1fn && scaleFormat == .e4m3fn && tensorScale == .float32
      ? [.amax, .fourOverSix, .fourOverSixAbsolute] : [.amax]
  }

  /// Block scales may be zero, a block of zeros has one of two, and every step rounds.
  public func follows(_ aspect: PolicyAspect) -> Bool {
    aspect == .zeroSign ? element.hasNegativeZero : true
  }

  /// Creates a format.
  ///
  /// - Parameters:
  ///   - id: the canonical id.
  ///   - source: the defining document.
  ///   - element: the element format.
  ///   - block: the elements that share a block scale.
  ///   - scale: the format of block scales; negative codes are never produced.
  ///   - tensorScale: whether there is an FP32 scale above; without one S is 1.
  ///   - scaleRule: the default rule.
  public init(
    id: String, source: String, element: ElementFormat, block: BlockShape, scale: ElementFormat,
    tensorScale: TensorScaling = .float32, scaleRule: ScaleRule = .amax
  ) {
    require(
      scale.codesRise,
      "the codes of \(scale) do not rise with its values, as block scales of \(id) must")
    require(scale.hasZero, "\(scale) has no zero, so it cannot be a block scale of \(id)")
    require(
      scale.nanCode != nil || tensorScale != .absent,
      "\(id): neither \(scale) nor a tensor scale can say NaN")
    self.id = id
    self.source = source
    scaleFormat = scale
    self.tensorScale = tensorScale
    layout = BlockLayout(
      block: block,
      fields: [.codes(element), .blockScale(scale)]
        + (tensorScale == .float32 ? [.tensorScale] : []))
    defaultPolicy = EncodingPolicy(nonFinite: .blockNaN, scaleRule: scaleRule)
    require(
      scaleRules.contains(scaleRule),
      "\(id) cannot follow \(scaleRule.id): that rule is for E2M1 elements with E4M3 scales")
  }

  /// Whether there is a scale above those of the blocks.
  public enum TensorScaling: Hashable, Sendable {
    /// None: S is 1.
    case absent
    /// One FP32 decode multiplier.
    case float32
  }

  /// Whether there is a scale above those of the blocks.
  public let tensorScale: TensorScaling

  /// The places of the fields in the layout.
  enum Field {
    static let codes = 0
    static let scale = 1
  }

  private let scaleFormat: ElementFormat
  private var greatestElement: Float { Float(element.greatestFiniteMagnitude) }

  /// The tensor's scale: step 1 of the definition above.
  public func tensorScale(for statistics: ValueStatistics, policy: EncodingPolicy) -> TensorScale {
    if scaleFormat.nanCode == nil && policy.poisons(statistics, element: element) {
      return TensorScale(encode: .nan, decode: .nan)
    }
    let target = greatestElement * greatestScale(under: policy.scaleRule)
    guard statistics.amax > 0, target > 0 else { return TensorScale(encode: 1, decode: 1) }
    switch policy.scaleArithmetic {
    case .multiply, .quotient:
      let quotient =
        policy.scaleArithmetic == .multiply
        ? target / statistics.amax : target * (1 / statistics.amax)
      var scale = TensorScale(
        encode: min(max(quotient, .leastNonzeroMagnitude), .greatestFiniteMagnitude), decode: 1)
      scale.decode = scale.encodeReciprocal
      return scale
    case .divide, .reciprocal:
      let quotient = max(statistics.amax / target, TensorScale.leastDecode)
      return TensorScale(decode: min(quotient, .greatestFiniteMagnitude))
    }
  }

  /// Chooses the block's scale by the policy's rule.
  public func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    guard !context.tensorScale.encode.isNaN else {
      fields[Field.scale, 0] = 0
      return
    }
    if context.policy.poisons(statistics, element: element), let nan = scaleFormat.nanCode {
      fields[Field.scale, 0] = nan
      return
    }
    let rule = context.policy.scaleRule
    require(scaleRules.contains(rule), "\(id) has no scale rule \(rule.id)")
    if rule.isFourOverSix {
      encodeBetterBranch(of: values, amax: statistics.amax, context, &fields)
    } else {
      fields[Field.scale, 0] = scaleCode(
        amax: statistics.amax, mappedTo: greatestElement, tensorScale: context.tensorScale,
        context.policy)
    }
    if statistics.amax == 0 && context.policy.zeroBlock == .one {
      fields[Field.scale, 0] = withinFloat32(scaleFormat.code(for: 1))
    }
  }

  /// Stores the scale of the target whose decoded block has the smallest error.
  private func encodeBetterBranch(
    of values: Span<Float>, amax: Float, _ context: borrowing EncodingContext,
    _ fields: inout BlockFields
  ) {
    let tally = fields.tally
    var best: (scale: UInt32, error: Double)?
    let rule = context.policy.scaleRule
    for target in targets(of: rule) {
      fields[Field.scale, 0] = scaleCode(
        amax: amax, mappedTo: target, tensorScale: context.tensorScale, context.policy)
      encodeElements(of: values, context: context, into: &fields)
      let error =
        rule == .fourOverSixAbsolute
        ? absoluteError(of: fields, context: context.decoding, against: values)
        : squaredError(of: fields, context: context.decoding, against: values)
      if error < best?.error ?? .infinity || best == nil { best = (fields[Field.scale, 0], error) }
    }
    if let best { fields[Field.scale, 0] = best.scale }
    fields.tally = tally
  }

  /// The code of the scale that maps a block's amax to an element value.
  func scaleCode(
    amax: Float, mappedTo target: Float, tensorScale: TensorScale, _ policy: EncodingPolicy
  ) -> UInt32 {
    // Factors and divisors may leave FP32, and with zero give NaN.
    let scale =
      amax == 0
      ? 0 : wantedScale(amax: amax, mappedTo: target, tensorScale, policy.scaleArithmetic)
    let code = scaleFormat.code(for: Double(scale))
    switch policy.scaleFloor {
    case .unbounded: return withinFloat32(code)
    case .leastNonzero: return withinFloat32(max(code, 1))
    case .eighthForZero:
      return withinFloat32(code == 0 ? max(scaleFormat.code(for: 0.125), 1) : code)
    case .leastNormal:
      let least = scaleFormat.leastNormalMagnitude.map { scaleFormat.code(for: $0) } ?? 1
      return withinFloat32(max(code, least))
    }
  }

  /// What is rounded to the scale of a block that is not zero.
  func wantedScale(
    amax: Float, mappedTo target: Float, _ tensorScale: TensorScale, _ arithmetic: ScaleArithmetic
  ) -> Float {
    switch arithmetic {
    case .multiply: amax * (tensorScale.encode * (1 / target))
    case .divide: amax / max(target * tensorScale.decode, .leastNonzeroMagnitude)
    case .reciprocal: amax / target / tensorScale.decode
    case .quotient: amax / target * tensorScale.encode
    }
  }

  /// The code, or the largest one that FP32 holds: scale formats may reach beyond it.
  private func withinFloat32(_ code: UInt32) -> UInt32 {
    guard Float(scaleFormat.value(of: code)).isInfinite else { return code }
    return scaleFormat.codeLimit { Float($0) }.magnitude
  }

  /// The largest block scale that the tensor scale aims at: with four over six, one and a half times
  /// as much must still be a scale.
  func greatestScale(under rule: ScaleRule) -> Float {
    rule.isFourOverSix ? 256 : Float(scaleFormat.greatestFiniteMagnitude)
  }

  /// The element values that a rule may map a block's amax to, in the order in which they win ties.
  func targets(of rule: ScaleRule) -> [Float] {
    rule.isFourOverSix ? [greatestElement, 4] : [greatestElement]
  }

  /// Encodes the block's values with the scale in `fields`.
  public func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {
    guard fields[Field.scale, 0] != 0, fields[Field.scale, 0] != scaleFormat.nanCode else {
      fields.fill(Field.codes, with: 0)
      return
    }
    let scale = Float(context.decoding.value(of: fields[Field.scale, 0], in: Field.scale))
    let scaling = scaling(
      scale: scale, tensorScale: context.tensorScale, context.policy.scaleArithmetic)
    let tensorScale = context.decoding.tensorScale
    let limit = context.codeLimit { TwoLevelFormat.decoded($0, scale, tensorScale) }
    for position in values.indices {
      fields[Field.codes, position] = context.code(
        for: Double(scaling(values[position])), at: position, limit: limit,
        tally: &fields.tally)
    }
  }

  /// What happens to values under a scale above zero: step 3 of the definition above.
  func scaling(
    scale: Float, tensorScale: TensorScale, _ arithmetic: ScaleArithmetic
  ) -> ElementScaling {
    switch arithmetic {
    case .multiply:
      .multiplying(by: 1 / (scale * tensorScale.encodeReciprocal))
    case .divide: .dividing(by: scale * tensorScale.decode)
    case .reciprocal: .multiplying(by: 1 / tensorScale.decode / scale)
    case .quotient: .dividing(by: scale / tensorScale.encode)
    }
  }

  /// Decodes the block.
  public func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let scale = Float(context.value(of: fields[Field.scale, 0], in: Field.scale))
    for position in values.indices {
      let element = context.elementValue(of: fields[Field.codes, position])
      values[position] =
        TwoLevelFormat.decoded(element, scale, context.tensorScale).canonicalNaN
    }
  }

  @inline(__always)
  private static func decoded(_ element: Double, _ scale: Float, _ tensorScale: Float) -> Float {
    Float(element) * scale * tensorScale
  }
}

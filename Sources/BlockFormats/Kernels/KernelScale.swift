internal import CBlockKernels

/// How kernels find the scales of a format's blocks.
enum KernelScale {
  /// There are none.
  case unscaled
  /// Powers of two with or without sub-scales; `candidates` are exponent steps from the rule's.
  case shared(BKSharedScale, candidates: [Int32])
  /// One FP32 number for each block.
  case float(BKFloatScale)
  /// Elements below a tensor scale of one, which the tensor's own replaces; several rules where the
  /// better of several targets wins.
  case twoLevel([BKTwoLevelScale], decoding: BKElement)
  /// Numbers of a type that kernels read and write, found and used by an encoder of whole blocks.
  case stored(BKBlockCoder)
  /// Numbers that bits double in parts of their block.
  case doubled(BKDoublings)

  /// The same with the limits between which products of the element are tame.
  func taming(_ element: BKElement) -> KernelScale {
    switch self {
    case .unscaled, .stored, .doubled: return self
    case .shared(var rule, let candidates):
      (rule.tame_limit, rule.least_multiplier) = (element.tame_limit, element.least_multiplier)
      return .shared(rule, candidates: candidates)
    case .float(var rule):
      (rule.tame_limit, rule.least_multiplier) = (element.tame_limit, element.least_multiplier)
      return .float(rule)
    case .twoLevel(var rules, let decoding):
      for index in rules.indices {
        rules[index].tame_limit = element.tame_limit
        rules[index].least_multiplier = max(rules[index].least_multiplier, element.least_multiplier)
      }
      return .twoLevel(rules, decoding: decoding)
    }
  }

  /// How many scales are tried for each block.
  var candidateCount: Int {
    switch self {
    case .shared(_, let candidates): candidates.count
    case .twoLevel(let rules, _): rules.count
    case .unscaled, .float, .stored, .doubled: 1
    }
  }

  /// Whether a block is encoded several times to choose its scale.
  var triesCandidates: Bool { candidateCount > 1 }
}

/// A format whose scales kernels can find.
///
/// The constants come from the format's own steps, so that the definition stays in one place.
protocol KernelFormat: BlockFormat {
  /// How values are scaled before they are rounded.
  var kernelScaling: BKElement.Scaling { get }
  /// The code of values in a block without a usable scale.
  var poisonCode: UInt32 { get }
  /// The scale step; `nil` where kernels cannot express it.
  func kernelScale(policy: EncodingPolicy) -> KernelScale?
  /// The element under a policy; `nil` where kernels cannot express it.
  func kernelElement(policy: EncodingPolicy) -> BKElement?
}

extension KernelFormat {
  func kernelElement(policy: EncodingPolicy) -> BKElement? {
    guard element.isSigned || element.isTable else { return nil }
    return BKElement(
      element, encoder: ElementEncoder(element, policy: policy), poison: poisonCode,
      scaling: kernelScaling)
  }
}

extension CastFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .none }
  var poisonCode: UInt32 { 0 }
  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    .unscaled
  }
}

extension ScaledFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { element.nanCode ?? 0 }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    guard policy.scaleArithmetic == .multiply else { return nil }
    return .float(
      BKFloatScale(
        greatest: target(of: policy.scaleRule), tame_limit: 0, least_multiplier: 0,
        is_power_of_two: policy.scaleRule == .amaxPowerOfTwo, unit: 0, least: 0))
  }
}

extension AbsmaxFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    .float(
      BKFloatScale(
        greatest: 1, tame_limit: 0, least_multiplier: 0, is_power_of_two: false, unit: greatest,
        least: AbsmaxFormat.leastScale))
  }
}

extension SharedExponentFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byPowersOfTwo }
  var poisonCode: UInt32 { element.nanCode ?? 0 }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    let powerRule: PowerOfTwoRule
    var candidates: [Int32] = [0]
    switch policy.scaleRule.as(PowerOfTwoScale.self) {
    case .rule(let rule): powerRule = rule
    case .search(let rule):
      powerRule = rule
      candidates = SharedExponentFormat.searchedExponents(around: 0).map(Int32.init)
    case nil: return nil
    }
    guard let scale = layout.factors?.scale?.element, let nan = scale.nanCode,
      case .floatingPoint(let fields) = scale.encoding
    else { return nil }
    let greatestSubscale = layout.factors?.shift?.greatest ?? 0
    // Decoding needs the power of two of the lowest sub-block as an FP32 number.
    guard fields.exponentBias + greatestSubscale <= 149 else { return nil }
    var result = powerRule.kernelRule(element: element)
    result.bias = Int32(fields.exponentBias)
    result.greatest_code = scale.greatestFiniteCode
    result.nan_code = nan
    result.zero_code = policy.zeroBlock == .one ? UInt32(fields.exponentBias) : 0
    result.greatest_subscale = UInt32(greatestSubscale)
    result.is_unstepped = candidates.count == 1
    // Below this scale the largest element is below 2^127.
    let greatest = element.magnitude(of: element.greatestMagnitudeCode)
    let finite = fields.exponentBias + 127 - Int(greatest.exponent)
    result.plain_end = UInt32(min(max(finite, 0), Int(scale.greatestFiniteCode)))
    return .shared(result, candidates: candidates)
  }
}

extension PowerOfTwoRule {
  /// The rule as an offset and steps where the fraction of the magnitude reaches thresholds, found
  /// by asking the rule.
  fileprivate func kernelRule(element: ElementFormat) -> BKSharedScale {
    var result = BKSharedScale()
    result.product = 1
    result.zero_exponent = Int32(Float.leastNonzeroMagnitude.exponent)
    if self == .rceil {
      result.product = 1 / Float(element.greatestFiniteMagnitude)
      result.threshold = (1, 1 << 23)
      return result
    }
    func exponent(_ fraction: UInt32) -> Int {
      self.exponent(amax: Float(bitPattern: 127 << 23 | fraction), element: element)
    }
    let lowest = exponent(0)
    func threshold(_ step: Int) -> UInt32 {
      var (below, reached): (UInt32, UInt32) = (0, 1 << 23)
      while reached - below > 1 {
        let middle = (below + reached) / 2
        if exponent(middle) >= lowest + step { reached = middle } else { below = middle }
      }
      return reached
    }
    result.offset = Int32(lowest)
    result.threshold = (threshold(1), threshold(2))
    return result
  }
}

extension TwoLevelFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    guard policy.scaleArithmetic == .multiply, policy.scaleFloor != .eighthForZero,
      policy.scaleRule != .fourOverSixAbsolute,
      let format = layout.factors?.scale?.element, format.bitWidth <= 8
    else { return nil }
    let encoder = ElementEncoder(format, rounding: .toNearestOrEven, overflow: .saturate)
    guard
      let scale = BKElement(
        format, encoder: encoder, poison: format.nanCode ?? 0, scaling: .byRounding),
      // Kernels round scales as they round tame elements, to the even sum: with a fraction bit that
      // is the even code.
      scale.tame_limit > 0, scale.fraction_bits > 0
    else { return nil }
    let lowest = scaleCode(
      amax: 0, mappedTo: 1, tensorScale: TensorScale(encode: 1, decode: 1),
      policy)
    // An element times its scale may leave FP32 before the tensor scale would bring it back.
    let greatest = element.magnitude(of: element.greatestMagnitudeCode)
    let staysInFP32 = greatest * format.greatestFiniteMagnitude < 0x1p127
    let rules = targets(of: policy.scaleRule).map { target in
      BKTwoLevelScale(
        scale: scale, factor: 1 / target, tensor_reciprocal: 1, floor_code: lowest,
        zero_code: policy.zeroBlock == .one ? format.code(for: 1) : lowest, tame_limit: 0,
        least_multiplier: staysInFP32 ? 0 : .infinity)
    }
    return .twoLevel(rules, decoding: scale)
  }
}

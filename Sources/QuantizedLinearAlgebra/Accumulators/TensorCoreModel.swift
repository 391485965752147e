import CallerChecks
import NumericSupport

/// A tensor core that adds the products of a group in fixed point, aligned to the largest of them.
///
/// The products of a scale group of `ProductDefinition`, without their scales, are taken
/// `groupLength` at a time, in order. Of each such step:
///
/// 1. Every product is exact. Its exponent is the sum of its factors' exponents, so its significand
///    is in [1, 4) and not normalized. Subnormal elements count as normalized numbers.
/// 2. e is the largest exponent of the products and of the accumulator. Zeros have none.
/// 3. Products and accumulator become multiples of 2^(e - fractionBits), by `rounding`.
/// 4. They are added exactly, and the sum is rounded to `fractionBits` bits behind its leading one,
///    again by `rounding`: the new accumulator. Its exponent has no limits.
///
/// After every `promotionInterval` elements, and at the end of a scale group, the accumulator is
/// promoted: Y = fl(fl(accumulator) · fl₂₄(sₐ · s_b) + Y), as in `ProductDefinition`, and the
/// accumulator is zero again. Without scales their product is 1. Products that are not finite add up
/// by IEEE 754: the accumulator is NaN or ±∞ until it is promoted.
///
/// Scales that a tensor core multiplies itself, inside its sum, are outside this model.
///
/// Source: the alignment, truncation and promotion of Hopper's FP8 are described in DeepSeek-V3
/// (arXiv 2412.19437, section 3.3.2). The details of steps 1, 2 and 4 are choices made here.
public struct TensorCoreModel: Hashable, Sendable {
  /// The products of one addition, in `groupLengthRange`.
  public let groupLength: Int
  /// The bits f behind the largest exponent that take part, in `fractionBitRange`.
  public let fractionBits: Int
  /// What happens to the bits beyond.
  public let rounding: Rounding
  /// The elements N between promotions to FP32: a multiple of `groupLength`.
  public let promotionInterval: Int

  /// How bits beyond the kept ones go.
  public enum Rounding: String, Hashable, Sendable, CaseIterable {
    /// Dropped: toward zero.
    case truncate
    /// To nearest, ties to even.
    case nearestEven = "nearest_even"
  }

  /// The possible numbers of products in an addition.
  public static let groupLengthRange = 1...65536
  /// The possible numbers of fraction bits.
  public static let fractionBitRange = 1...40

  /// Creates a model.
  ///
  /// - Precondition: `groupLength` and `fractionBits` are in their ranges, and `promotionInterval`
  ///   is a positive multiple of `groupLength`.
  public init(groupLength: Int, fractionBits: Int, rounding: Rounding, promotionInterval: Int) {
    require(
      TensorCoreModel.isValid(groupLength, fractionBits, promotionInterval),
      """
      a tensor core with groups of \(groupLength), \(fractionBits) fraction bits and promotion \
      after \(promotionInterval) is not possible
      """)
    self.groupLength = groupLength
    self.fractionBits = fractionBits
    self.rounding = rounding
    self.promotionInterval = promotionInterval
  }

  /// An approximation of FP8 on Hopper, until it is compared with the hardware.
  ///
  /// Groups of 32, 13 fraction bits, truncation, promotion after 128 elements. The promotion is
  /// software's (DeepSeek-V3); the hardware alone never promotes.
  public static let hopperFP8Like = TensorCoreModel(
    groupLength: 32, fractionBits: 13, rounding: .truncate, promotionInterval: 128)

  /// The id with all parameters, such as
  /// `tensor_core(group=32,f=13,rounding=truncate,promote=128)`.
  public var id: String {
    """
    tensor_core(group=\(groupLength),f=\(fractionBits),rounding=\(rounding.rawValue),\
    promote=\(promotionInterval))
    """
  }

  /// The model that an id names, or `nil`; `hopper_fp8_like` names `hopperFP8Like`.
  public init?(id: String) {
    if id == "hopper_fp8_like" {
      self = .hopperFP8Like
      return
    }
    let pattern =
      /tensor_core\(group=(\d{1,5}),f=(\d{1,2}),rounding=([a-z_]+),promote=(\d{1,12})\)/
    guard let match = id.wholeMatch(of: pattern), let groupLength = Int(match.1),
      let fractionBits = Int(match.2), let rounding = Rounding(rawValue: String(match.3)),
      let promotionInterval = Int(match.4),
      TensorCoreModel.isValid(groupLength, fractionBits, promotionInterval)
    else { return nil }
    self.init(
      groupLength: groupLength, fractionBits: fractionBits, rounding: rounding,
      promotionInterval: promotionInterval)
  }

  /// One line with all choices.
  public var summary: String {
    let how = rounding == .truncate ? "truncated toward zero" : "rounded to nearest, ties to even,"
    let text = """
      \(groupLength) products and the accumulator aligned to the largest exponent, \(how) to \
      \(fractionBits) fraction bits, added, \(how) again, promoted to FP32 every \
      \(promotionInterval) elements and at the end of a scale group, to nearest, ties to even
      """
    return self == .hopperFP8Like
      ? text + "; an approximation of Hopper FP8 until compared with hardware" : text
  }

  private static func isValid(_ groupLength: Int, _ fractionBits: Int, _ interval: Int) -> Bool {
    groupLengthRange.contains(groupLength) && fractionBitRange.contains(fractionBits)
      && interval >= groupLength && interval % groupLength == 0
  }
}

extension TensorCoreModel: AccumulatorModel {
  static let standard = TensorCoreModel.hopperFP8Like

  func sum(_ operands: DotOperands, registers: inout [ExactSum]) -> Float {
    var y: Float = 0
    for group in 0..<operands.groupCount {
      let range = operands.range(group)
      let scale = operands.roundedScale(group)
      for start in stride(from: range.lowerBound, to: range.upperBound, by: promotionInterval) {
        let interval = start..<min(start + promotionInterval, range.upperBound)
        y.addProduct(Float(accumulated(operands, interval)), scale)
      }
    }
    return y
  }

  /// The accumulator at the end of an interval.
  private func accumulated(_ operands: DotOperands, _ interval: Range<Int>) -> Double {
    var accumulator = 0.0
    for start in stride(from: interval.lowerBound, to: interval.upperBound, by: groupLength) {
      accumulator = step(
        accumulator, operands, start..<min(start + groupLength, interval.upperBound))
    }
    return accumulator
  }

  /// The accumulator after one addition.
  private func step(
    _ accumulator: Double, _ operands: DotOperands, _ range: Range<Int>
  ) -> Double {
    let (a, b) = (operands.a, operands.b)
    var greatest = accumulator == 0 ? Int.min : accumulator.binaryExponent
    var special = accumulator.isFinite ? 0 : accumulator
    for index in range {
      let product = a[index] * b[index]
      if product == 0 { continue }
      if !product.isFinite { special += product }
      greatest = max(greatest, a[index].binaryExponent + b[index].binaryExponent)
    }
    guard special == 0 else { return special }
    guard greatest > Int.min else { return 0 }
    // Multiplying by a power of two is exact: products are multiples of 2^-298 and below 2^256.
    let unit = Double.scaled(1, byPowerOfTwo: fractionBits - greatest)
    // Each is below 2^(fractionBits + 2), and there are at most 2^16 + 1.
    var sum = rounded(accumulator * unit)
    for index in range { sum += rounded(a[index] * b[index] * unit) }
    return Double.scaled(
      Double(shortened(sum)), byPowerOfTwo: greatest - fractionBits)
  }

  private func rounded(_ x: Double) -> Int64 {
    switch rounding {
    case .truncate: Int64(x)
    case .nearestEven: Int64(x.rounded(.toNearestOrEven))
    }
  }

  /// An integer rounded to `fractionBits` bits behind its leading one.
  private func shortened(_ sum: Int64) -> Int64 {
    let magnitude = sum.magnitude
    let dropped = 64 - magnitude.leadingZeroBitCount - (fractionBits + 1)
    guard dropped > 0 else { return sum }
    var kept = magnitude >> UInt64(dropped)
    if rounding == .nearestEven {
      let rest = magnitude & ((1 << UInt64(dropped)) - 1)
      let half = UInt64(1) << UInt64(dropped - 1)
      if rest > half || rest == half && kept & 1 == 1 { kept += 1 }
    }
    let result = Int64(kept << UInt64(dropped))
    return sum < 0 ? -result : result
  }
}

extension Accumulator {
  /// A tensor core that aligns products to the largest one.
  public static func tensorCore(_ model: TensorCoreModel) -> Accumulator { Accumulator(model) }
}

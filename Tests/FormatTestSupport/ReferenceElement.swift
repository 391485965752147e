/// An element format as the published documents define it, decoded by plain arithmetic.
///
/// This is the oracle of the conformance tests, so it shares no code with the library: fields are
/// split by division, powers of two are built by repeated doubling, and special codes are told
/// apart by their fields. It favours being obviously right over being fast.
public struct ReferenceElement: Hashable, Sendable, CustomStringConvertible {
  /// How a code is read.
  public enum Kind: Hashable, Sendable {
    /// Sign, exponent and fraction; exponent field 0 holds zero and subnormals.
    case float
    /// As `float`, but exponent field 0 is an ordinary binade and there is no zero.
    case floatWithoutZero
    /// A two's-complement integer times 2^(-fractionBits); the least one is never encoded.
    case symmetricInteger
    /// A two's-complement integer times 2^(-fractionBits).
    case fullInteger
  }

  /// Which codes are not finite.
  public enum Specials: Hashable, Sendable, CaseIterable {
    case allFinite
    case ieee
    case allOnesNaN
    case topExponentNaN
    case minusZeroNaN
    case p3109Extended
  }

  public var name: String
  public var kind: Kind
  public var isSigned: Bool
  /// The width of the exponent field; for integers the bits above the binary point, sign included.
  public var exponentBits: Int
  public var fractionBits: Int
  public var bias: Int
  public var specials: Specials

  public init(
    _ name: String, _ kind: Kind = .float, signed isSigned: Bool = true, exponent: Int,
    fraction: Int, bias: Int, _ specials: Specials
  ) {
    self.name = name
    self.kind = kind
    self.isSigned = isSigned
    self.exponentBits = exponent
    self.fractionBits = fraction
    self.bias = bias
    self.specials = specials
  }

  /// A two's-complement integer q · 2^(-fraction).
  public init(_ name: String, integerBits bits: Int, fraction: Int, full: Bool = false) {
    self.init(
      name, full ? .fullInteger : .symmetricInteger, exponent: bits - fraction, fraction: fraction,
      bias: 0, .allFinite)
  }

  public var description: String { name }

  public var isInteger: Bool { kind == .symmetricInteger || kind == .fullInteger }

  public var bits: Int { exponentBits + fractionBits + (isSigned && !isInteger ? 1 : 0) }

  public var codeCount: Int { 1 << bits }

  /// The value of a code; NaN and infinity codes give themselves.
  public func value(of code: Int) -> Double {
    if isInteger {
      let integer = code < codeCount / 2 ? code : code - codeCount
      return Double(integer) * Self.powerOfTwo(-fractionBits)
    }
    let fractionSteps = 1 << fractionBits
    let exponentSteps = 1 << exponentBits
    let fraction = code % fractionSteps
    let exponent = code / fractionSteps % exponentSteps
    let isNegative = code / fractionSteps / exponentSteps == 1
    let isTopExponent = exponent == exponentSteps - 1
    let isTopFraction = fraction == fractionSteps - 1

    var isNaN = false
    var isInfinite = false
    switch specials {
    case .allFinite: break
    case .ieee:
      isNaN = isTopExponent && fraction != 0
      isInfinite = isTopExponent && fraction == 0
    case .allOnesNaN: isNaN = isTopExponent && isTopFraction
    case .topExponentNaN: isNaN = isTopExponent
    case .minusZeroNaN: isNaN = isNegative && exponent == 0 && fraction == 0
    case .p3109Extended where isSigned:
      isNaN = isNegative && exponent == 0 && fraction == 0
      isInfinite = isTopExponent && isTopFraction
    case .p3109Extended:
      isNaN = code == codeCount - 1
      isInfinite = code == codeCount - 2
    }
    if isNaN { return .nan }
    if isInfinite { return isNegative ? -.infinity : .infinity }

    let part = Double(fraction) / Double(fractionSteps)
    let size: Double
    if exponent == 0 && kind == .float {
      size = Self.powerOfTwo(1 - bias) * part
    } else {
      size = Self.powerOfTwo(exponent - bias) * (1 + part)
    }
    return isNegative ? -size : size
  }

  /// 2^n by doubling or halving, exact for every n that `Double` holds.
  public static func powerOfTwo(_ n: Int) -> Double {
    var result = 1.0
    for _ in 0..<abs(n) { result *= n < 0 ? 0.5 : 2 }
    return result
  }
}

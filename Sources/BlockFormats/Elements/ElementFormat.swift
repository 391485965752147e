import CallerChecks

/// A scalar number format: how one code of up to 32 bits stands for one value.
///
/// An element format is data, not a type. Its descriptor says how the bits are split and which
/// codes are special; every other property (largest value, subnormals, NaN and infinity codes,
/// value tables), encoding and decoding are derived from it.
///
/// Names follow the suffix grammar of the field: `FN` has no infinities and one NaN per sign (or
/// none at all below eight bits), `FNUZ` is finite with an unsigned zero whose negative code is
/// the NaN, a plain name is IEEE-like, a leading `U` is unsigned.
public struct ElementFormat: Hashable, Sendable {
  /// The lower-case name, such as `e4m3fn`.
  public let name: String

  /// How codes stand for values.
  public let encoding: Encoding

  /// Whether codes carry a sign.
  public enum Signedness: Hashable, Sendable {
    /// Negative values exist.
    case signed
    /// All values are at least zero.
    case unsigned
  }

  /// The ways in which a code stands for a value.
  public enum Encoding: Hashable, Sendable {
    /// Sign, exponent and fraction fields. With no exponent bits this is sign-magnitude fixed
    /// point, the element of block floating point.
    case floatingPoint(FloatingPointLayout)
    /// A two's-complement integer times a power of two.
    case twosComplement(FixedPointLayout)
    /// A value of its own for each code.
    case table(ValueTable)
  }

  /// The fields of a floating-point code, from the most significant bit: sign, exponent, fraction.
  ///
  /// A code with exponent field E and fraction field M (m bits) has magnitude
  /// 2^(E - bias) · (1 + M / 2^m) when E > 0 and 2^(1 - bias) · M / 2^m when E = 0.
  public struct FloatingPointLayout: Hashable, Sendable {
    /// Whether there is a sign bit.
    public var signedness: Signedness
    /// The width of the exponent field, 0...11.
    public var exponentBitCount: Int
    /// The width m of the stored fraction field.
    public var significandBitCount: Int
    /// The exponent bias.
    public var exponentBias: Int
    /// Which codes are not finite.
    public var specials: SpecialCodes
    /// What the lowest exponent field means.
    public var lowestBinade: LowestBinade

    /// Creates a layout; `ElementFormat.init(name:floatingPoint:)` checks it.
    public init(
      signedness: Signedness = .signed, exponentBitCount: Int, significandBitCount: Int,
      exponentBias: Int, specials: SpecialCodes, lowestBinade: LowestBinade = .subnormal
    ) {
      self.signedness = signedness
      self.exponentBitCount = exponentBitCount
      self.significandBitCount = significandBitCount
      self.exponentBias = exponentBias
      self.specials = specials
      self.lowestBinade = lowestBinade
    }
  }

  /// The codes of a floating-point format that are not finite numbers.
  public enum SpecialCodes: Hashable, Sendable {
    /// Every code is finite (E2M1, E2M3, E3M2).
    case allFinite
    /// As in IEEE 754: the top exponent field is infinity (M = 0) or NaN.
    case ieee
    /// NaN where all exponent and fraction bits are one; no infinity (the OCP `FN` formats).
    case nanAtAllOnes
    /// The whole top exponent field is NaN; no infinity.
    case nanInTopExponent
    /// One NaN in place of minus zero; no infinity (`FNUZ`, and P3109 signed finite).
    case nanAtNegativeZero
    /// IEEE P3109 extended: the all-ones magnitude is infinity and NaN takes the place of minus
    /// zero; without a sign NaN is the top code and infinity the one below it.
    case p3109Extended
  }

  /// The meaning of the exponent field zero.
  public enum LowestBinade: Hashable, Sendable {
    /// Zero and subnormal numbers, as in IEEE 754.
    case subnormal
    /// An ordinary binade 2^(-bias) · (1 + M / 2^m), so that zero has no code (E8M0).
    case normal
  }

  /// A two's-complement integer q of `bitCount` bits that stands for q · 2^(-fractionBitCount).
  public struct FixedPointLayout: Hashable, Sendable {
    /// The width of the code, sign included.
    public var bitCount: Int
    /// The number of fraction bits implied by the format, such as 6 for MX INT8.
    public var fractionBitCount: Int
    /// Which integers the encoder may produce.
    public var range: IntegerRange

    /// Creates a layout; `ElementFormat.init(name:twosComplement:)` checks it.
    public init(bitCount: Int, fractionBitCount: Int = 0, range: IntegerRange = .symmetric) {
      self.bitCount = bitCount
      self.fractionBitCount = fractionBitCount
      self.range = range
    }
  }

  /// The integers that an encoder may produce; decoding accepts every code.
  public enum IntegerRange: Hashable, Sendable {
    /// ±(2^(n-1) - 1): the most negative code is never produced.
    case symmetric
    /// -2^(n-1) ... 2^(n-1) - 1.
    case full
  }

  /// Creates a format from a floating-point layout.
  ///
  /// - Precondition: exponent bits 0...11, at least one and at most 32 bits in all, every value
  ///   exact in `Double`, and at least one positive number beside the special codes.
  public init(name: String, floatingPoint layout: FloatingPointLayout) {
    let signBits = layout.signedness == .signed ? 1 : 0
    let width = signBits + layout.exponentBitCount + layout.significandBitCount
    require(
      (0...11).contains(layout.exponentBitCount) && (0...23).contains(layout.significandBitCount)
        && (1...32).contains(width) && layout.exponentBitCount + layout.significandBitCount > 0,
      """
      element format \(name): \(layout.exponentBitCount) exponent and \
      \(layout.significandBitCount) fraction bits are outside 0...11 and 0...23
      """)
    let highest =
      (1 << layout.exponentBitCount) - 1 - layout.exponentBias
      - (layout.specials.reserveTopExponent ? 1 : 0)
    let lowest = -layout.exponentBias - layout.significandBitCount
    require(
      highest <= 1023 && lowest >= -1074,
      "element format \(name): exponents \(lowest)...\(highest) are not exact in Double")
    require(
      layout.specials != .ieee || layout.significandBitCount > 0 && layout.exponentBitCount > 0,
      "element format \(name): infinities and NaNs need an exponent and a fraction bit")
    require(
      layout.specials != .nanAtNegativeZero || layout.signedness == .signed,
      "element format \(name): an unsigned format has no minus zero to stand for NaN")
    self.name = name
    self.encoding = .floatingPoint(layout)
    require(
      greatestFiniteCode & ~magnitudeMask == 0 && greatestFiniteCode > (hasZero ? 0 : 1),
      "element format \(name): its special codes leave no positive number")
  }

  /// Creates a format from a fixed-point layout.
  ///
  /// - Precondition: 2...16 bits.
  public init(name: String, twosComplement layout: FixedPointLayout) {
    require(
      (2...16).contains(layout.bitCount) && abs(layout.fractionBitCount) <= 64,
      "element format \(name): \(layout.bitCount) bits are outside 2...16")
    self.name = name
    self.encoding = .twosComplement(layout)
  }

  /// Creates a format from a table of values.
  public init(name: String, table: ValueTable) {
    self.name = name
    self.encoding = .table(table)
  }
}

extension ElementFormat: CustomStringConvertible {
  /// The format's name.
  public var description: String { name }
}

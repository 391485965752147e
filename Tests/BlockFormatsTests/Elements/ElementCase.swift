import BlockFormats
import FormatTestSupport
import Testing

/// A format of the library beside its independent definition.
struct ElementCase: Sendable, CustomTestStringConvertible {
  let format: ElementFormat
  let reference: ReferenceElement

  var testDescription: String { reference.name }

  /// The formats of `ReferenceFacts.narrow`, each spelled out.
  static let narrow: [ElementCase] = [
    ElementCase(.e4m3fn, "e4m3fn"), ElementCase(.e5m2, "e5m2"),
    ElementCase(.e4m3fnuz, "e4m3fnuz"), ElementCase(.e5m2fnuz, "e5m2fnuz"),
    ElementCase(.e4m3b11fnuz, "e4m3b11fnuz"), ElementCase(.e4m3, "e4m3"),
    ElementCase(.e3m4, "e3m4"), ElementCase(.e2m3fn, "e2m3fn"), ElementCase(.e3m2fn, "e3m2fn"),
    ElementCase(.e2m1fn, "e2m1fn"), ElementCase(.e8m0fnu, "e8m0fnu"),
    ElementCase(.mxint8, "mxint8"), ElementCase(.mxint8(range: .full), "mxint8_full"),
    ElementCase(.mxint4, "mxint4"), ElementCase(.mxint2, "mxint2"), ElementCase(.ue4m3, "ue4m3"),
    ElementCase(.ue5m3, "ue5m3"),
    ElementCase(.ue5m3(greatest: .reservedTopExponent), "ue5m3_61440"),
    ElementCase(.int8, "int8"), ElementCase(.int4, "int4"), ElementCase(.int2, "int2"),
    ElementCase(.signMagnitude(magnitudeBitCount: 2), "sm2"),
    ElementCase(.signMagnitude(magnitudeBitCount: 3), "sm3"),
    ElementCase(.signMagnitude(magnitudeBitCount: 7), "sm7"),
    ElementCase(.unsignedInteger(bitCount: 4), "uint4"),
    ElementCase(.unsignedInteger(bitCount: 6), "uint6"),
  ]

  static let wide: [ElementCase] = [
    ElementCase(.fp16, "fp16"), ElementCase(.bf16, "bf16"), ElementCase(.tf32, "tf32"),
    ElementCase(.fp32, "fp32"),
  ]

  /// Every ExMy of at most 8 bits under every legal choice of specials.
  static let smallFloats = ReferenceElement.smallFloats.map { reference in
    ElementCase(
      format: .floatingPoint(
        exponent: reference.exponentBits, significand: reference.fractionBits,
        specials: ElementFormat.SpecialCodes(reference.specials),
        signedness: reference.isSigned ? .signed : .unsigned),
      reference: reference)
  }

  static let oddBiases = ReferenceElement.oddBiases.map { reference in
    ElementCase(
      format: .floatingPoint(
        exponent: reference.exponentBits, significand: reference.fractionBits,
        bias: reference.bias, specials: ElementFormat.SpecialCodes(reference.specials)),
      reference: reference)
  }

  static let p3109 = (3...8).flatMap { k in
    (1...k).flatMap { p in
      [ElementFormat.Signedness.signed, .unsigned].flatMap { signedness in
        ElementFormat.P3109Domain.allCases.compactMap { domain in
          signedness == .signed && p == k
            ? nil : ElementCase.p3109(width: k, precision: p, signedness, domain)
        }
      }
    }
  }

  static func p3109(
    width: Int, precision: Int, _ signedness: ElementFormat.Signedness,
    _ domain: ElementFormat.P3109Domain
  ) -> ElementCase {
    ElementCase(
      format: .p3109(width: width, precision: precision, signedness: signedness, domain: domain),
      reference: .p3109(
        width, precision, signed: signedness == .signed, extended: domain == .extended))
  }

  init(format: ElementFormat, reference: ReferenceElement) {
    self.format = format
    self.reference = reference
  }

  private init(_ format: ElementFormat, _ name: String) {
    self.init(format: format, reference: ReferenceFacts.named(name).element)
  }
}

extension ElementFormat.SpecialCodes {
  init(_ specials: ReferenceElement.Specials) {
    self =
      switch specials {
      case .allFinite: .allFinite
      case .ieee: .ieee
      case .allOnesNaN: .nanAtAllOnes
      case .topExponentNaN: .nanInTopExponent
      case .minusZeroNaN: .nanAtNegativeZero
      case .p3109Extended: .p3109Extended
      }
  }
}

extension RoundingRule {
  init(_ rounding: NearestSearch.Rounding) {
    self =
      switch rounding {
      case .nearestEven: .toNearestOrEven
      case .nearestAway: .toNearestOrAway
      case .nearestTowardZero: .toNearestOrTowardZero
      case .nearestUp: .toNearestOrUp
      case .towardZero: .towardZero
      case .up: .up
      case .down: .down
      case .toOdd: .toOdd
      }
  }
}

extension OverflowRule {
  init(_ overflow: NearestSearch.Overflow) {
    self = overflow == .saturate ? .saturate : .special
  }
}

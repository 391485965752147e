import BlockFormats
import FormatTestSupport

/// Every catalog format and some unusual ones, written a second time for the reference encoders.
enum ReferenceTable {
  typealias Element = ReferenceBlockElement
  typealias Kind = ReferenceBlockFormat.Kind

  static let e4m3fn = Element.float(4, 3, bias: 7, .topCode)
  static let e5m2 = Element.float(5, 2, bias: 15, .ieee)
  static let e2m3 = Element.float(2, 3, bias: 1, .allFinite)
  static let e3m2 = Element.float(3, 2, bias: 3, .allFinite)
  static let e2m1 = Element.float(2, 1, bias: 1, .allFinite)
  static let ue5m3 = Element.float(5, 3, bias: 15, .topCode, signed: false)
  static let ue5m3Reserved = Element.float(5, 3, bias: 15, .topExponent, signed: false)

  private static func mx(_ element: Element, _ block: Int = 32) -> ReferenceBlockFormat {
    ReferenceBlockFormat(
      element, .vector(block), .powerOfTwo(scaleBits: 8, subLength: nil, subBits: 0))
  }

  private static func bdr(
    _ m: Int, _ k1: Int, _ k2: Int, _ d1: Int, _ d2: Int
  ) -> ReferenceBlockFormat {
    ReferenceBlockFormat(
      .signMagnitude(m), .vector(k1), .powerOfTwo(scaleBits: d1, subLength: k2, subBits: d2))
  }

  private static func bfp(_ m: Int, _ block: Int = 16, _ d1: Int = 8) -> ReferenceBlockFormat {
    ReferenceBlockFormat(
      .signMagnitude(m), .vector(block), .powerOfTwo(scaleBits: d1, subLength: nil, subBits: 0))
  }

  private static func nvfp4(
    _ shape: ReferenceBlockFormat.Shape, _ scale: Element = e4m3fn
  ) -> ReferenceBlockFormat {
    ReferenceBlockFormat(e2m1, shape, .twoLevel(scale, leastNormalCode: 8))
  }

  private static func vsq(_ bits: Int, _ block: Int, _ scaleBits: Int) -> ReferenceBlockFormat {
    ReferenceBlockFormat(
      .integer(bits), .vector(block), .twoLevel(.unsigned(scaleBits), leastNormalCode: 1))
  }

  private static func scaled(
    _ element: Element, _ shape: ReferenceBlockFormat.Shape
  ) -> ReferenceBlockFormat {
    ReferenceBlockFormat(element, shape, .float32)
  }

  private static func cast(_ element: Element) -> ReferenceBlockFormat {
    ReferenceBlockFormat(element, .vector(32), .cast)
  }

  /// Catalog ids, FP32 aside, which is the identity.
  static let catalog: [(id: String, format: ReferenceBlockFormat)] = [
    ("mxfp8_e4m3", mx(e4m3fn)), ("mxfp8_e5m2", mx(e5m2)), ("mxfp6_e2m3", mx(e2m3)),
    ("mxfp6_e3m2", mx(e3m2)), ("mxfp4", mx(e2m1)), ("mxint8", mx(.integer(8, fraction: 6))),
    ("mxint8_full", mx(.integer(8, fraction: 6, full: true))),
    ("mxint4", mx(.integer(4, fraction: 2))), ("mxint2", mx(.integer(2))),
    ("mx9", bdr(7, 16, 2, 8, 1)), ("mx6", bdr(4, 16, 2, 8, 1)), ("mx4", bdr(2, 16, 2, 8, 1)),
    ("msfp12", bfp(3)), ("msfp13", bfp(4)), ("msfp14", bfp(5)), ("msfp15", bfp(6)),
    ("msfp16", bfp(7)),
    ("nvfp4", nvfp4(.vector(16))), ("nvfp4_2d", nvfp4(.tile(16, 16))),
    ("nvfp4_4over6", nvfp4(.vector(16))), ("nvfp4_ue5m3", nvfp4(.vector(16), ue5m3)),
    ("nvfp4_ue5m3_61440", nvfp4(.vector(16), ue5m3Reserved)), ("vsq", vsq(4, 16, 6)),
    ("fp8_e4m3_tensor", scaled(e4m3fn, .tensor)), ("fp8_e4m3_row", scaled(e4m3fn, .row)),
    ("fp8_e4m3_1x128", scaled(e4m3fn, .vector(128))),
    ("fp8_e4m3_128x128", scaled(e4m3fn, .tile(128, 128))),
    ("fp8_e5m2_tensor", scaled(e5m2, .tensor)), ("fp8_e5m2_row", scaled(e5m2, .row)),
    ("fp8_e5m2_1x128", scaled(e5m2, .vector(128))),
    ("fp8_e5m2_128x128", scaled(e5m2, .tile(128, 128))),
    ("int8_row", scaled(.integer(8), .row)), ("int8_tensor", scaled(.integer(8), .tensor)),
    ("int8_1x128", scaled(.integer(8), .vector(128))), ("int4_row", scaled(.integer(4), .row)),
    ("int4_1x128", scaled(.integer(4), .vector(128))),
    ("int4_1x32", scaled(.integer(4), .vector(32))),
    ("int2_1x32", scaled(.integer(2), .vector(32))),
    ("bf16", cast(.float(8, 7, bias: 127, .ieee))), ("fp16", cast(.float(5, 10, bias: 15, .ieee))),
    ("tf32", cast(.float(8, 10, bias: 127, .ieee))), ("e4m3fn", cast(e4m3fn)),
    ("e5m2", cast(e5m2)), ("e4m3", cast(.float(4, 3, bias: 7, .ieee))),
    ("e3m4", cast(.float(3, 4, bias: 3, .ieee))),
    ("e4m3fnuz", cast(.float(4, 3, bias: 8, .minusZero))),
    ("e5m2fnuz", cast(.float(5, 2, bias: 16, .minusZero))),
    ("e4m3b11fnuz", cast(.float(4, 3, bias: 11, .minusZero))), ("e2m3fn", cast(e2m3)),
    ("e3m2fn", cast(e3m2)), ("e2m1fn", cast(e2m1)),
    ("e8m0fnu", cast(.float(8, 0, bias: 127, .topCode, signed: false, hasZero: false))),
    ("ue4m3", cast(.float(4, 3, bias: 7, .topCode, signed: false))), ("ue5m3", cast(ue5m3)),
    ("ue5m3_61440", cast(ue5m3Reserved)), ("int8", cast(.integer(8))), ("int4", cast(.integer(4))),
    ("int2", cast(.integer(2))),
  ]

  /// Compositions that nobody ships, which meet code paths that round widths do not.
  static let unusual: [(id: String, format: ReferenceBlockFormat)] = [
    ("mxfp4(block=3)", mx(e2m1, 3)), ("mxfp8_e4m3(block=1)", mx(e4m3fn, 1)),
    ("mx(element=float(e=2,m=2,specials=none),block=5)", mx(.float(2, 2, bias: 1, .allFinite), 5)),
    ("mx(element=float(e=4,m=6),block=7)", mx(.float(4, 6, bias: 7, .ieee), 7)),
    ("mx(element=e4m3fnuz,block=4)", mx(.float(4, 3, bias: 8, .minusZero), 4)),
    ("mx(element=float(e=3,m=0,specials=none),block=8)", mx(.float(3, 0, bias: 3, .allFinite), 8)),
    ("mx(element=ue4m3,block=6)", mx(.float(4, 3, bias: 7, .topCode, signed: false), 6)),
    ("bdr(m=5,k1=32,k2=4,d1=8,d2=2)", bdr(5, 32, 4, 8, 2)),
    ("bdr(m=3,k1=6,k2=3,d1=5,d2=3)", bdr(3, 6, 3, 5, 3)),
    ("bdr(m=15,k1=4,k2=1,d1=8,d2=2)", bdr(15, 4, 1, 8, 2)),
    ("bdr(m=1,k1=7,k2=7,d1=2,d2=8)", bdr(1, 7, 7, 2, 8)),
    ("bfp(m=2,block=3,d1=4)", bfp(2, 3, 4)), ("bfp(m=11,block=1,d1=8)", bfp(11, 1)),
    ("nvfp4(block=5)", nvfp4(.vector(5))), ("nvfp4_4over6(block=1)", nvfp4(.vector(1))),
    ("vsq(bits=3,block=5,scale_bits=4)", vsq(3, 5, 4)),
    ("vsq(bits=7,block=9,scale_bits=10)", vsq(7, 9, 10)),
    ("int(bits=5,block=7)", scaled(.integer(5), .vector(7))),
    ("int(bits=13,block=row)", scaled(.integer(13), .row)),
    ("int(bits=2,block=tensor)", scaled(.integer(2), .tensor)),
    ("float(e=3,m=1,specials=none)", cast(.float(3, 1, bias: 3, .allFinite))),
    ("fp8(element=e4m3fn,block=3x5)", scaled(e4m3fn, .tile(3, 5))),
    ("nvfp4(block=2x3)", nvfp4(.tile(2, 3))),
    ("scaled(element=sm3,block=row,scale=fp32)", scaled(.signMagnitude(3), .row)),
    (
      "scaled(element=e2m1fn,block=5,scale=bf16)",
      ReferenceBlockFormat(
        e2m1, .vector(5),
        .twoLevel(.float(8, 7, bias: 127, .ieee), leastNormalCode: 0x80, hasTensorScale: false))
    ),
    (
      "scaled(element=int5,block=row,scale=fp16)",
      ReferenceBlockFormat(
        .integer(5), .row,
        .twoLevel(.float(5, 10, bias: 15, .ieee), leastNormalCode: 0x400, hasTensorScale: false))
    ),
    (
      "scaled(element=e4m3fn,block=2x4,scale=ue5m3,tensor_scale=yes)",
      ReferenceBlockFormat(e4m3fn, .tile(2, 4), .twoLevel(ue5m3, leastNormalCode: 8))
    ),
    (
      "scaled(element=e2m3fn,block=3,scale=e5m0fnu)",
      ReferenceBlockFormat(
        e2m3, .vector(3), .powerOfTwo(scaleBits: 5, subLength: nil, subBits: 0))
    ),
  ]

  /// Tiles that have no id in the grammar.
  static var tiles: [(format: any BlockFormat, reference: ReferenceBlockFormat)] {
    [
      (
        SharedExponentFormat(
          id: "tile_fp4", source: "test", element: .e2m1fn, block: .tile(rows: 2, columns: 3)),
        ReferenceBlockFormat(
          e2m1, .tile(2, 3), .powerOfTwo(scaleBits: 8, subLength: nil, subBits: 0))
      ),
      (.nvfp4(block: .tile(rows: 3, columns: 1)), nvfp4(.tile(3, 1))),
      (.fp8(.e5m2, block: .tile(rows: 2, columns: 5)), scaled(e5m2, .tile(2, 5))),
      (
        SharedExponentFormat(
          id: "row_fp6", source: "test", element: .e3m2fn, block: .row, scaleBitCount: 5),
        ReferenceBlockFormat(e3m2, .row, .powerOfTwo(scaleBits: 5, subLength: nil, subBits: 0))
      ),
      (
        SharedExponentFormat(id: "tensor_fp6", source: "test", element: .e2m3fn, block: .tensor),
        ReferenceBlockFormat(e2m3, .tensor, .powerOfTwo(scaleBits: 8, subLength: nil, subBits: 0))
      ),
      (.nvfp4(block: .tensor), nvfp4(.tensor)),
    ]
  }

  /// Every entry as a library format beside its reference.
  static func all() throws -> [(format: any BlockFormat, reference: ReferenceBlockFormat)] {
    try (catalog + unusual).map { (try FormatCatalog.format(id: $0.id), $0.format) } + tiles
  }
}

extension ReferenceBlockPolicy {
  /// The same choices in the reference's words.
  init(_ policy: EncodingPolicy) {
    func power(_ rule: PowerOfTwoRule) -> PowerOfTwo {
      switch rule {
      case .floor: .floor
      case .ceil: .ceil
      case .rceil: .rceil
      case .even: .even
      case .evenE2M1: .evenE2M1
      case .nearestLog2: .nearestLog2
      }
    }
    let nonFinite: NonFinite =
      switch policy.nonFinite {
      case .blockNaN: .blockNaN
      case .element: .element
      case .nanToZero: .nanToZero
      case .nanToMax: .nanToMax
      }
    let scale: Scale =
      switch policy.scaleRule.choice {
      case PowerOfTwoScale.rule(let rule): .powerOfTwo(power(rule))
      case PowerOfTwoScale.search(let rule): .search(power(rule))
      case AmaxRule.amax: .amax
      case AmaxRule.amaxPowerOfTwo: .amaxPowerOfTwo
      case AmaxRule.amaxHalfStep: .amaxHalfStep
      case AmaxRule.fourOverSix: .fourOverSix
      case AmaxRule.fourOverSixAbsolute: .fourOverSixAbsolute
      default: .none
      }
    self.init(nonFinite: nonFinite, scale: scale)
    overflowIsSpecial = policy.overflow == .special
    zeroBlockIsOne = policy.zeroBlock == .one
    floor =
      switch policy.scaleFloor {
      case .unbounded: .none
      case .leastNonzero: .leastNonzero
      case .leastNormal: .leastNormal
      case .eighthForZero: .eighthForZero
      }
    zeroSign =
      switch policy.zeroSign {
      case .kept: .kept
      case .positive: .positive
      case .keptUnlessZero: .keptUnlessZero
      case .negativeForZero: .negativeForZero
      }
    arithmetic =
      switch policy.scaleArithmetic {
      case .multiply: .multiply
      case .divide: .divide
      case .reciprocal: .reciprocal
      case .divideByQuotient: .divideByQuotient
      }
    rounding =
      switch policy.rounding {
      case .toNearestOrEven: .nearestEven
      case .toNearestOrAway: .nearestAway
      case .toNearestOrTowardZero: .nearestTowardZero
      case .toNearestOrUp: .nearestUp
      case .towardZero: .towardZero
      case .up: .up
      case .down: .down
      case .toOdd: .odd
      case .stochastic(let source):
        .stochastic(
          ReferenceRandomBits(
            seed: source.seed, stream: source.stream, bitCount: source.randomBitCount))
      }
  }
}

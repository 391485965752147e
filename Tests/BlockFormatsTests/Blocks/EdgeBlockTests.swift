import BlockFormats
import FormatTestSupport
import Testing

@Suite("Edges of power-of-two blocks")
struct EdgeBlockTests {
  @Test("A block of zeros stores the lowest scale, keeps signs and decodes to zeros")
  func zeros() {
    let values: [Float] = [0, -0.0, 0, -0.0]
    for format: SharedExponentFormat in [.mxfp8E4M3, .mxfp4, .msfp12] {
      let tensor = values.quantized(to: format)
      #expect(tensor.scales.unpacked() == [0])
      #expect(tensor.dequantized().elements.map(\.bitPattern) == values.map(\.bitPattern))
    }
    let mx9 = values.quantized(to: .mx9)
    #expect(mx9.subscales.unpacked() == [1, 1] && mx9.codes.unpacked() == [0, 0x80, 0, 0x80])
    // Two's complement has one zero.
    let integers = values.quantized(to: .mxint8)
    #expect(integers.codes.unpacked() == [0, 0, 0, 0])
    #expect(integers.dequantized().elements.map(\.bitPattern) == [0, 0, 0, 0])
    var one = SharedExponentFormat.mxfp4.defaultPolicy
    one.zeroBlock = .one
    #expect(values.quantized(to: .mxfp4, policy: one).scales.unpacked() == [127])
  }

  @Test("One NaN or infinity makes its block NaN and leaves the next alone")
  func poison() {
    for bad: Float in [.nan, .infinity, -.infinity] {
      var values = [Float](repeating: 1, count: 64)
      values[31] = bad
      for format: SharedExponentFormat in [.mxfp8E4M3, .mxfp6E3M2, .mxfp4, .mxint8] {
        let tensor = values.quantized(to: format)
        #expect(tensor.scales.unpacked()[0] == 255 && tensor.scales.unpacked()[1] != 255)
        let expected = format.element == .e4m3fn ? 0x7F : UInt32(0)
        #expect(tensor.codes.unpacked().prefix(32).allSatisfy { $0 == expected })
        let decoded = tensor.dequantized().elements
        #expect(decoded[..<32].allSatisfy { bits in bits.bitPattern == 0x7FC0_0000 })
        #expect(decoded[32...].allSatisfy { $0 == 1 })
        #expect(tensor.tally.saturatedCount == 0)
      }
    }
    var bdr = [Float](repeating: 1, count: 16)
    bdr[5] = .nan
    let tensor = bdr.quantized(to: .mx6)
    #expect(tensor.scales.unpacked() == [255])
    #expect(tensor.subscales.unpacked().allSatisfy { $0 == 0 })
    #expect(tensor.codes.unpacked().allSatisfy { $0 == 0 })
  }

  @Test("The other rules for NaN and infinity keep the block")
  func nonFiniteRules() {
    let values: [Float] = [1, .nan, .infinity, -.infinity]
    func decoded(_ format: SharedExponentFormat, _ rule: NonFiniteRule) -> [Float] {
      var policy = format.defaultPolicy
      policy.nonFinite = rule
      return values.quantized(to: format, policy: policy).dequantized().elements
    }
    // amax is 1 over finite values, so the scale is 2^-8 for E4M3 and 2^-2 for E2M1.
    let element = decoded(.mxfp8E4M3, .element)
    #expect(element[0] == 1 && element[1].isNaN && element[2] == 1.75 && element[3] == -1.75)
    #expect(decoded(.mxfp8E4M3, .nanToZero) == [1, 0, 1.75, -1.75])
    #expect(decoded(.mxfp4, .nanToZero) == [1, 0, 1.5, -1.5])
    // E2M1 has no NaN, so the scale must carry it.
    #expect(decoded(.mxfp4, .element).filter(\.isNaN).count == 4)
    var special = SharedExponentFormat.mxfp8E5M2.defaultPolicy
    (special.nonFinite, special.overflow) = (.element, .special)
    let infinities = values.quantized(to: .mxfp8E5M2, policy: special).dequantized().elements
    #expect(infinities[0] == 1 && infinities[2] == .infinity && infinities[3] == -.infinity)
  }

  @Test("Overflow to special codes gives infinity, else NaN, else the largest value")
  func specialOverflow() {
    func decoded(_ format: SharedExponentFormat, _ value: Float) -> Float {
      var policy = format.defaultPolicy
      policy.overflow = .special
      return [value].quantized(to: format, policy: policy).dequantized().elements[0]
    }
    // 1.9 · 2^k overflows each of these under the floor rule.
    #expect(decoded(.mxfp8E5M2, 1.9) == .infinity && decoded(.mxfp8E5M2, -1.9) == -.infinity)
    #expect(decoded(.mxfp8E4M3, 1.9).isNaN)
    #expect(decoded(.mxfp4, 1.9) == 1.5)
  }

  @Test("amax one ulp under, at and over a power of two takes the exponent its rule says")
  func nearPowersOfTwo() {
    for exponent in [-20, 0, 3, 100] {
      let power = Float(sign: .plus, exponent: exponent, significand: 1)
      func exponents(_ rule: PowerOfTwoRule) -> [Int] {
        [power.nextDown, power, power.nextUp].map { amax in
          rule.exponent(amax: amax, element: .e2m1fn) - exponent + 2
        }
      }
      #expect(exponents(.floor) == [-1, 0, 0])
      #expect(exponents(.ceil) == [0, 0, 1])
      #expect(exponents(.even) == [0, 0, 0])
      #expect(exponents(.rceil) == [0, 0, 0])
      // log2(2^k / 6) = k - 2.58 rounds to k - 3; so does one ulp either side.
      #expect(exponents(.nearestLog2) == [-1, -1, -1])
    }
    #expect(PowerOfTwoRule.rceil.exponent(amax: 6, element: .e2m1fn) == 0)
    #expect(PowerOfTwoRule.rceil.exponent(amax: Float(6).nextUp, element: .e2m1fn) == 1)
    // The product with fl(64 / 127) is 1 one ulp above 127 / 64, where a quotient would exceed 1.
    let most = Float(127) / 64
    #expect(PowerOfTwoRule.rceil.exponent(amax: most.nextUp, element: .mxint8) == 0)
    #expect(PowerOfTwoRule.rceil.exponent(amax: most.nextUp.nextUp, element: .mxint8) == 1)
    #expect(PowerOfTwoRule.even.exponent(amax: 7, element: .e2m1fn) == 1)
    #expect(PowerOfTwoRule.even.exponent(amax: Float(7).nextDown, element: .e2m1fn) == 0)
    #expect(PowerOfTwoRule.even.exponent(amax: 496, element: .e4m3fn) == 1)
    #expect(PowerOfTwoRule.even.exponent(amax: Float(496).nextDown, element: .e4m3fn) == 0)
    // 127.5 / 64 is where seven magnitude bits round up to two.
    #expect(PowerOfTwoRule.even.exponent(amax: 1.9921875, element: .mxint8) == 1)
    #expect(PowerOfTwoRule.even.exponent(amax: Float(1.9921875).nextDown, element: .mxint8) == 0)
    // sqrt(1/2) · 6 = 4.2426: nearest_log2 turns between these neighbours.
    let turn = Float(0.5.squareRoot() * 6)
    let around = [turn.nextDown, turn, turn.nextUp].map {
      PowerOfTwoRule.nearestLog2.exponent(amax: $0, element: .e2m1fn)
    }
    #expect(around.first == -1 && around.last == 0)
  }

  @Test("Every rule has an exponent for every amax and every element, however large or small")
  func exponentsAtTheEnds() throws {
    // fl(amax / 0.75) leaves FP32, and asks for 2^128.
    let low = try ElementFormat(parsing: "float(e=3,m=1,bias=8,specials=none)")
    #expect(PowerOfTwoRule.rceil.exponent(amax: 3.4e38, element: low) == 128)
    // Of these, the largest element is 1.5 · 2^-129, 1.75 · 2^1022, 1.5 · 2^-507 and 2^512.
    let elements = try [
      "float(e=3,m=1,bias=136,specials=none)", "float(e=11,m=2)",
      "float(e=2,m=1,bias=510,specials=none)", "float(e=1,m=0,bias=-511,specials=none)",
    ].map { try ElementFormat(parsing: $0) }
    for element in elements + [.fp32, .e8m0fnu, .integer("int16", bitCount: 16)] {
      let most = element.greatestFiniteMagnitude
      for amax: Float in [
        .leastNonzeroMagnitude, .leastNormalMagnitude, 1, .greatestFiniteMagnitude,
      ] {
        for rule in PowerOfTwoRule.allCases where rule != .rceil {
          let distance = Int(amax.exponent) - Int(most.exponent)
          #expect(abs(rule.exponent(amax: amax, element: element) - distance) <= 1)
        }
        #expect((-149...128).contains(PowerOfTwoRule.rceil.exponent(amax: amax, element: element)))
        let nearest = PowerOfTwoRule.nearestLog2.exponent(amax: amax, element: element)
        let fraction = Double(amax.significand) / most.significand
        let step = fraction >= 2.0.squareRoot() ? 1 : fraction < 0.5.squareRoot() ? -1 : 0
        #expect(
          nearest == Int(amax.exponent) - Int(most.exponent) + step, "\(amax) over \(most)")
      }
    }
  }

  @Test("Subnormal and largest magnitudes clamp to the ends of the scale")
  func extremes() {
    let tiny = [Float.leastNonzeroMagnitude, 0x1p-130].quantized(to: .mxfp8E5M2)
    #expect(tiny.scales.unpacked() == [0])
    // 2^-130 / 2^-127 = 2^-3; 2^-149 / 2^-127 = 2^-22 is below E5M2's half of 2^-16.
    #expect(tiny.dequantized().elements == [0, 0x1p-130])
    let large = [Float.greatestFiniteMagnitude, -1e38].quantized(to: .mxint8)
    #expect(large.scales.unpacked() == [254])
    #expect(large.dequantized().elements[0] == 0x1.FCp127)
    // Ceil asks for 2^128, which the scale has not; the element saturates instead.
    var ceil = SharedExponentFormat.mxint8.defaultPolicy
    ceil.scaleRule = .powerOfTwo(.ceil)
    let clamped = [Float.greatestFiniteMagnitude].quantized(to: .mxint8, policy: ceil)
    #expect(clamped.scales.unpacked() == [254] && clamped.codes.unpacked() == [127])
    #expect(clamped.tally.saturatedCount == 1)
    // Five scale bits reach 2^-15 ... 2^15.
    let narrow = SharedExponentFormat(
      id: "e5m0", source: "test", element: .mxint8, block: .vector(length: 1), scaleBitCount: 5)
    let ends = [Float](arrayLiteral: 0x1p16, 0x1p15, 0x1p-15, 0x1p-16, 0x1p-22)
      .quantized(to: narrow)
    #expect(ends.scales.unpacked() == [30, 30, 0, 0, 0])
    #expect(ends.dequantized().elements == [0x1.FCp15, 0x1p15, 0x1p-15, 0x1p-16, 0])
  }

  @Test("Values that round to zero keep their sign where the element has one")
  func signedZero() {
    let values: [Float] = [100, -1e-6, 1e-6]
    for format: SharedExponentFormat in [.mxfp4, .mxfp6E2M3, .mx4, .msfp12] {
      let decoded = values.quantized(to: format).dequantized().elements
      #expect(decoded[1].bitPattern == 0x8000_0000 && decoded[2].bitPattern == 0)
    }
    #expect(values.quantized(to: .mxint8).dequantized().elements[1].bitPattern == 0)
  }

  @Test("MXINT8 never stores -128 unless the full range is asked for")
  func symmetricRange() {
    // -1.999 is the multiple of 2^-6 nearest to -2 under the floor rule.
    let values: [Float] = [-1.999, 1.999, -1.99, 0.5]
    let symmetric = values.quantized(to: .mxint8)
    #expect(symmetric.codes.unpacked() == [0x81, 0x7F, 0x81, 0x20])
    #expect(symmetric.tally.saturatedCount == 2)
    let full = values.quantized(to: .mx(element: .mxint8(range: .full)))
    #expect(full.codes.unpacked() == [0x80, 0x7F, 0x81, 0x20])
    #expect(full.tally.saturatedCount == 1 && full.dequantized().elements[0] == -2)
    for value in stride(from: Float(-4), through: 4, by: 1 / 128) {
      #expect([value].quantized(to: .mxint8).codes.unpacked() != [0x80])
    }
  }

  @Test("A microexponent is the distance below the block's exponent, at most 2^d2 - 1")
  func microexponents() {
    let format = SharedExponentFormat.bdr(m: 4, k1: 8, k2: 1, d1: 8, d2: 2)
    let tensor = [16, 15, 8, 7, 4, 3, 1, 0].quantized(to: format)
    #expect(tensor.scales.unpacked() == [131])
    #expect(tensor.subscales.unpacked() == [0, 1, 1, 2, 2, 3, 3, 3])
    #expect(tensor.dequantized().elements == [16, 15, 8, 7, 4, 3, 1, 0])
  }

  @Test(
    "A search adds squared errors in eight lanes, which decides blocks that tie but for rounding")
  func searchOrder() {
    // At scale 1 sixteen values of 1/4 err by 1/4; at 1/2 the value 4 errs by 1. Both sums are 1
    // and the squares of two tiny values, which the order of addition keeps or drops: in eight
    // lanes the sums are equal and the rule's scale stays, in four the other would win.
    var values = [Float](repeating: 0, count: 32)
    for index in [0, 1, 3, 4, 5, 8, 13, 15, 17, 19, 22, 23, 26, 27, 29, 31] { values[index] = 0.25 }
    values[11] = 4
    (values[9], values[28]) = (0x1.2p-27, 0x1.2p-27)
    var policy = SharedExponentFormat.mxfp4.defaultPolicy
    policy.scaleRule = .search(around: .floor)
    #expect(values.quantized(to: .mxfp4, policy: policy).scales.unpacked() == [127])
    // Without the value 4 nothing clips at 1/2, and the search takes it.
    values[11] = 2
    #expect(values.quantized(to: .mxfp4, policy: policy).scales.unpacked() == [126])
  }

  @Test("A NaN that the policy lets into a block does not decide a search")
  func searchBesideNaN() {
    var policy = TwoLevelFormat.nvfp4FourOverSix.defaultPolicy
    policy.nonFinite = .nanToZero
    func scale(_ values: [Float]) -> UInt32 {
      Tensor(values).quantized(to: .nvfp4FourOverSix, policy: policy, tensorScale: 1)
        .scales.unpacked()[0]
    }
    // 10, 20, 30, 40 is exact with 40 mapped to 4 and not with 40 mapped to 6.
    #expect(scale([10, 20, 30, 40]) == ElementFormat.e4m3fn.code(for: 10))
    #expect(scale([10, 20, 30, 40, .nan]) == ElementFormat.e4m3fn.code(for: 10))
    #expect(scale([10, .infinity, 20, 30, 40]) == ElementFormat.e4m3fn.code(for: 10))
  }
}

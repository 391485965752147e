import BlockFormats
import FormatTestSupport
import Testing

@Suite("Encoding again and scaling by powers of two")
struct IdempotenceTests {
  private static let powerOfTwoFormats: [SharedExponentFormat] = [
    .mxfp8E4M3, .mxfp8E5M2, .mxfp6E2M3, .mxfp6E3M2, .mxfp4, .mxint8, .mx(element: .mxint4), .mx9,
    .mx6, .mx4, .msfp12, .msfp16, .bdr(m: 5, k1: 32, k2: 4, d1: 8, d2: 2),
  ]

  /// Blocks whose elements differ by a few binades, anywhere in FP32.
  private func values(_ seed: UInt64) -> [Float] {
    var generator = ReferenceBlockRandom(seed: seed)
    return (0..<12).flatMap { block in
      let top = -145 + 24 * block
      return (0..<32).map { _ in
        generator.float(exponents: max(top - 12, -149)...min(top, 127))
      }
    }
  }

  @Test("Under the floor rule a decoded tensor encodes to the same bytes, whatever the rounding")
  func floorRule() {
    for (number, format) in Self.powerOfTwoFormats.enumerated() {
      for rounding in RoundingRule.deterministic + [.stochastic(StochasticSource(seed: 1))] {
        var policy = format.defaultPolicy
        policy.rounding = rounding
        let once = values(UInt64(number)).quantized(to: format, policy: policy)
        let twice = once.dequantized().quantized(to: format, policy: policy)
        #expect(twice.storedBytes == once.storedBytes, "\(format.id) \(rounding.id)")
        // Two's complement saturates nothing the second time either.
        #expect(twice.tally.saturatedCount == 0)
      }
    }
  }

  @Test("Under ceil, rceil, even and search the values stay, though a scale may step down")
  func otherRules() {
    var steppedDown = 0
    for (number, format) in Self.powerOfTwoFormats.enumerated() {
      for rule in [
        ScaleRule.powerOfTwo(.ceil), .powerOfTwo(.rceil), .powerOfTwo(.even),
        .search(around: .floor),
      ] {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        let once = values(UInt64(100 + number)).quantized(to: format, policy: policy)
        let twice = once.dequantized().quantized(to: format, policy: policy)
        #expect(twice.dequantized() == once.dequantized(), "\(format.id) \(rule.id)")
        if twice.storedBytes != once.storedBytes { steppedDown += 1 }
      }
    }
    // 1.01 under ceil: the scale of 2 makes it 1.0, whose scale is 1.
    #expect(steppedDown > 0)
  }

  @Test("Under nearest_log2 a second encoding can change the values")
  func nearestLog2() {
    var policy = SharedExponentFormat.mxfp4.defaultPolicy
    policy.scaleRule = .powerOfTwo(.nearestLog2)
    // log2(4.3 / 6) = -0.48 gives scale 1 and the element 4; log2(4 / 6) = -0.58 gives scale 1/2,
    // in which 4 is beyond the largest element, 3.
    let once = [4.3].quantized(to: .mxfp4, policy: policy).dequantized().elements
    #expect(once == [4])
    #expect(once.quantized(to: .mxfp4, policy: policy).dequantized().elements == [3])
  }

  @Test("NVFP4 with its tensor scale given keeps every byte")
  func nvfp4GivenScale() {
    // Eight binades keep the block scales normal: below 2^-6 a scale has fewer digits than amax / 6
    // needs, and the largest element may be another than 6.
    for (number, format): (Int, TwoLevelFormat) in [.nvfp4, .nvfp4TwoDimensional].enumerated() {
      for scale: Float in [1, 0.25, 0.3, 1.7e-3] {
        let x = Tensor(
          randomValues(640, exponents: 0...7, seed: UInt64(number)).map { $0 * scale },
          shape: [16, 40])
        let once = x.quantized(to: format, tensorScale: scale)
        let twice = once.dequantized().quantized(to: format, tensorScale: scale)
        #expect(twice.storedBytes == once.storedBytes)
      }
    }
  }

  @Test("NVFP4 and FP8 with scales from amax keep codes; the scale may change in its last bits")
  func recomputedScales() {
    var changed = 0
    for seed in 0..<40 {
      let x = Tensor(randomValues(64, exponents: -3...3, seed: UInt64(seed)))
      let once = x.quantized(to: .nvfp4)
      let twice = once.dequantized().quantized(to: .nvfp4)
      #expect(twice.codes == once.codes && twice.scales == once.scales)
      if twice.tensorScale != once.tensorScale { changed += 1 }
      let fp8 = x.quantized(to: .fp8(.e4m3fn, block: .row))
      #expect(fp8.dequantized().quantized(to: .fp8(.e4m3fn, block: .row)).codes == fp8.codes)
    }
    // The decoded amax is fl(2688 · fl(1 / fl(2688 / amax))), not always amax.
    #expect(changed > 0)
  }

  @Test("FP8 with power-of-two scales keeps every value")
  func powerOfTwoFP8() {
    var policy = ScaledFormat.fp8(.e4m3fn, block: .row).defaultPolicy
    policy.scaleRule = .amaxPowerOfTwo
    for seed in 0..<40 {
      let x = Tensor(randomValues(60, exponents: -9...3, seed: UInt64(seed)), shape: [6, 10])
      let once = x.fakeQuantized(to: .fp8(.e4m3fn, block: .row), policy: policy).tensor
      #expect(
        once.fakeQuantized(to: .fp8(.e4m3fn, block: .row), policy: policy).tensor == once)
    }
  }

  @Test("Multiplying by 2^n adds n to the scales and changes nothing else")
  func scaling() {
    for (number, format) in Self.powerOfTwoFormats.enumerated() {
      let x = randomValues(96, exponents: -6...6, seed: UInt64(200 + number))
      for rule in ScaleRule.powersOfTwo {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        let base = x.quantized(to: format, policy: policy)
        for n in [-40, -1, 3, 50] {
          let factor = Float(sign: .plus, exponent: n, significand: 1)
          let moved = x.map { $0 * factor }.quantized(to: format, policy: policy)
          #expect(moved.codes == base.codes, "\(format.id) \(rule.id)")
          #expect(moved.subscales == base.subscales)
          #expect(
            moved.scales.unpacked().map(Int.init) == base.scales.unpacked().map { Int($0) + n })
        }
      }
    }
  }
}

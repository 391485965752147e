import BlockFormats
import FormatTestSupport
import Testing

/// What encoding decoded values again keeps: the columns of the table "Encoding again" in FORMATS.md.
private enum Kept {
  /// Every stored byte.
  case bytes
  /// Codes and scales; FP32 scales may change in their last bits, and the values with them.
  case codes
  /// The decoded values; a scale may move, and the codes with it.
  case values
  /// Nothing is promised.
  case nothing

  func holds(from once: QuantizedTensor, to twice: QuantizedTensor) -> Bool {
    switch self {
    case .bytes: twice.storedBytes == once.storedBytes
    case .codes:
      twice.codes == once["codes"]
        && (once.format is ScaledFormat || twice.scales == once.scales)
    case .values: twice.dequantized() == once.dequantized()
    case .nothing: true
    }
  }

  /// A line of the table.
  static func promise(
    of format: any BlockFormat, _ rule: ScaleRule, _ rounding: RoundingRule, givenScale: Bool
  ) -> Kept {
    let isNearest = [
      .toNearestOrEven, .toNearestOrAway, .toNearestOrTowardZero, .toNearestOrUp,
    ].contains(rounding)
    switch rule.choice {
    case PowerOfTwoScale.rule(.floor): return isFullRange(format) ? .nothing : .bytes
    case PowerOfTwoScale.rule(.even):
      if [.toNearestOrEven, .toNearestOrAway].contains(rounding) { return .bytes }
      return isFullRange(format) || format.element == .e4m3fn ? .nothing : .values
    case PowerOfTwoScale.rule(.rceil): return isFullRange(format) && !isNearest ? .nothing : .values
    case PowerOfTwoScale.rule(.nearestLog2), PowerOfTwoScale.rule(.floorPlusOne): return .nothing
    case PowerOfTwoScale.rule(.overflowAware):
      return isFullRange(format) && !isNearest ? .nothing : .values
    case PowerOfTwoScale.search(.nearestLog2), PowerOfTwoScale.search(.evenE2M1):
      return format.layout.factors?.shift == nil ? .values : .nothing
    case PowerOfTwoScale.search(.floorPlusOne):
      return format.layout.factors?.shift == nil && !isFullRange(format) ? .values : .nothing
    case PowerOfTwoScale.rule(.ceil), PowerOfTwoScale.search, AmaxRule.amaxPowerOfTwo:
      return .values
    case AmaxRule.amax:
      // E2M3 tells magnitudes apart that are one to the block scale's three fraction bits.
      let isFine = format is TwoLevelFormat && format.element == .e2m3fn
      guard isNearest, !isFine else { return .nothing }
      return format is TwoLevelFormat && givenScale ? .bytes : .codes
    case PowerOfTwoScale.rule(.evenE2M1), AmaxRule.amaxHalfStep: return .nothing
    case AmaxRule.fourOverSix, AmaxRule.fourOverSixAbsolute:
      return isNearest && givenScale ? .values : .nothing
    default: return .bytes
    }
  }

  /// Whether the most negative integer is in use.
  private static func isFullRange(_ format: any BlockFormat) -> Bool {
    guard case .twosComplement(let layout) = format.element.encoding else { return false }
    return layout.range == .full
  }
}

@Suite("Encoding again")
struct EncodingAgainTests {
  private static let formats: [any BlockFormat] =
    FormatCatalog.all.filter {
      $0 is CastFormat || $0 is ScaledFormat || $0 is SharedExponentFormat || $0 is TwoLevelFormat
    } + [SharedExponentFormat.bdr(m: 5, k1: 32, k2: 4, d1: 8, d2: 2)]
  private static let roundings =
    RoundingRule.deterministic + [.stochastic(StochasticSource(seed: 1, randomBitCount: 4))]

  private func quantized(
    _ x: Tensor, _ format: some BlockFormat, _ policy: EncodingPolicy, _ scale: Float?
  ) -> QuantizedTensor {
    x.quantized(to: format, policy: policy, tensorScale: scale)
  }

  /// Whether rounding a block's scale left its largest magnitude where it is found again.
  private func hasFineScales(_ tensor: QuantizedTensor) -> Bool {
    guard tensor.format is TwoLevelFormat else { return true }
    let least: UInt32 = tensor.format.id == "vsq" ? 8 : 4
    return tensor.scales.unpacked().allSatisfy { $0 == 0 || $0 >= least }
  }

  @Test("Every line of the table holds on adversarial blocks, whatever rule and rounding")
  func table() {
    var checked = 0
    for (number, format) in Self.formats.enumerated() {
      // A scale of the whole tensor needs blocks of one size to have fine block scales.
      let isOneScale = format.layout.tensorField != nil || format is ScaledFormat
      for rule in format.scaleRules {
        for (turn, rounding) in Self.roundings.enumerated() {
          var policy = format.defaultPolicy
          (policy.scaleRule, policy.rounding) = (rule, rounding)
          var blocks = AdversarialBlocks(format.element, seed: UInt64(number * 100 + turn))
          for length in [1, 3, 16] {
            let top = [-40, 0, 60][turn % 3]
            let x = blocks.rows(
              Intensity.isDeep ? 400 : 8, of: length,
              exponents: isOneScale ? top...top + 4 : nil)
            let scales: [Float?] = format.layout.tensorField == nil ? [nil] : [nil, 0.3]
            for scale in scales {
              let given = scale.map { Float(sign: .plus, exponent: top, significand: $0) }
              let once = quantized(x, format, policy, given)
              guard hasFineScales(once) else { continue }
              let twice = quantized(once.dequantized(), format, policy, given)
              let kept = Kept.promise(of: format, rule, rounding, givenScale: given != nil)
              checked += 1
              #expect(
                kept.holds(from: once, to: twice),
                "\(format.id) \(rule.id) \(rounding.id) \(kept): \(x.elements)")
            }
          }
        }
      }
    }
    #expect(checked > 2000)
  }

  @Test("A block that NaN has taken keeps its codes and its scale")
  func nanBlocks() {
    for format in Self.formats where format.defaultPolicy.nonFinite == .blockNaN {
      let x = Tensor([1, .nan, -2, .infinity])
      let once = quantized(x, format, format.defaultPolicy, nil)
      let twice = quantized(once.dequantized(), format, format.defaultPolicy, nil)
      #expect(twice.codes == once.codes && twice.scales == once.scales, "\(format.id)")
      // The finite values that the block lost no longer count for a tensor scale.
      guard format.layout.tensorField == nil else { continue }
      #expect(twice.storedBytes == once.storedBytes, "\(format.id)")
    }
  }

  // MARK: - Where the table promises nothing

  /// What encoding once and again decodes to.
  private func decodedTwice(
    _ x: [Float], _ format: some BlockFormat, _ rule: ScaleRule,
    _ rounding: RoundingRule = .toNearestOrEven, tensorScale: Float? = nil
  ) -> [[Float]] {
    var policy = format.defaultPolicy
    (policy.scaleRule, policy.rounding) = (rule, rounding)
    let once = quantized(Tensor(x), format, policy, tensorScale).dequantized()
    return [once.elements, quantized(once, format, policy, tensorScale).dequantized().elements]
  }

  @Test("Under nearest_log2 the scale may go down again, also when a search asks it for sub-blocks")
  func nearestLog2() {
    // log2(4.3 / 6) = -0.48 gives scale 1 and the element 4; log2(4 / 6) = -0.58 gives scale 1/2,
    // in which 4 is beyond the largest element, 3.
    #expect(
      decodedTwice([4.3], SharedExponentFormat.mxfp4, .powerOfTwo(.nearestLog2)) == [[4], [3]])
    #expect(
      decodedTwice([4.3], SharedExponentFormat.mxfp4, .powerOfTwo(.nearestLog2), .towardZero)
        == [[4], [3]])
    // The sub-block's own exponent is 0 for 1.1875 / 1.5 = 0.79, and -1 for 1 / 1.5 = 0.67.
    let search = ScaleRule.search(around: .nearestLog2)
    #expect(decodedTwice([1.1875], SharedExponentFormat.mx4, search) == [[1], [0.75]])
    #expect(
      decodedTwice([1.35], SharedExponentFormat.mx6, search, .towardZero) == [[1.25], [0.9375]])
    #expect(
      decodedTwice([1.404], SharedExponentFormat.mx9, search, .towardZero)
        == [[1.390625], [0.9921875]])
  }

  @Test("Under floor_plus_1 a largest value that rounds up to a power of two coarsens its block")
  func floorPlusOne() {
    #expect(
      decodedTwice([1.9, 0.25], SharedExponentFormat.mxfp4, .powerOfTwo(.floorPlusOne))
        == [[2, 0.25], [2, 0]])
  }

  @Test("A search around floor_plus_1 may find a coarser scale for what it decoded to")
  func searchFloorPlusOne() throws {
    let rule = ScaleRule.search(around: .floorPlusOne)
    for id in ["mxint8_full", "mx9", "mx6", "mx4"] {
      let format = try FormatCatalog.format(id: id)
      var policy = format.defaultPolicy
      policy.scaleRule = rule
      var blocks = AdversarialBlocks(format.element, seed: 1)
      let changed = (0..<400).filter { _ in
        policy.rounding = .down
        let once = quantized(blocks.rows(1, of: 16), format, policy, nil).dequantized()
        return quantized(once, format, policy, nil).dequantized() != once
      }
      #expect(!changed.isEmpty, "\(id)")
    }
  }

  @Test("Six-bit elements are finer than their scales, which step when they are found again")
  func fineElements() {
    let changed = (1...200).filter { number in
      let twice = decodedTwice([Float(number)], TwoLevelFormat.nvfp6E2M3, .amax, tensorScale: 1)
      return twice[0] != twice[1]
    }
    #expect(!changed.isEmpty)
  }

  @Test("A code of -128 has an exponent of its own, which coarsens the block")
  func fullRange() throws {
    let format = try #require(
      try FormatCatalog.format(id: "mxint8_full") as? SharedExponentFormat)
    let x: [Float] = [-1.999, 0.015625]
    #expect(decodedTwice(x, format, .powerOfTwo(.floor)) == [[-2, 0.015625], [-2, 0]])
    let slightlyLess: [Float] = [-1.99, 0.015625]
    #expect(
      decodedTwice(slightlyLess, format, .powerOfTwo(.even), .down)
        == [[-2, 0.015625], [-2, 0]])
    #expect(
      decodedTwice(slightlyLess, format, .powerOfTwo(.overflowAware), .down)
        == [[-2, 0.015625], [-2, 0]])
    // One ulp above the largest element: the quotient of rceil rounds to one.
    let edge: [Float] = [-Float(1.984375).nextUp, 0.015625]
    #expect(
      decodedTwice(edge, format, .powerOfTwo(.rceil), .down) == [[-2, 0.015625], [-2, 0]])
  }

  @Test("Under even, E4M3 rounded toward zero loses the binade that its scale was chosen for")
  func evenTowardZero() {
    #expect(
      decodedTwice([1.95], SharedExponentFormat.mxfp8E4M3, .powerOfTwo(.even), .towardZero)
        == [[1.875], [1.75]])
  }

  @Test("NVFP4 blocks whose scale is one of the least lose it, or part of it, the second time")
  func leastBlockScales() {
    let nvfp4 = TwoLevelFormat.nvfp4
    // A scale code of 2 for 9.6 / 6 = 1.6, but of 1 for 8 / 6 = 1.33, all times 2^-9.
    #expect(
      decodedTwice([9.6 / 512], nvfp4, .amax, tensorScale: 1) == [[8.0 / 512], [6.0 / 512]])
    let zeros = [Float](repeating: 0, count: 15)
    let wide = decodedTwice([2688] + zeros + [0.0061] + zeros, nvfp4, .amax)
    #expect(wide[0][16] == 3.0 / 512 && wide[1][16] == 0)
    #expect(
      decodedTwice(
        [2.05 / 512], TwoLevelFormat.nvfp4FourOverSix, .fourOverSix, tensorScale: 1)
        == [[2.0 / 512], [0]])
    // Integer scales: 2 for 10.5 / 7 = 1.5, but 1 for 10 / 7.
    #expect(decodedTwice([10.5], TwoLevelFormat.vsq(), .amax, tensorScale: 1) == [[10], [7]])
  }

  @Test("A rounding that is not to nearest may take the largest magnitude from the largest code")
  func directedRoundings() {
    #expect(
      decodedTwice([5.82], TwoLevelFormat.nvfp4, .amax, .towardZero, tensorScale: 1)
        == [[4], [2.75]])
    let formats: [any BlockFormat] = [
      ScaledFormat.fp8(.e4m3fn, block: .row), ScaledFormat.integer(bits: 8, block: .row),
      TwoLevelFormat.nvfp4, TwoLevelFormat.vsq(),
    ]
    for format in formats {
      for rounding in [RoundingRule.towardZero, .up, .down] {
        var policy = format.defaultPolicy
        policy.rounding = rounding
        let changed = (1...200).filter { number in
          let x = Tensor([number % 2 == 0 ? Float(number) : -Float(number)])
          let once = quantized(x, format, policy, nil)
          return quantized(once.dequantized(), format, policy, nil).codes != once.codes
        }
        #expect(!changed.isEmpty, "\(format.id) \(rounding.id)")
      }
    }
    // What was decoded is fl(fl(q · s) · X), and over the scales often just less than q.
    var changed = 0
    for scale: Float in [0.3, 0.7, 0.0123] {
      for number in 1...200 {
        let twice = decodedTwice(
          [Float(number) / 16 * scale], TwoLevelFormat.nvfp4FourOverSix, .fourOverSix,
          .towardZero, tensorScale: scale)
        if twice[0] != twice[1] { changed += 1 }
      }
    }
    #expect(changed > 0)
  }

  @Test("Scales from amax may change in their last bits, though no code does")
  func lastBits() {
    let changed = (1...200).filter { number in
      let once = [Float(number) / 7].quantized(to: .nvfp4)
      let twice = once.dequantized().quantized(to: .nvfp4)
      return twice.tensorScale != once.tensorScale
    }
    #expect(!changed.isEmpty)
  }
}

import BlockFormats
import FormatTestSupport
import Testing

/// The claims of "How often an element is rounded" in FORMATS.md.
@Suite("How often an element is rounded")
struct RoundingCountTests {
  private func quantized(
    _ x: Tensor, _ format: some BlockFormat, _ policy: EncodingPolicy, _ scale: Float? = nil
  ) -> QuantizedTensor {
    x.quantized(to: format, policy: policy, tensorScale: scale)
  }

  /// scaled(element=e2m1fn,block=16,scale=e4m3fn): E4M3 scales without a tensor scale.
  private let narrowScales = TwoLevelFormat(
    id: "test", source: "", element: .e2m1fn, block: .vector(length: 16), scale: .e4m3fn,
    tensorScale: .absent)

  /// What each value of a tensor of one block a row is divided by, in a format of powers of two.
  private func exponents(_ tensor: QuantizedTensor, columns: Int) -> [Int] {
    guard let scale = tensor.format.layout.factors?.scale?.element else {
      return tensor.codes.unpacked().map { _ in 0 }
    }
    let scales = tensor.scales.unpacked().map { Int(scale.value(of: $0).exponent) }
    let length = tensor.format.layout.factors?.shift?.length ?? columns
    let subscales = tensor.subscales.unpacked()
    // Rows are blocks, or all are one tile.
    let spread = tensor.elementCount / scales.count
    return (0..<tensor.elementCount).map { index in
      scales[index / spread] - (subscales.isEmpty ? 0 : Int(subscales[index / length]))
    }
  }

  @Test("Bare elements and those under a power of two are the exact quotient, rounded once")
  func once() {
    for (number, format) in FormatCatalog.all.enumerated()
    where format is CastFormat || format is SharedExponentFormat {
      for rule in format.scaleRules {
        for (turn, rounding) in RoundingRule.deterministic.enumerated() {
          var policy = format.defaultPolicy
          (policy.scaleRule, policy.rounding) = (rule, rounding)
          var blocks = AdversarialBlocks(format.element, seed: UInt64(number * 10 + turn))
          let (rows, columns) = (4, 16)
          let x = blocks.rows(rows, of: columns)
          let tensor = quantized(x, format, policy)
          let exponents = exponents(tensor, columns: columns)
          for (index, code) in tensor.codes.unpacked().enumerated() {
            // Powers of two from 2^-276 to 2^510 change no digit in Double.
            let quotient = Double(
              sign: .plus, exponent: -exponents[index], significand: Double(x.elements[index]))
            #expect(
              code == format.element.code(for: quotient, rounding: rounding),
              "\(format.id) \(rule.id) \(rounding.id) \(x.elements[index])")
          }
        }
      }
    }
  }

  @Test("Two-level and FP32 scales round a quotient that is off by a few units in the last place")
  func several() {
    // The roundings between the stored scales and the number that is rounded to an element: the
    // reciprocal and the product; with a tensor scale from amax also the product of the scales, and
    // with a given one its reciprocal and the reciprocal of that.
    let cases: [(format: any BlockFormat, scale: Float?, roundings: Double)] = [
      (ScaledFormat.fp8(.e4m3fn, block: .row), nil, 2),
      (ScaledFormat.fp8(.e5m2, block: .row), nil, 2),
      (ScaledFormat.integer(bits: 8, block: .row), nil, 2), (TwoLevelFormat.nvfp4, nil, 3),
      (TwoLevelFormat.vsq(), nil, 3), (TwoLevelFormat.nvfp4, 0.0123, 5), (narrowScales, nil, 2),
    ]
    for (number, (format, given, roundings)) in cases.enumerated() {
      for (turn, rounding) in RoundingRule.deterministic.enumerated() {
        var policy = format.defaultPolicy
        policy.rounding = rounding
        var blocks = AdversarialBlocks(format.element, seed: UInt64(number * 10 + turn))
        let (rows, columns) = (24, 16)
        let x = blocks.rows(rows, of: columns, exponents: -2...2)
        let tensor = quantized(x, format, policy, given)
        let scales = tensor.scales.unpacked()
        // (1 + 2^-24)^n - 1 and the roundings of this test in Double.
        let slack = roundings * 0x1p-24 * (1 + 0x1p-20)
        for (index, code) in tensor.codes.unpacked().enumerated() {
          guard let layout = format.layout.factors?.scale?.element else { continue }
          let scale =
            layout.value(of: scales[index / columns]) * Double(tensor.tensorScale ?? 1)
          guard scale > 0 else { continue }
          let quotient = Double(x.elements[index]) / scale
          func value(_ factor: Double) -> Double {
            format.element.value(
              of: format.element.code(for: quotient * factor, rounding: rounding))
          }
          let (a, b) = (value(1 - slack), value(1 + slack))
          #expect(
            (min(a, b)...max(a, b)).contains(format.element.value(of: code)),
            "\(format.id) \(rounding.id) \(x.elements[index]) / \(scale)")
        }
      }
    }
  }

  @Test("A product of a rounded reciprocal can land on a tie that the exact quotient misses")
  func doubleRounding() {
    let x: [Float] = [0.08203125, 0.02392577938735485]
    let tensor = x.quantized(to: narrowScales)
    // The scale is 7 · 2^-9, from 0.08203125 / 6 exactly; 1.75 is the tie between 1.5 and 2.
    #expect(tensor.scales.unpacked() == [7])
    #expect(Double(x[1]) * 512 < 1.75 * 7)
    #expect(tensor.codes.unpacked()[1] == 4 && ElementFormat.e2m1fn.value(of: 4) == 2)
    #expect(x[1] * (1 / Float(7.0 / 512)) == 1.75)
  }
}

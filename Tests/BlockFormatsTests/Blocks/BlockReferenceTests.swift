import BlockFormats
import FormatTestSupport
import Testing

@Suite("Block formats against a straightforward reference")
struct BlockReferenceTests {
  /// Ranges of binades: narrow, wide, around the ends of FP32, and all of it.
  static let ranges: [ClosedRange<Int>] = [
    -1...1, -6...6, 120...127, -149 ... -120, -149...127,
  ]

  @Test("Every catalog id but fp32 has a reference, or vectors of its producer")
  func tableIsComplete() throws {
    let withVectors = Set(
      try FieldVectorFile.all.map { try FormatCatalog.format(id: $0.id).id })
    // Seven bits, which MLX has not, follow the rule of all other widths. The others have vectors and
    // tests of their own.
    let others = withVectors.union([
      "fp32", "affine7", "hif8", "if4", "nf4_double", "mxfp4_oas_mbs", "nvfp4_ggml",
    ])
    #expect(
      FormatCatalog.all.map(\.id).filter { !others.contains($0) }.sorted()
        == ReferenceTable.catalog.map(\.id).sorted())
  }

  @Test("Default policies give the reference's fields, bytes and values at every magnitude")
  func defaults() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (range, exponents) in Self.ranges.enumerated() {
        let values = randomValues(141, exponents: exponents, seed: UInt64(1000 * number + range))
        expectReference(values, shape: [3, 47], format: format, reference: reference)
      }
    }
  }

  @Test("Every scale rule gives the reference's fields")
  func scaleRules() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (rule, scaleRule) in format.scaleRules.enumerated() {
        var policy = format.defaultPolicy
        policy.scaleRule = scaleRule
        for (range, exponents) in [-2...2, -149...127].enumerated() {
          let seed = UInt64(100_000 + 1000 * number + 10 * rule + range)
          expectReference(
            randomValues(70, exponents: exponents, seed: seed), shape: [70], format: format,
            reference: reference, policy: policy)
        }
      }
    }
  }

  @Test("Every deterministic rounding and overflow rule gives the reference's codes")
  func roundings() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (rule, rounding) in RoundingRule.deterministic.enumerated() {
        for overflow in OverflowRule.allCases {
          var policy = format.defaultPolicy
          policy.rounding = rounding
          policy.overflow = overflow
          let seed = UInt64(200_000 + 1000 * number + rule)
          expectReference(
            randomValues(67, exponents: -5...9, seed: seed), shape: [67], format: format,
            reference: reference, policy: policy)
        }
      }
    }
  }

  @Test("Stochastic rounding uses the bits of each element's row-major index, whatever the axis")
  func stochastic() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (bits, axis) in [(1, 0), (7, 1), (32, 0), (32, 1)] {
        var policy = format.defaultPolicy
        policy.rounding = .stochastic(
          StochasticSource(
            seed: 0xFEED_0000_0000 + UInt64(number), stream: 5, randomBitCount: bits))
        let values = randomValues(90, exponents: -3...3, seed: UInt64(300_000 + number))
        expectReference(
          values, shape: [9, 10], axis: axis, format: format, reference: reference,
          policy: policy)
      }
    }
  }

  @Test("Every choice for NaN, infinities, floors and zero blocks gives the reference's fields")
  func specialValues() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      var values = randomValues(160, exponents: -20...4, seed: UInt64(400_000 + number))
      values[7] = .nan
      values[40] = .infinity
      values[75] = -.infinity
      values[76] = -Float(nan: 5, signaling: false)
      for index in 96..<128 { values[index] = index % 2 == 0 ? 0 : -0 }
      values[130] = .leastNonzeroMagnitude
      for nonFinite in NonFiniteRule.allCases {
        for floor in ScaleFloor.allCases {
          for zeroBlock in ZeroBlockRule.allCases {
            var policy = format.defaultPolicy
            (policy.nonFinite, policy.scaleFloor) = (nonFinite, floor)
            policy.zeroBlock = zeroBlock
            policy.overflow = floor == .leastNonzero ? .special : .saturate
            expectReference(
              values, shape: [160], format: format, reference: reference, policy: policy)
          }
        }
      }
    }
  }

  @Test("Every sign of zeros and every order of arithmetic gives the reference's fields")
  func signsAndArithmetic() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated() {
      for (range, exponents) in [-3...3, -149...127, -149 ... -120, 100...127].enumerated() {
        var values = randomValues(
          160, exponents: exponents, seed: UInt64(450_000 + 10 * number + range))
        for index in 96..<130 { values[index] = index % 2 == 0 ? 0 : -0 }
        for index in 130..<140 { values[index] *= 0x1p-12 }
        for zeroSign in ZeroSignRule.allCases {
          for arithmetic in ScaleArithmetic.allCases {
            for rule in format.scaleRules {
              var policy = format.defaultPolicy
              (policy.zeroSign, policy.scaleArithmetic) = (zeroSign, arithmetic)
              policy.scaleRule = rule
              expectReference(
                values, shape: [160], format: format, reference: reference, policy: policy)
            }
          }
        }
      }
    }
  }

  @Test("A given tensor scale X encodes with fl(1/X) and decodes with X")
  func givenTensorScale() throws {
    for (number, (format, reference)) in try ReferenceTable.all().enumerated()
    where format.layout.tensorField != nil {
      for scale: Float in [1, 0.1, 3e-4, 7, 1e20, 1e-20, .leastNormalMagnitude] {
        expectReference(
          randomValues(64, exponents: -12...4, seed: UInt64(500_000 + number)), shape: [64],
          format: format, reference: reference, tensorScale: scale)
      }
    }
  }

  @Test("FP32 keeps every bit but a NaN's payload")
  func identity() {
    var values = randomValues(500, exponents: -149...127, seed: 9)
    values += [.infinity, -.infinity, 0, -0.0, .greatestFiniteMagnitude, .leastNonzeroMagnitude]
    var policy = CastFormat.fp32.defaultPolicy
    policy.overflow = .special
    let kept = Tensor(values).quantized(to: .fp32, policy: policy)
    #expect(kept.dequantized().elements.map(\.bitPattern) == values.map(\.bitPattern))
    #expect(kept.codes.unpacked() == values.map(\.bitPattern))
    let nan = [Float(nan: 77, signaling: false)].quantized(to: .fp32, policy: policy)
    #expect(nan.codes.unpacked() == [0x7FC0_0000])
  }
}

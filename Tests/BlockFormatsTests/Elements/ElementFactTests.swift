import BlockFormats
import FormatTestSupport
import Testing

/// What other modules ask of an element, against its values alone.
@Suite("Element formats: facts that follow from the values")
struct ElementFactTests {
  /// Formats whose values can be listed: those with names, families of odd shapes, and tables.
  private static let formats: [ElementFormat] =
    ElementFormat.named.filter { $0.bitWidth <= 16 }
    + ElementCase.smallFloats.map(\.format) + ElementCase.oddBiases.map(\.format)
    + ElementCase.p3109.map(\.format)
    + [.mxint8, .mxint8(range: .full), .mxint4, .signMagnitude(magnitudeBitCount: 5)]
    + [.unsignedInteger(bitCount: 1), .unsignedInteger(bitCount: 7), .exponentOnly(bitCount: 5)]
    + [.nf4, .ue6m2, .microexponent(bitCount: 3)] + tables

  private static let tables: [ElementFormat] = {
    var generator = SeededGenerator(seed: 8)
    return (0..<40).map { number in
      ElementFormat(
        name: "table \(number)",
        table: TableOracle.random(Int.random(in: 2...30, using: &generator), &generator).table)
    }
  }()

  /// The finite values, each once, in rising order.
  private func sorted(_ format: ElementFormat) -> [Double] {
    Set((0..<UInt32(format.codeCount)).map { format.value(of: $0) }.filter(\.isFinite)).sorted()
  }

  @Test("The least spacing divides every value, and twice it does not")
  func spacing() {
    for format in Self.formats {
      let values = sorted(format).filter { $0 != 0 }
      let exponent = format.leastSpacingExponent
      func divides(_ exponent: Int) -> Bool {
        values.allSatisfy {
          let quotient = $0 / Double(sign: .plus, exponent: exponent, significand: 1)
          return quotient == quotient.rounded()
        }
      }
      #expect(divides(exponent), "\(format)")
      #expect(!divides(exponent + 1), "\(format)")
    }
  }

  @Test("The greatest decodable magnitude is that of the values")
  func greatest() {
    for format in Self.formats {
      let greatest = sorted(format).map(\.magnitude).max()
      #expect(format.greatestDecodableMagnitude == greatest, "\(format)")
    }
  }

  @Test("Significands hold every value, and of formats with a name no bit is idle")
  func significands() {
    for format in Self.formats {
      let bits =
        sorted(format).filter { $0 != 0 }.map { value -> Int in
          // The odd part's width.
          var (part, count) = (value.magnitude.significand, 1)
          while part != part.rounded(.down) {
            part *= 2
            count += 1
          }
          return count
        }.max() ?? 0
      #expect(bits <= format.significandBitCount, "\(format)")
      if ElementFormat.named.contains(format) || Self.tables.contains(format) {
        #expect(bits == format.significandBitCount, "\(format)")
      }
    }
  }

  @Test("Neighbours are the next values, and beyond the ends at the last distance")
  func neighbours() {
    for format in Self.formats {
      var mismatches = ElementMismatches()
      let values = sorted(format)
      let places = Dictionary(
        uniqueKeysWithValues: values.enumerated().map { ($0.element, $0.offset) })
      for code in 0..<UInt32(format.codeCount) {
        let value = format.value(of: code)
        guard value.isFinite, let place = places[value] else { continue }
        var step = (
          below: place > 0 ? value - values[place - 1] : values[1] - value,
          above: place + 1 < values.count ? values[place + 1] - value : value - values[place - 1]
        )
        // HiFloat8 goes on with half a binade, which its infinities take.
        if format == .hif8 && value.magnitude == 32768 {
          step = value > 0 ? (step.below, 16384) : (16384, step.above)
        }
        mismatches.expect(
          format.neighbour(of: code, isAbove: true), value + step.above,
          "\(format) above \(hex(code))")
        mismatches.expect(
          format.neighbour(of: code, isAbove: false), value - step.below,
          "\(format) below \(hex(code))")
      }
      #expect(mismatches.isEmpty, "\(mismatches)")
    }
  }

  @Test("There is a letter for every bit of a code")
  func letters() {
    for format in Self.formats + ElementFormat.named {
      #expect(format.bitLetters.count == format.bitWidth, "\(format)")
    }
    #expect(String(ElementFormat.e4m3fn.bitLetters) == "SEEEEMMM")
    #expect(String(ElementFormat.e8m0fnu.bitLetters) == "EEEEEEEE")
    #expect(String(ElementFormat.int4.bitLetters) == "QQQQ")
    #expect(String(ElementFormat.nf4.bitLetters) == "TTTT")
  }

  @Test("The facts of the wide formats are those of IEEE 754")
  func wide() {
    for (format, spacing, bits, greatest) in [
      (ElementFormat.fp32, -149, 24, Double(Float.greatestFiniteMagnitude)),
      (.tf32, -136, 11, 0x1.FFCp127),
    ] {
      #expect(format.leastSpacingExponent == spacing && format.significandBitCount == bits)
      #expect(format.greatestDecodableMagnitude == greatest)
    }
    for pattern in [0, 1, 0x7F_FFFF, 0x80_0000, 0x3F80_0000, 0xBF80_0000, 0x8000_0000, 0x8000_0001]
      as [UInt32]
    {
      let value = Float(bitPattern: pattern)
      #expect(ElementFormat.fp32.neighbour(of: pattern, isAbove: true) == Double(value.nextUp))
      #expect(ElementFormat.fp32.neighbour(of: pattern, isAbove: false) == Double(value.nextDown))
    }
    // One step beyond the largest.
    #expect(ElementFormat.fp32.neighbour(of: 0x7F7F_FFFF, isAbove: true) == 0x1p128)
  }

  @Test("Negative values mirror positive ones by the stated rule")
  func mirrors() {
    for format in Self.formats where format.bitWidth <= 8 {
      let half = UInt32(format.codeCount / 2)
      switch format.mirror {
      case .signBit:
        for code in 1..<half where format.value(of: code).isFinite {
          #expect(format.value(of: code + half) == -format.value(of: code), "\(format)")
        }
      case .complement:
        for code in 1..<half {
          #expect(format.value(of: UInt32(format.codeCount) - code) == -format.value(of: code))
        }
        #expect(format.leastIntegerCode == half)
      case nil: #expect(format.leastIntegerCode == nil)
      }
    }
  }
}

import BlockFormats
import FormatTestSupport
import Testing

@Suite("Element formats: casts to wide formats")
struct ElementCastTests {
  /// Floats of every exponent, both signs, with the patterns that tend to go wrong.
  private static func patterns() -> [UInt32] {
    var generator = SeededGenerator(seed: 32)
    var result: [UInt32] = [
      0, 0x8000_0000, 1, 0x007F_FFFF, 0x0080_0000, 0x7F7F_FFFF, 0xFF7F_FFFF, 0x7F80_0000,
      0xFF80_0000, 0x3F80_8000, 0x3F81_8000, 0x7F7F_7FFF, 0x7F7F_8000, 0x7F7F_F000, 0x7F7F_EFFF,
    ]
    for exponent in 0..<255 as Range<UInt32> {
      for _ in 0..<40 {
        let word = UInt32(truncatingIfNeeded: generator.next())
        result.append(word & 0x807F_FFFF | exponent << 23)
        // Few fraction bits: exact ties of the narrower formats.
        result.append(word & 0x807F_F000 | exponent << 23)
        result.append(word & 0x807F_8000 | exponent << 23)
      }
    }
    return result
  }

  /// Drops low bits of a pattern, to nearest with ties to even: the carry runs into the exponent.
  private static func dropping(_ count: UInt32, of pattern: UInt32) -> UInt32 {
    let sign = pattern & 0x8000_0000
    let magnitude = UInt64(pattern & 0x7FFF_FFFF)
    let (step, half) = (UInt64(1) << count, UInt64(1) << (count - 1))
    let (quotient, remainder) = magnitude.quotientAndRemainder(dividingBy: step)
    let goesUp = remainder > half || remainder == half && quotient % 2 == 1
    return sign >> count | UInt32(quotient + (goesUp ? 1 : 0))
  }

  @Test("BF16 and TF32 equal integer rounding of the FP32 pattern, infinities by overflow")
  func truncatedFloats() {
    var mismatches = ElementMismatches()
    for item in ElementCase.wide where ["bf16", "tf32"].contains(item.reference.name) {
      let dropped = UInt32(32 - item.reference.bits)
      for pattern in Self.patterns() {
        let value = Double(Float(bitPattern: pattern))
        mismatches.expectCode(
          item.format.code(for: value, overflow: .special), Self.dropping(dropped, of: pattern),
          of: value, item.reference, "special")
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  @Test("FP32 keeps every float and rounds doubles as hardware does")
  func singlePrecision() {
    var mismatches = ElementMismatches()
    let reference = ReferenceFacts.named("fp32").element
    for pattern in Self.patterns() {
      let value = Double(Float(bitPattern: pattern))
      mismatches.expectCode(
        ElementFormat.fp32.code(for: value, overflow: .special), pattern, of: value, reference,
        "float")
    }
    var generator = SeededGenerator(seed: 33)
    for _ in 0..<20_000 {
      let exponent = UInt64.random(in: 1023 - 155...1023 + 129, using: &generator)
      // Every other significand is a tie of FP32.
      let fraction =
        generator.next() % 2 == 0
        ? generator.next() >> 12 : generator.next() >> 12 & ~0x1FFF_FFFF | 0x1000_0000
      let value = Double(bitPattern: generator.next() << 63 | exponent << 52 | fraction)
      mismatches.expectCode(
        ElementFormat.fp32.code(for: value, overflow: .special), Float(value).bitPattern,
        of: value, reference, "double")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }

  #if !(os(macOS) && arch(x86_64))
  @Test("FP16 rounds doubles as the standard library's Float16 does")
  func halfPrecision() {
    var mismatches = ElementMismatches()
    let reference = ReferenceFacts.named("fp16").element
    var generator = SeededGenerator(seed: 34)
    for _ in 0..<20_000 {
      let exponent = UInt64.random(in: 1023 - 27...1023 + 17, using: &generator)
      let keep: UInt64 = generator.next() % 2 == 0 ? 0xF_FFFF_FFFF_FFFF : 0xF_FE00_0000_0000
      let value = Double(
        bitPattern: generator.next() << 63 | exponent << 52 | generator.next() & keep)
      mismatches.expectCode(
        ElementFormat.fp16.code(for: value, overflow: .special),
        UInt32(Float16(value).bitPattern), of: value, reference, "double")
    }
    #expect(mismatches.isEmpty, "\(mismatches)")
  }
  #endif

  @Test("Saturating casts to wide formats give the largest finite value")
  func saturation() {
    for item in ElementCase.wide {
      let facts = ReferenceFacts.named(item.reference.name)
      let sign = UInt32(1) << UInt32(facts.bits - 1)
      for value in [Double.infinity, .greatestFiniteMagnitude, facts.greatest * 2] {
        #expect(item.format.code(for: value) == facts.greatestCode)
        #expect(item.format.code(for: -value) == facts.greatestCode | sign)
      }
    }
  }

  @Test("Every NaN becomes the canonical one in a wide format")
  func canonicalNaN() throws {
    for item in ElementCase.wide {
      let nan = ReferenceFacts.named(item.reference.name).nanCode
      for pattern: UInt64 in [
        0x7FF8_0000_0000_0000, 0xFFF8_0000_0000_0000, 0x7FF0_0000_0000_0001, 0xFFFF_FFFF_FFFF_FFFF,
      ] {
        #expect(item.format.code(for: Double(bitPattern: pattern)) == nan)
      }
    }
  }

  @Test("NaN has one code, without a sign, also where overflow or infinity becomes NaN")
  func signlessNaN() {
    for value: Double in [-500, 500, .infinity, -.infinity, .nan, -.nan] {
      #expect(ElementFormat.e4m3fn.code(for: value, overflow: .special) == 0x7F)
    }
    #expect(ElementFormat.e5m2.code(for: -.nan) == 0x7E)
    #expect(ElementFormat.e5m2.code(for: -70000, overflow: .special) == 0xFC)
    #expect(ElementFormat.e2m1fn.code(for: -.nan) == 0x7)
    #expect(ElementFormat.e2m3fn.code(for: -.nan) == 0x1F)
    #expect(ElementFormat.e3m2fn.code(for: -.nan) == 0x1F)
  }

  @Test("Eleven exponent bits with IEEE specials reach as far as Double, in both directions")
  func elevenExponentBits() throws {
    let format = try ElementFormat(parsing: "float(e=11,m=4)")
    #expect(format.greatestFiniteMagnitude == 0x1.Fp1023)
    #expect(format.leastNonzeroMagnitude == 0x1p-1026)
    for code in 0..<UInt32(format.codeCount) where format.value(of: code).isFinite {
      #expect(format.code(for: format.value(of: code)) == code)
    }
    #expect(format.code(for: Double(Float.greatestFiniteMagnitude)) == format.code(for: 0x1p128))
  }
}

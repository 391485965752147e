import BlockFormats
import FormatTestSupport
import Foundation
import Testing

/// Every code of every format that scalars have as a type.
@Suite("Numbers in an element format")
struct CodedTests {
  private func forEveryFormat(
    _ body: (any StaticElementFormat.Type, ReferenceElement) throws -> Void
  ) rethrows {
    let types: [any StaticElementFormat.Type] = [
      E4M3FN.self, E5M2.self, E2M3FN.self, E3M2FN.self, E2M1FN.self, E8M0FNU.self, BF16.self,
    ]
    let names = ["e4m3fn", "e5m2", "e2m3fn", "e3m2fn", "e2m1fn", "e8m0fnu", "bf16"]
    for (type, name) in zip(types, names) { try body(type, ReferenceFacts.named(name).element) }
  }

  /// All codes; of wide formats one of 37, so that every exponent and both signs occur.
  private func codes(_ reference: ReferenceElement) -> [Int] {
    Array(stride(from: 0, to: reference.codeCount, by: reference.codeCount > 256 ? 37 : 1))
  }

  @Test("A number has the value of its code, prints it and is found by it again")
  func values() {
    func check<Format: StaticElementFormat>(_: Format.Type, _ reference: ReferenceElement) {
      #expect(Format.format.name == reference.name)
      var mismatches = ElementMismatches()
      for code in codes(reference) {
        let number = Coded<Format>(bitPattern: UInt32(code))
        let expected = reference.value(of: code)
        let name = "\(reference) \(hex(code))"
        mismatches.expectSame(number.value, expected, name)
        mismatches.expectSame(Double(number), expected, name)
        mismatches.expect(Float(number) == Float(expected) || expected.isNaN, true, name)
        mismatches.expect(number.isNaN, expected.isNaN, name)
        mismatches.expect(number.isFinite, expected.isFinite, name)
        mismatches.expect(number.description, "\(expected)", name)
        if expected.isNaN {
          mismatches.expect(Coded<Format>("nan")?.isNaN, true, name)
          mismatches.expect(Coded<Format>(exactly: .nan) == nil, true, name)
          mismatches.expect(number == number, false, name)
        } else {
          mismatches.expect(Coded<Format>(exactly: expected)?.bitPattern, UInt32(code), name)
          mismatches.expect(Coded<Format>("\(number)")?.bitPattern, UInt32(code), name)
          mismatches.expect(number == number && !(number < number), true, name)
        }
      }
      #expect(mismatches.isEmpty, "\(mismatches)")
    }
    forEveryFormat { check($0, $1) }
  }

  @Test("Values between two codes are none of the format's, and are rounded as its encoder rounds")
  func rounding() {
    func check<Format: StaticElementFormat>(_: Format.Type, _ reference: ReferenceElement) {
      var mismatches = ElementMismatches()
      let search = NearestSearch(reference)
      let sizes = search.positive.sizes.dropLast()
      for (low, high) in zip(sizes, sizes.dropFirst()).prefix(300) {
        for value in [low, (low + high) / 2, low + (high - low) / 8, high - (high - low) / 8] {
          for signed in reference.isSigned ? [value, -value] : [value] {
            for rule in NearestSearch.Rounding.allCases {
              for overflow in NearestSearch.Overflow.allCases {
                let number = Coded<Format>(
                  rounding: signed, RoundingRule(rule), overflow: OverflowRule(overflow))
                mismatches.expectCode(
                  number.bitPattern, search.code(for: signed, rule, overflow), of: signed,
                  reference,
                  "\(rule)")
              }
            }
            if value != low {
              mismatches.expect(Coded<Format>(exactly: signed) == nil, true, "\(signed)")
            }
          }
        }
      }
      let beyond = 4 * reference.value(of: Int(Format.format.greatestFiniteCode))
      mismatches.expect(
        Coded<Format>(rounding: beyond).bitPattern, Format.format.greatestFiniteCode, "saturated")
      mismatches.expect(Coded<Format>(exactly: beyond) == nil, true, "beyond")
      #expect(mismatches.isEmpty, "\(mismatches)")
    }
    forEveryFormat { check($0, $1) }
  }

  @Test("Order and equality are those of the values; equal numbers hash alike")
  func order() {
    func check<Format: StaticElementFormat>(_: Format.Type, _ reference: ReferenceElement) {
      guard reference.codeCount <= 256 else { return }
      var mismatches = ElementMismatches()
      for first in 0..<reference.codeCount {
        for second in stride(from: first % 7, to: reference.codeCount, by: 7) {
          let (a, b) = (
            Coded<Format>(bitPattern: UInt32(first)), Coded<Format>(bitPattern: UInt32(second))
          )
          let (x, y) = (reference.value(of: first), reference.value(of: second))
          mismatches.expect(a == b, x == y, "\(reference) \(x) == \(y)")
          mismatches.expect(a < b, x < y, "\(reference) \(x) < \(y)")
          if x == y { mismatches.expect(a.hashValue, b.hashValue, "hashes of \(x) and \(y)") }
        }
      }
      #expect(mismatches.isEmpty, "\(mismatches)")
    }
    forEveryFormat { check($0, $1) }
    #expect(Coded<E2M1FN>(bitPattern: 0) == Coded<E2M1FN>(bitPattern: 8))
    #expect(Set([Coded<E2M1FN>(bitPattern: 0), Coded<E2M1FN>(bitPattern: 8)]).count == 1)
  }

  @Test("Codes survive coders, and those that do not fit are refused with their width")
  func coding() throws {
    func check<Format: StaticElementFormat>(_: Format.Type, _ reference: ReferenceElement) throws {
      let numbers = codes(reference).map { Coded<Format>(bitPattern: UInt32($0)) }
      let data = try JSONEncoder().encode(numbers)
      let expected = "[" + codes(reference).map(String.init).joined(separator: ",") + "]"
      #expect(String(decoding: data, as: UTF8.self) == expected)
      let decoded = try JSONDecoder().decode([Coded<Format>].self, from: data)
      #expect(decoded.map(\.bitPattern) == numbers.map(\.bitPattern))
      for text in ["[\(reference.codeCount)]", "[-1]", "[1.5]", "[\"1\"]", "[4294967296]"] {
        #expect(throws: DecodingError.self, "\(reference) \(text)") {
          try JSONDecoder().decode([Coded<Format>].self, from: Data(text.utf8))
        }
      }
    }
    try forEveryFormat { try check($0, $1) }
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([Coded<E2M1FN>].self, from: Data("[16]".utf8))
    }
    #expect(error.map { "\($0)".contains("16 does not fit in 4 bits") } == true)
  }

  @Test("Texts name values that the format has, and no others")
  func texts() {
    #expect(Coded<E2M1FN>("1.5")?.bitPattern == 3 && Coded<E2M1FN>("-0.0")?.bitPattern == 8)
    for text in ["1.25", "7", "nan", "inf", "", "x", "1,5"] { #expect(Coded<E2M1FN>(text) == nil) }
    #expect(Coded<E5M2>("inf")?.bitPattern == 0x7C && Coded<E5M2>("-inf")?.bitPattern == 0xFC)
    #expect(Coded<E5M2>("nan")?.bitPattern == 0x7E && Coded<E4M3FN>("inf") == nil)
    #expect(Coded<E8M0FNU>("0") == nil && Coded<E8M0FNU>("-1") == nil)
    // 2^-127 is subnormal in FP32 and yet exact.
    #expect(Float(Coded<E8M0FNU>(bitPattern: 0)) == 0x1p-127)
  }
}

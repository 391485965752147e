import StrictJSON
import Testing

@Suite("Walking JSON without a tree")
struct JSONScannerTests {
  private func scanner(_ text: String, depthLimit: Int = 4) -> JSONScanner<JSONError> {
    JSONScanner(Array(text.utf8), depthLimit: depthLimit) { $0 }
  }

  @Test("Members and elements come in the order of the text")
  func order() throws {
    var scanner = scanner(#"{"a": [1, "x"], "b": {}, "c": null} "#)
    try scanner.beginObject()
    #expect(try scanner.nextKey() == "a")
    #expect(try scanner.peekKind() == .array)
    try scanner.beginArray()
    #expect(try scanner.nextElement())
    #expect(try scanner.number().natural == 1)
    #expect(try scanner.nextElement())
    #expect(try scanner.string() == "x")
    #expect(try !scanner.nextElement())
    #expect(try scanner.nextKey() == "b")
    try scanner.skipValue(keyLimit: 0)
    #expect(try scanner.nextKey() == "c")
    try scanner.null()
    #expect(try scanner.nextKey() == nil)
    try scanner.finish()
    #expect(scanner.position == 36)
  }

  @Test(
    "A number is natural only without sign, fraction and exponent, up to the greatest integer",
    arguments: [
      ("0", 0), ("9223372036854775807", Int.max), ("9223372036854775808", nil), ("-1", nil),
      ("-0", nil), ("1.0", nil), ("1e0", nil), (String(repeating: "9", count: 1000), nil),
    ] as [(String, Int?)])
  func numbers(text: String, natural: Int?) throws {
    var scanner = scanner(text)
    let number = try scanner.number()
    #expect(number.natural == natural)
    #expect(scanner.text(of: number) == text)
    #expect(scanner.text(of: number, limit: 2) == String(text.prefix(2)))
  }

  @Test("What is skipped is held to the grammar, to the limits and to keys that differ")
  func skipping() throws {
    for text in [#"{"a":[1,{"b":"\ud83d\ude00"}],"c":true}"#, "[]", "-1.5e-3", "null"] {
      var scanner = scanner(text)
      try scanner.skipValue(keyLimit: 2)
      try scanner.finish()
    }
    for (text, fault, offset) in [
      (#"{"a":1,"b":2,"c":3}"#, JSONError.Fault.tooManyKeys(limit: 2), 17),
      (#"[{"a":1,"a":2}]"#, .duplicateKey("a"), 12), ("[[[[[", .tooDeep(limit: 4), 4),
      (#"["\ud800"]"#, .unpairedSurrogate, 8), ("[tru]", .expected(.true), 1),
    ] {
      var scanner = scanner(text)
      let error = #expect(throws: JSONError.self, "\(text)") {
        try scanner.skipValue(keyLimit: 2)
      }
      #expect(error?.fault == fault)
      #expect(error?.range == offset..<offset)
    }
  }

  @Test("A container that is not there is named")
  func expectations() {
    var object = scanner("[]")
    #expect(throws: JSONError.self) { try object.beginObject() }
    var array = scanner("{}")
    let error = #expect(throws: JSONError.self) { try array.beginArray() }
    #expect(error?.fault == .expected(.array))
  }

  @Test("Bytes that are not UTF-8 are refused where they stand, behind an escape with the string")
  func encoding() {
    for (bytes, offset) in [
      ([0xFF], 1), ([0x41, 0x80], 2), ([0xC3], 1), ([0xC0, 0x80], 1), ([0xED, 0xA0, 0x80], 1),
      ([0xF4, 0x90, 0x80, 0x80], 1), (Array("\\n".utf8) + [0xFF], 1),
    ] as [([UInt8], Int)] {
      let quote = UInt8(ascii: "\"")
      var scanner = JSONScanner([quote] + bytes + [quote], depthLimit: 1) { $0 }
      let error = #expect(throws: JSONError.self, "\(bytes)") { try scanner.string() }
      #expect(error?.fault == .notUTF8)
      #expect(error?.range.lowerBound == offset, "\(bytes)")
    }
  }

  @Test("An error comes in the caller's own words")
  func failures() {
    struct OwnError: Error, Equatable { let offset: Int }
    var scanner = JSONScanner(Array("[1 2]".utf8), depthLimit: 1) {
      OwnError(offset: 100 + $0.range.lowerBound)
    }
    #expect(throws: OwnError(offset: 103)) { try scanner.skipValue(keyLimit: 1) }
  }
}

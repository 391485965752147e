import StrictJSON
import Testing

@Suite("Reading whole JSON texts")
struct JSONReadingTests {
  private typealias Fault = JSONError.Fault

  private static let depthLimit = 4

  private func read(_ text: String) throws(JSONError) -> JSONValue {
    try JSONValue(reading: text, depthLimit: Self.depthLimit)
  }

  @Test("Every kind of value is read, keys in order and numbers as they are written")
  func values() throws {
    let text =
      #" {"b": [1, -0.50, 1e+3, 9999999999999999999999], "a": {"": null}, "c": [true, false], "d": "x", "e": {}, "f": []} "#
    let expected = JSONValue.object([
      .init(
        "b",
        .array([.number("1"), .number("-0.50"), .number("1e+3"), .number("9999999999999999999999")])
      ),
      .init("a", .object([.init("", .null)])), .init("c", .array([.bool(true), .bool(false)])),
      .init("d", .string("x")), .init("e", .object([])), .init("f", .array([])),
    ])
    #expect(try read(text) == expected)
    for (text, value) in [
      ("null", JSONValue.null), ("\t-0\r\n", .number("-0")), (#""""#, .string("")),
    ] {
      #expect(try read(text) == value)
    }
  }

  @Test("Escapes are decoded, halves of a pair to one scalar")
  func escapes() throws {
    #expect(
      try read(#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00é🙂""#)
        == .string("\"\\/\u{8}\u{c}\n\r\tA\u{e9}\u{1f600}é🙂"))
  }

  @Test(
    "A fault is told with its bytes",
    arguments: [
      ("", .endOfText(expecting: .value), 0..<0), (" ", .endOfText(expecting: .value), 1..<1),
      ("{", .endOfText(expecting: .key), 1..<1), ("[", .endOfText(expecting: .value), 1..<1),
      ("{,}", .expected(.key), 1..<1), ("{a:1}", .expected(.key), 1..<1),
      (#"{"a" 1}"#, .expected(.colon), 5..<5), (#"{"a":}"#, .expected(.value), 5..<5),
      (#"{"a""#, .endOfText(expecting: .colon), 4..<4),
      (#"{"a":1 "b"}"#, .expected(.nextMember), 7..<7),
      (#"{"a":1,}"#, .expected(.key), 7..<7), ("[1 2]", .expected(.nextElement), 3..<3),
      ("[1", .endOfText(expecting: .nextElement), 2..<2), ("[1,]", .expected(.value), 3..<3),
      ("nul", .expected(.null), 0..<0), ("truE", .expected(.true), 0..<0),
      ("falze", .expected(.false), 0..<0), ("NaN", .expected(.value), 0..<0),
      ("+1", .expected(.value), 0..<0), (".5", .expected(.value), 0..<0),
      ("'a'", .expected(.value), 0..<0), ("\u{feff}1", .expected(.value), 0..<0),
      ("-", .missingDigit, 1..<1), ("1.", .missingDigit, 2..<2), ("1e", .missingDigit, 2..<2),
      ("1e+", .missingDigit, 3..<3), ("-x", .missingDigit, 1..<1),
      ("-0123", .leadingZero, 1..<5), ("00", .leadingZero, 0..<2),
      ("\"a\nb\"", .controlCharacter, 2..<2), ("\"\u{0}\"", .controlCharacter, 1..<1),
      (#""a"#, .unterminatedString, 2..<2), (#""a\"#, .unterminatedString, 3..<3),
      (#""\x""#, .unknownEscape, 2..<3), (#""\u12G4""#, .missingHexadecimalDigit, 3..<5),
      (#""\u12"#, .missingHexadecimalDigit, 3..<5),
      (#""\uD800""#, .unpairedSurrogate, 7..<7), (#""\uDC00\uD800""#, .unpairedSurrogate, 7..<7),
      (#""\uD800\u0041""#, .unpairedSurrogate, 13..<13),
      (#""\uD800\n""#, .unpairedSurrogate, 8..<8),
      ("{} x", .textAfterValue, 3..<3), ("{}{}", .textAfterValue, 2..<2),
      ("[[[[[", .tooDeep(limit: 4), 4..<4), (#"[[[[{}]]]]"#, .tooDeep(limit: 4), 4..<4),
    ] as [(String, JSONError.Fault, Range<Int>)])
  func faults(text: String, fault: JSONError.Fault, range: Range<Int>) {
    let error = #expect(throws: JSONError.self) { try read(text) }
    #expect(error?.fault == fault)
    #expect(error?.range == range)
  }

  @Test("A scalar may stand as deep as containers may be open")
  func depth() throws {
    #expect(try read("[[[[1]]]]") == .array([.array([.array([.array([.number("1")])])])]))
  }

  @Test("A key that an object has twice is refused with the path of the object")
  func duplicateKeys() {
    for (text, key, path) in [
      (#"{"a":1,"a":2}"#, "a", ""), (#"{"a":1,"\u0061":2}"#, "a", ""),
      (#"{"a":[0,{"b":1,"c":2,"b":3}]}"#, "b", ".a[1]"),
    ] {
      let error = #expect(throws: JSONError.self) { try read(text) }
      #expect(error?.fault == .duplicateKey(key))
      #expect(error?.path.description == path)
    }
  }

  @Test("Keys are told apart by their bytes: two spellings of a letter are two keys")
  func spellings() throws {
    let value = try read("{\"\u{e9}\":1,\"e\u{301}\":2}")
    guard case .object(let members) = value else {
      Issue.record("\(value)")
      return
    }
    #expect(members.map { Array($0.key.utf8) } == [Array("\u{e9}".utf8), Array("e\u{301}".utf8)])
  }

  @Test("A long key above many elements costs no more than either alone", .timeLimit(.minutes(1)))
  func linearTime() throws {
    // A copy of the path for every element would move 10^12 bytes, which takes minutes.
    let (keyLength, count) = (1 << 22, 250_000)
    let key = String(repeating: "k", count: keyLength)
    let elements = repeatElement("0", count: count).joined(separator: ",")
    guard case .object(let members) = try read("{\"\(key)\":[\(elements)]}"),
      case .array(let values)? = members.first?.value
    else {
      Issue.record("not read as an object with an array")
      return
    }
    #expect(values.count == count)
  }

  @Test("Lines and columns count from 1, columns in bytes")
  func places() {
    let text = "a\né b\n"
    for (offset, line, column) in [(0, 1, 1), (1, 1, 2), (2, 2, 1), (4, 2, 3), (7, 3, 1)] {
      #expect(JSONError.place(of: offset, in: text) == (line, column), "\(offset)")
    }
  }
}

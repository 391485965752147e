import Foundation
import StrictJSON
import Testing
import UntrustedText

@Suite("Writing JSON")
struct JSONWritingTests {
  private static let value = JSONValue.object([
    .init("name", .string("a")), .init("list", .array([JSONValue(1), .null, .bool(true)])),
    .init("empty", .object([])), .init("none", .array([])),
    .init(
      "rows",
      .array([
        .object([.init("x", JSONValue(0.5)), .init("y", .object([.init("z", .bool(false))]))]),
        .object([]),
      ])),
  ])

  @Test("Compact text has no blank and no line")
  func compact() {
    #expect(
      Self.value.text(.compact, escaping: .controls)
        == #"{"name":"a","list":[1,null,true],"empty":{},"none":[],"rows":[{"x":0.5,"y":{"z":false}},{}]}"#
    )
  }

  @Test("Indented text has a line for every member, and for elements where one has members")
  func indented() {
    #expect(
      Self.value.text(.indented(), escaping: .controls) == """
        {
          "name": "a",
          "list": [1, null, true],
          "empty": {},
          "none": [],
          "rows": [
            {
              "x": 0.5,
              "y": {
                "z": false
              }
            },
            {}
          ]
        }
        """)
  }

  @Test("Containers further in than the levels stand on a line")
  func levels() {
    #expect(
      Self.value.text(.indented(levels: 2), escaping: .controls) == """
        {
          "name": "a",
          "list": [1, null, true],
          "empty": {},
          "none": [],
          "rows": [
            {"x": 0.5, "y": {"z": false}},
            {}
          ]
        }
        """)
    #expect(
      JSONValue.array([.array([JSONValue(1)]), .object([.init("a", .null)])])
        .text(.indented(levels: 0), escaping: .controls) == #"[[1], {"a": null}]"#)
  }

  @Test("Each choice of escapes has its own form of what it escapes, and nothing else")
  func escapes() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{9b}\u{202e}é\u{e0041}🙂"
    func written(_ escapes: JSONEscapes) -> String {
      JSONValue.string(text).text(.compact, escaping: escapes)
    }
    #expect(
      written(.controls)
        == #""\"\\/\b\f\n\r\t\u0000\u001f"# + "\u{7f}\u{9b}\u{202e}é\u{e0041}🙂\"")
    #expect(
      written(.controlsByNumber)
        == #""\"\\/\u0008\u000c\u000a\u000d\u0009\u0000\u001f"#
        + "\u{7f}\u{9b}\u{202e}é\u{e0041}🙂\"")
    #expect(
      written(.unprintable)
        == #""\"\\/\u0008\u000c\n\r\t\u0000\u001f\u007f\u009b\u202eé\udb40\udc41🙂""#)
  }

  @Test(
    "Every scalar below U+3000 and some above come back, by this reader and by Foundation's",
    arguments: [JSONEscapes.controls, .controlsByNumber, .unprintable])
  func scalars(_ escapes: JSONEscapes) throws {
    let scalars =
      (0..<0x3000 as Range<UInt32>).compactMap(Unicode.Scalar.init) + [
        "\u{1F600}", "\u{E0041}", "\u{10FFFF}",
      ]
    let string = String(String.UnicodeScalarView(scalars))
    let text = JSONValue.array([.string(string)]).text(.indented(), escaping: escapes)
    #expect(!text.unicodeScalars.contains { $0 < " " })
    if escapes == .unprintable { #expect(text.unicodeScalars.allSatisfy(isPrintable)) }
    guard case .array(let values) = try JSONValue(reading: text, depthLimit: 1),
      case .string(let read)? = values.first
    else {
      Issue.record("not read as an array of a string")
      return
    }
    #expect(Array(read.unicodeScalars) == scalars)
    let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String]
    #expect(parsed?.first.map { Array($0.unicodeScalars) } == scalars)
  }

  @Test("Numbers come back with their bits, and those that JSON lacks are texts")
  func numbers() throws {
    let values = [
      -0.0, Double.leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, 1e16, -1.0 / 3,
    ]
    for value in values {
      guard case .number(let text) = JSONValue(value) else {
        Issue.record("\(value)")
        continue
      }
      #expect(Double(text)?.bitPattern == value.bitPattern)
      #expect(try JSONValue(reading: text, depthLimit: 0) == .number(text))
    }
    #expect(JSONValue(Double.nan) == .string("NaN"))
    #expect(JSONValue(Double.infinity) == .string("Infinity"))
    #expect(JSONValue(-Double.infinity) == .string("-Infinity"))
    #expect(JSONValue(Int.min) == .number("-9223372036854775808"))
  }

  @Test("Members without a value are left out")
  func members() {
    enum Key: String { case first, second, third }
    let members: KeyValuePairs<Key, JSONValue?> = [
      .third: .null, .first: nil, .second: .bool(true),
    ]
    #expect(
      JSONValue.members(members) == .object([.init("third", .null), .init("second", .bool(true))]))
  }
}

import Foundation
import Testing

@testable import TensorFiles

/// The entry of a tensor with the given fields.
private func entry(_ name: String, _ dtype: String, _ shape: String, _ offsets: String) -> String {
  "\"\(name)\":{\"dtype\":\"\(dtype)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

/// A number repeated in the form of the elements of an array.
private func repeating(_ number: String, _ count: Int) -> String {
  repeatElement(number, count: count).joined(separator: ",")
}

@Suite("Hostile safetensors files")
struct HostileSafetensorsTests {
  private typealias Failure = TensorFileError

  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func check(_ bytes: [UInt8], _ expected: Failure, _ label: String) throws {
    try folder.write(bytes)
    let error = #expect(throws: Failure.self, "\(label)") { try SafetensorsFile(path: path) }
    #expect(error == expected, "\(label)")
  }

  private func syntax(_ offset: Int, _ reason: String) -> Failure {
    .headerSyntax(path: path, offset: offset, reason: reason)
  }

  private func bad(_ reason: String) -> Failure {
    .badEntry(path: path, tensor: "a", reason: reason)
  }

  @Test("Malformed header text is refused with its offset")
  func grammar() throws {
    let lone = "unpaired surrogate in a string"
    let cases: [(String, Failure)] = [
      ("", syntax(8, "unexpected end of header")),
      (" ", syntax(9, "unexpected end of header")),
      ("[]", syntax(8, "expected '{'")),
      ("null", syntax(8, "expected '{'")),
      ("\u{feff}{}", syntax(8, "expected '{'")),
      ("{", syntax(9, "unexpected end of header")),
      ("{}x", syntax(10, "text after the header object")),
      ("{}\0\0\0\0\0\0", syntax(10, "text after the header object")),
      ("{}{}", syntax(10, "text after the header object")),
      ("{,}", syntax(9, "expected '\"'")),
      ("{a:1}", syntax(9, "expected '\"'")),
      ("{'a':1}", syntax(9, "expected '\"'")),
      (#"{"a" 1}"#, syntax(13, "expected ':'")),
      (#"{"a":}"#, syntax(13, "expected a value")),
      (#"{"a"#, syntax(11, "unterminated string")),
      (#"{"a\"#, syntax(12, "unterminated string")),
      (#"{"a\x":1}"#, syntax(12, "unknown escape in a string")),
      (#"{"\u12g4":1}"#, syntax(14, "expected a hexadecimal digit")),
      (#"{"\u12"#, syntax(14, "expected a hexadecimal digit")),
      (#"{"\ud800":1}"#, syntax(16, lone)),
      (#"{"\udc00\ud800":1}"#, syntax(16, lone)),
      (#"{"\ud800\u0041":1}"#, syntax(22, lone)),
      (#"{"\ud800\n":1}"#, syntax(17, lone)),
      ("{\"a\nb\":1}", syntax(11, "control character in a string")),
      ("{\"a\0\":1}", syntax(11, "control character in a string")),
      (#"{"a":{"dtype":"U8",}}"#, syntax(27, "expected '\"'")),
      (#"{"a":{"shape":[1,]}}"#, syntax(25, "expected a value")),
      (#"{"a":{"shape":[1 2]}}"#, syntax(25, "expected ',' or ']'")),
      (#"{"a":{"shape":[01]}}"#, syntax(23, "number with a leading zero")),
      (#"{"a":{"shape":[-]}}"#, syntax(24, "expected a digit")),
      (#"{"a":{"shape":[1.]}}"#, syntax(25, "expected a digit")),
      (#"{"a":{"shape":[1e]}}"#, syntax(25, "expected a digit")),
      (#"{"a":{"shape":[+1]}}"#, syntax(23, "expected a value")),
      (#"{"a":{"shape":[NaN]}}"#, syntax(23, "expected a value")),
      (#"{"a":{"x":nul}}"#, syntax(18, "expected null")),
      (#"{"a":{"x":truE}}"#, syntax(18, "expected true")),
      (#"{"a":{"x":[1}}"#, syntax(20, "expected ',' or ']'")),
      (#"{"a":{"x":1]}"#, syntax(19, "expected ',' or '}'")),
      (
        #"{"a":{"x":{"# + (0..<65).map { "\"\(100 + $0)\":0" }.joined(separator: ",") + "}}}",
        // 64 members of eight bytes with their commas, then a key and its colon.
        syntax(19 + 64 * 8 + 6, "more than 64 keys in an unknown object")
      ),
      ("{/**/}", syntax(9, "expected '\"'")),
    ]
    for (header, expected) in cases {
      try check(safetensors(header), expected, header)
    }
  }

  @Test("Bytes that are not UTF-8 are refused where they stand")
  func encoding() throws {
    let cases: [([UInt8], Int)] = [
      ([0xff], 10), ([0x41, 0x80], 11), ([0xc3], 10), ([0xc0, 0x80], 10),
      ([0xed, 0xa0, 0x80], 10), ([0xf4, 0x90, 0x80, 0x80], 10),
      // After an escape, the start of the string is named.
      (Array("\\n".utf8) + [0xff], 10),
    ]
    for (name, offset) in cases {
      let header = Array("{\"".utf8) + name + Array("\":1}".utf8)
      try check(safetensors(header), .headerNotUTF8(path: path, offset: offset), "\(name)")
    }
  }

  @Test("Bad entries are refused by name and reason")
  func entries() throws {
    let range = "not a whole number from 0 to 9223372036854775807"
    let cases: [(String, Failure)] = [
      (#""a":1"#, bad("is not an object")),
      (#""a":null"#, bad("is not an object")),
      (#""a":[]"#, bad("is not an object")),
      (#""a":{}"#, bad("has no dtype")),
      (#""a":{"dtype":"U8"}"#, bad("has no shape")),
      (#""a":{"dtype":"U8","shape":[]}"#, bad("has no data_offsets")),
      (#""a":{"dtype":8}"#, bad("dtype is not a string")),
      (#""a":{"shape":4}"#, bad("shape is not an array")),
      (#""a":{"shape":["4"]}"#, bad("shape holds something other than numbers")),
      (#""a":{"shape":[[4]]}"#, bad("shape holds something other than numbers")),
      (#""a":{"shape":[null]}"#, bad("shape holds something other than numbers")),
      (#""a":{"data_offsets":{}}"#, bad("data_offsets is not an array")),
      (entry("a", "U8", "[-1]", "[0,1]"), bad("shape holds -1, \(range)")),
      (entry("a", "U8", "[-0]", "[0,0]"), bad("shape holds -0, \(range)")),
      (entry("a", "U8", "[1.0]", "[0,1]"), bad("shape holds 1.0, \(range)")),
      (entry("a", "U8", "[1e0]", "[0,1]"), bad("shape holds 1e0, \(range)")),
      (
        entry("a", "U8", "[9223372036854775808]", "[0,1]"),
        bad("shape holds 9223372036854775808, \(range)")
      ),
      (
        entry("a", "U8", "[\(String(repeating: "9", count: 40))]", "[0,1]"),
        bad("shape holds \(String(repeating: "9", count: 24)), \(range)")
      ),
      (entry("a", "U8", "[1]", "[]"), bad("data_offsets has 0 numbers instead of 2")),
      (entry("a", "U8", "[1]", "[0,1,2]"), bad("data_offsets has 3 numbers instead of 2")),
      (entry("a", "U8", "[1]", "[1,0]"), bad("data_offsets run from 1 to 0")),
      (
        entry("a", "U8", "[1]", "[9223372036854775806,9223372036854775807]"),
        bad("data offset 9223372036854775807 is out of range")
      ),
      (
        entry("a", "U8", "[\(repeating("1", 65))]", "[0,1]"),
        bad("shape holds more than 64 numbers")
      ),
      (
        "\"a\":{\((0..<65).map { "\"\($0)\":0" }.joined(separator: ","))}",
        bad("has more than 64 unknown keys")
      ),
      (entry("a", "F4", "[3]", "[0,2]"), bad("3 elements of F4 do not fill whole bytes")),
      (entry("a", "F6_E2M3", "[5]", "[0,4]"), bad("5 elements of F6_E2M3 do not fill whole bytes")),
      (
        entry("a", "F4_E2M1", "[2]", "[0,1]"),
        .unknownDType(path: path, tensor: "a", dtype: "F4_E2M1")
      ),
      (entry("a", "f32", "[1]", "[0,4]"), .unknownDType(path: path, tensor: "a", dtype: "f32")),
      (entry("a", "", "[1]", "[0,4]"), .unknownDType(path: path, tensor: "a", dtype: "")),
      (
        entry("a", "U8", "[4294967296,4294967296]", "[0,0]"),
        .shapeOverflow(path: path, tensor: "a")
      ),
      (
        entry("a", "U8", "[4294967296,4294967296,0]", "[0,0]"),
        .shapeOverflow(path: path, tensor: "a")
      ),
      // 2^60 elements fit, their 2^66 bits do not.
      (
        entry("a", "F64", "[1152921504606846976]", "[0,0]"), .shapeOverflow(path: path, tensor: "a")
      ),
      (
        entry("a", "F32", "[2]", "[0,4]"),
        .sizeMismatch(path: path, tensor: "a", expected: 8, found: 4)
      ),
      (
        entry("a", "U8", "[]", "[0,0]"),
        .sizeMismatch(path: path, tensor: "a", expected: 1, found: 0)
      ),
    ]
    for (member, expected) in cases {
      try check(safetensors("{\(member)}", dataCount: 4), expected, member)
    }
  }

  @Test("A key that occurs twice is refused wherever it stands")
  func duplicates() throws {
    let a = entry("a", "U8", "[]", "[0,1]")
    let cases: [(String, Failure)] = [
      ("{\(a),\(a)}", .duplicateTensor(path: path, tensor: "a")),
      (#"{\#(a),"\u0061":1}"#, .duplicateTensor(path: path, tensor: "a")),
      (
        "{\"__metadata__\":{\"\u{e9}\":\"1\",\"e\u{301}\":\"2\"}}",
        .badHeader(path: path, reason: "two keys of the metadata are spellings of 'e\u{301}'")
      ),
      (
        #"{"a":{"dtype":"U8","dtype":"U8"}}"#,
        .duplicateKey(path: path, key: "dtype", offset: 39)
      ),
      (#"{"a":{"shape":[],"shape":[]}}"#, .duplicateKey(path: path, key: "shape", offset: 35)),
      (#"{"a":{"x":1,"x":2}}"#, .duplicateKey(path: path, key: "x", offset: 25)),
      (#"{"a":{"x":[{"y":1,"y":2}]}}"#, .duplicateKey(path: path, key: "y", offset: 30)),
      (
        #"{"__metadata__":{"k":"1","k":"2"}}"#,
        .duplicateKey(path: path, key: "k", offset: 40)
      ),
      (
        #"{"__metadata__":null,"__metadata__":{}}"#,
        .duplicateKey(path: path, key: "__metadata__", offset: 44)
      ),
    ]
    for (header, expected) in cases {
      try check(safetensors(header, dataCount: 2), expected, header)
    }
  }

  @Test("Two spellings of a letter are two tensors, and two unknown keys")
  func spellings() throws {
    let (one, two) = ("\u{e9}", "e\u{301}")
    let unknown = "\"\(one)\":1,\"\(two)\":{\"\(one)\":1,\"\(two)\":2}"
    let second = entry(two, "U8", "[]", "[1,2]").dropLast() + ",\(unknown)}"
    let header = "{\(entry(one, "U8", "[]", "[0,1]")),\(second)}"
    let file = try SafetensorsFile(path: folder.write(safetensors(header, dataCount: 2)))
    #expect(file.tensors.map { Array($0.name.utf8) } == [Array(one.utf8), Array(two.utf8)])
    for (name, byte) in [(one, 0), (two, 1)] as [(String, UInt8)] {
      let tensor = try #require(file.tensor(named: name))
      #expect(try file.bytes(of: tensor) == [byte])
    }
    // What was read can be written again.
    let copies = try file.tensors.map {
      TensorData(name: $0.name, shape: $0.shape, try file.bytes(of: $0))
    }
    try SafetensorsWriter.write(copies, to: folder["copy"])
    #expect(try SafetensorsFile(path: folder["copy"]).tensors.map(\.byteRange.count) == [1, 1])
  }

  @Test("Behind a zero, extents may be as large as they like, as in the reference reader")
  func emptyShapes() throws {
    // What safetensors 0.8.0 says of each: accepted, or "overflow computing buffer size".
    let most = "9223372036854775807"
    for shape in ["[0,\(most),\(most)]", "[\(most),0,\(most)]", "[\(most),1,0]"] {
      let header = "{\(entry("a", "F32", shape, "[0,0]"))}"
      let file = try SafetensorsFile(path: folder.write(safetensors(header)))
      #expect(file.tensors.map(\.elementCount) == [0])
      #expect(try file.floats(of: file.tensors[0]).isEmpty)
    }
    for shape in ["[\(most),\(most),0]", "[4294967296,4294967296,0]"] {
      try check(
        safetensors("{\(entry("a", "U8", shape, "[0,0]"))}"),
        .shapeOverflow(path: path, tensor: "a"), shape)
    }
  }

  @Test("Metadata other than text is refused")
  func metadata() throws {
    let value = Failure.badHeader(path: path, reason: "metadata value of 'k' is not a string")
    let whole = Failure.badHeader(path: path, reason: "metadata is not an object")
    for (text, expected) in [
      ("[]", whole), ("\"x\"", whole), ("1", whole), ("{\"k\":1}", value), ("{\"k\":null}", value),
      ("{\"k\":{}}", value),
    ] {
      try check(safetensors("{\"__metadata__\":\(text)}"), expected, text)
    }
  }

  @Test("Tensors must cover the data exactly, whatever the order of their entries")
  func layout() throws {
    func two(_ first: String, _ second: String) -> String {
      "{\(entry("b", "U8", "[2]", second)),\(entry("a", "U8", "[2]", first))}"
    }
    let shared = two("[0,2]", "[0,2]")
    let apart = two("[0,2]", "[3,5]")
    let late = "{\(entry("a", "U8", "[2]", "[1,3]"))}"
    let crossing = two("[0,2]", "[1,3]")
    let good = two("[0,2]", "[2,4]")
    func start(_ header: String) -> Int { 8 + header.utf8.count }
    let cases: [(String, Int, Failure)] = [
      (
        shared, 2,
        .overlap(path: path, tensor: "a", start: start(shared), previousEnd: start(shared) + 2)
      ),
      (
        crossing, 3,
        .overlap(
          path: path, tensor: "b", start: start(crossing) + 1, previousEnd: start(crossing) + 2)
      ),
      (
        apart, 5,
        .hole(path: path, tensor: "b", start: start(apart) + 3, previousEnd: start(apart) + 2)
      ),
      (late, 3, .hole(path: path, tensor: "a", start: start(late) + 1, previousEnd: start(late))),
      (good, 3, .dataTruncated(path: path, needed: 4, available: 3)),
      (good, 5, .trailingBytes(path: path, count: 1)),
      ("{}", 1, .trailingBytes(path: path, count: 1)),
    ]
    for (header, dataCount, expected) in cases {
      try check(safetensors(header, dataCount: dataCount), expected, "\(header) + \(dataCount)")
    }
    let file = try SafetensorsFile(path: folder.write(safetensors(good, dataCount: 4)))
    #expect(file.tensors.map(\.name) == ["a", "b"])
  }

  @Test("Lengths beyond the file or the limit are refused before anything is read")
  func lengths() throws {
    func truncated(_ needed: Int, _ available: Int) -> Failure {
      .headerTruncated(path: path, needed: needed, available: available)
    }
    func long(_ length: UInt64) -> Failure {
      .headerTooLong(path: path, length: length, limit: 100_000_000)
    }
    try check([], .emptyFile(path: path), "empty")
    try check([0], truncated(8, 1), "one byte")
    try check(lengthField(2), truncated(10, 8), "length alone")
    try check(lengthField(3) + Array("{}".utf8), truncated(11, 10), "short")
    try check(lengthField(100_000_000), truncated(100_000_008, 8), "at the limit")
    try check(lengthField(100_000_001), long(100_000_001), "over the limit")
    try check(lengthField(.max) + Array("{}".utf8), long(.max), "all ones")
  }

  @Test("Nesting is capped, in arrays and objects alike")
  func depth() throws {
    // The header object and the entry are two levels of the eight allowed.
    for (open, close) in [("[", "]"), ("{\"x\":", "}")] {
      for count in [6, 7, 100_000] {
        let value =
          String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
        let prefix = "{\"a\":{\"x\":"
        let expected =
          count == 6
          ? bad("has no dtype")
          : .headerTooDeep(
            path: path, offset: 8 + prefix.utf8.count + 6 * open.utf8.count, limit: 8)
        try check(safetensors("\(prefix)\(value)}}"), expected, "\(count) of \(open)")
      }
    }
  }

  @Test("What the reference reader tolerates is read")
  func tolerated() throws {
    let headers = [
      "{\(entry("a", "U8", "[0,\(repeating("1", 63))]", "[0,0]"))}",
      " \n\r\t{ } \n", #"{"__metadata__":null}"#, #"{"__metadata__":{}}"#,
      #"{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":[{},[],1.5e-3,true,"\ud83d\ude00"]}}"#,
      #"{"":{"data_offsets":[0,0],"shape":[3,0],"dtype":"F4"}}"#,
      #"{"\u0000":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#,
    ]
    for header in headers {
      let path = try folder.write(safetensors(header))
      #expect(throws: Never.self, "\(header)") { try SafetensorsFile(path: path) }
    }
  }
}

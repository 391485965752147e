import Testing

@testable import TensorFiles

@Suite("Hostile NumPy array files")
struct HostileNpyTests {
  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func check(_ bytes: [UInt8], _ expected: TensorFileError, _ label: String) throws {
    try folder.write(bytes)
    let error = #expect(throws: TensorFileError.self, "\(label)") { try NpyFile(path: path) }
    #expect(error == expected, "\(label)")
  }

  private func syntax(_ offset: Int, _ reason: String) -> TensorFileError {
    .headerSyntax(path: path, offset: offset, reason: reason)
  }

  @Test("Malformed dictionaries are refused with their offset or cause")
  func dictionaries() throws {
    let rest = "'fortran_order': False, 'descr': '<f4'}"
    func bad(_ reason: String) -> TensorFileError { .badHeader(path: path, reason: reason) }
    func duplicate(_ key: String, _ offset: Int) -> TensorFileError {
      .duplicateKey(path: path, key: key, offset: offset)
    }
    let cases: [(String, TensorFileError)] = [
      ("", syntax(10, "unexpected end of header")),
      ("()", syntax(10, "expected '{'")),
      ("{", syntax(11, "expected a string")),
      ("{}", bad("has no 'descr'")),
      ("{} {}", syntax(13, "text after the dictionary")),
      ("{,}", syntax(11, "expected a string")),
      ("{'shape'}", syntax(18, "expected ':'")),
      ("{'shape': }", syntax(20, "expected '('")),
      ("{'shape': 3}", syntax(20, "expected '('")),
      ("{'shape': (3), \(rest)", syntax(22, "expected ','")),
      ("{'shape': (3 4), \(rest)", syntax(23, "expected ',' or ')'")),
      ("{'shape': (,), \(rest)", syntax(21, "expected a whole number")),
      ("{'shape': (3,,), \(rest)", syntax(23, "expected a whole number")),
      ("{'shape': (-3,), \(rest)", syntax(21, "expected a whole number")),
      ("{'shape': (3.0,), \(rest)", syntax(22, "expected ',' or ')'")),
      ("{'shape': (03,), \(rest)", syntax(23, "number with a leading zero")),
      ("{'shape': (9223372036854775808,), \(rest)", syntax(39, "number is out of range")),
      ("{'shape': (3l,), \(rest)", syntax(22, "expected ',' or ')'")),
      ("{'shape': (3LL,), \(rest)", syntax(23, "expected ',' or ')'")),
      ("{'shape': (L,), \(rest)", syntax(21, "expected a whole number")),
      ("{'shape': (3L), \(rest)", syntax(23, "expected ','")),
      ("{'shape': (3,", syntax(23, "unexpected end of header")),
      ("{'shape': (1,), 'fortran_order': 0}", syntax(43, "expected True or False")),
      ("{'descr': '<f4', 'fortran_order': true}", syntax(44, "expected True or False")),
      ("{'descr': '<f4'", syntax(25, "unexpected end of header")),
      ("{'descr': '<f4", syntax(24, "unterminated string")),
      ("{'descr': '<\\x664'}", syntax(22, "unexpected character in a string")),
      ("{'descr': '<é4'}", syntax(22, "unexpected character in a string")),
      ("{'descr': '<f\n4'}", syntax(23, "unexpected character in a string")),
      ("{'descr': [('a', '<f4')]}", bad("structured element types are not supported")),
      ("{'descr': None}", syntax(20, "expected a string")),
      ("{'order': 1}", bad("unknown key 'order'")),
      ("{'descr': '<f4'}", bad("has no 'fortran_order'")),
      ("{\(rest)", bad("has no 'shape'")),
      ("{'shape': (1,), 'fortran_order': False}", bad("has no 'descr'")),
      ("{'shape': (1,), 'shape': (1,), \(rest)", duplicate("shape", 39)),
      ("{'descr': '<f4', 'descr': '<f4'}", duplicate("descr", 41)),
      ("{'shape': (1,), \(rest)\t", syntax(65, "text after the dictionary")),
      ("{'shape': (1,), \(rest)\0", syntax(65, "text after the dictionary")),
    ]
    for (text, expected) in cases {
      try check(npy(text), expected, text)
    }
  }

  @Test("Unsupported element types are refused by name, with what is supported")
  func descriptors() throws {
    for descriptor in [
      "<f16", ">f16", "<i4", ">u4", "|b1", "|S4", "<c8", "|O", "f4", "=f4", "|V4", "V2", ">V2", "",
    ] {
      let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (0,), }"
      try check(
        npy(text),
        .unsupportedDType(
          path: path, tensor: nil, dtype: "'\(descriptor)'",
          supported: "<f2 <f4 <f8 <u2 <u4 >f2 >f4 >f8 |u1"), text)
    }
  }

  @Test("Who wants floats is told of floats alone, whatever else could be read")
  func descriptorsOfFloats() throws {
    for descriptor in ["<i8", "|u1", "<u4"] {
      let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (0,), }"
      try folder.write(npy(text))
      let error = #expect(throws: TensorFileError.self) {
        try NpyFile(path: path, elements: .floats)
      }
      #expect(
        error
          == .unsupportedDType(
            path: path, tensor: nil, dtype: "'\(descriptor)'",
            supported: "<f2 <f4 <f8 >f2 >f4 >f8"))
    }
  }

  @Test("The size of the file must be the one its shape needs")
  func sizes() throws {
    func text(_ shape: String) -> String {
      "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    }
    let overflow = TensorFileError.shapeOverflow(path: path, tensor: "array")
    let huge = "4611686018427387904"
    try check(npy(text("(2,)")), .dataTruncated(path: path, needed: 8, available: 0), "none")
    try check(
      npy(text("(2,)"), data: [UInt8](repeating: 0, count: 7)),
      .dataTruncated(path: path, needed: 8, available: 7), "short")
    try check(
      npy(text("(2,)"), data: [UInt8](repeating: 0, count: 9)),
      .trailingBytes(path: path, count: 1), "long")
    try check(npy(text("(0,)"), data: [0]), .trailingBytes(path: path, count: 1), "zero-size")
    try check(npy(text("(\(huge), 4)")), overflow, "elements")
    try check(npy(text("(\(huge), 4, 0)")), overflow, "elements before a zero")
    try check(npy(text("(\(huge),)")), overflow, "bits")
  }

  @Test("Foreign files, unknown versions and oversized headers are refused")
  func prefixes() throws {
    let foreign = TensorFileError.unknownType(path: path, expected: "a NumPy array file")
    try check(Array("\u{93}NUMPY".utf8), foreign, "UTF-8 magic")
    try check(Array(npy("{}").dropFirst()), foreign, "shifted")
    for (major, minor): (UInt8, UInt8) in [(0, 0), (4, 0), (1, 1), (255, 255)] {
      var bytes = npy("{}")
      bytes[6] = major
      bytes[7] = minor
      try check(
        bytes, .unsupportedVersion(path: path, major: Int(major), minor: Int(minor)),
        "\(major).\(minor)")
    }
    let magic = Array(npy("", version: 2).prefix(8))
    try check(
      magic + [0xff, 0xff, 0xff, 0xff],
      .headerTooLong(path: path, length: 0xffff_ffff, limit: 65_536), "all ones")
    try check(
      magic + [0, 0, 1, 0], .headerTruncated(path: path, needed: 65_548, available: 12), "limit")
    try check(
      magic + [1, 0, 1, 0], .headerTooLong(path: path, length: 65_537, limit: 65_536), "above")
  }
}

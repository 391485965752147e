import UntrustedText

/// A strict reader of the Python dictionary literal in a `.npy` header.
///
/// It accepts what NumPy writes: one dictionary of quoted keys with a string, a truth value or a
/// tuple of whole numbers each, in printable ASCII. The wider literal syntax of Python is refused.
struct NpyHeaderScanner {
  private let bytes: UnsafeRawBufferPointer
  private let path: String
  private let baseOffset: Int
  private var position = 0
  private var isAtStart = true

  /// - Parameters:
  ///   - bytes: The text, which must stay valid while the scanner is used.
  ///   - baseOffset: Where the text starts in the file, for the offsets in errors.
  init(_ bytes: UnsafeRawBufferPointer, path: String, baseOffset: Int) {
    self.bytes = bytes
    self.path = path
    self.baseOffset = baseOffset
  }

  /// The offset in the file of the next byte to be read.
  var offset: Int { baseOffset + position }

  /// Enters the dictionary; its members follow by `nextKey()`.
  mutating func beginDictionary() throws(TensorFileError) {
    try expect("{")
  }

  /// The next key, whose value must be read next, or nil past the last.
  mutating func nextKey() throws(TensorFileError) -> String? {
    if !isAtStart, next() != UInt8(ascii: "}") { try expect(",") }
    isAtStart = false
    if next() == UInt8(ascii: "}") {
      position += 1
      return nil
    }
    let key = try string()
    try expect(":")
    return key
  }

  /// Requires that nothing but spaces and line ends is left.
  mutating func finish() throws(TensorFileError) {
    guard next() == nil else { throw syntaxError("text after the dictionary") }
  }

  /// Reads a type description, refusing structured types, which are lists.
  mutating func descriptor() throws(TensorFileError) -> String {
    guard next() != UInt8(ascii: "[") else {
      throw .badHeader(path: path, reason: "structured element types are not supported")
    }
    return try string()
  }

  /// Reads `True` or `False`.
  mutating func truthValue() throws(TensorFileError) -> Bool {
    _ = next()
    for (text, value) in [("True", true), ("False", false)]
    where bytes[position...].starts(with: text.utf8) {
      position += text.utf8.count
      return value
    }
    throw syntaxError("expected True or False")
  }

  /// Reads a tuple of whole numbers that fit in an `Int`, such as `()`, `(3,)` or `(3, 4)`.
  ///
  /// Python 2 wrote its long integers with an `L` behind them, which says nothing about them.
  mutating func naturalTuple() throws(TensorFileError) -> [Int] {
    try expect("(")
    var result: [Int] = []
    var endsInComma = false
    while let byte = next(), byte != UInt8(ascii: ")") {
      if !result.isEmpty, !endsInComma { throw syntaxError("expected ',' or ')'") }
      result.append(try natural())
      endsInComma = next() == UInt8(ascii: ",")
      if endsInComma { position += 1 }
    }
    // In Python, a single number in parentheses without a comma is that number.
    guard result.count != 1 || endsInComma else { throw syntaxError("expected ','") }
    try expect(")")
    return result
  }

  private mutating func natural() throws(TensorFileError) -> Int {
    let start = position
    var value = 0
    while position < bytes.count, let digit = Self.digit(bytes[position]) {
      guard let longer = value.appendingDigit(digit) else {
        throw syntaxError("number is out of range")
      }
      value = longer
      position += 1
    }
    guard position > start else { throw syntaxError("expected a whole number") }
    guard position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      throw syntaxError("number with a leading zero")
    }
    if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
    return value
  }

  private static func digit(_ byte: UInt8) -> Int? {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte & 15) : nil
  }

  /// Reads a string in single or double quotes without escapes.
  private mutating func string() throws(TensorFileError) -> String {
    guard let quote = next(), quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
      throw syntaxError("expected a string")
    }
    position += 1
    let start = position
    while position < bytes.count, bytes[position] != quote {
      let byte = bytes[position]
      guard byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\\") else {
        throw syntaxError("unexpected character in a string")
      }
      position += 1
    }
    guard position < bytes.count else { throw syntaxError("unterminated string") }
    defer { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// The next byte that is not white space, which is not consumed, or nil at the end.
  private mutating func next() -> UInt8? {
    while position < bytes.count {
      let byte = bytes[position]
      guard byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\n") else { return byte }
      position += 1
    }
    return nil
  }

  private mutating func expect(_ scalar: Unicode.Scalar) throws(TensorFileError) {
    guard let byte = next() else { throw syntaxError("unexpected end of header") }
    guard byte == UInt8(ascii: scalar) else { throw syntaxError("expected '\(scalar)'") }
    position += 1
  }

  private func syntaxError(_ reason: String) -> TensorFileError {
    .headerSyntax(path: path, offset: offset, reason: reason)
  }
}

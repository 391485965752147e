/// A strict forward-only reader of the JSON in a file header.
///
/// It builds no tree: the caller walks objects and arrays in the order of the text, so memory is
/// bounded by what the caller keeps, and time is linear in the text. Nothing beyond RFC 8259 is
/// accepted. Recursion is the caller's own, except in `skipValue()`, whose depth is capped.
///
/// Duplicate keys are the caller's to refuse, who holds the keys anyway.
struct JSONHeaderScanner {
  /// The deepest nesting accepted.
  ///
  /// A tensor entry needs three levels; the rest is for unknown keys.
  static let depthLimit = 8
  /// The most keys of an object that is skipped.
  ///
  /// They are held to find duplicates; the limit keeps junk from taking time and memory.
  static let skippedKeyLimit = 64

  let bytes: UnsafeRawBufferPointer
  let path: String
  let baseOffset: Int
  var position = 0
  private var depth = 0
  /// Whether the innermost open container has had no member yet.
  ///
  /// One flag serves all levels: once
  /// an inner container closes, the outer one has had a member.
  private var isAtStart = false

  /// - Parameters:
  ///   - bytes: The text, which must stay valid while the scanner is used.
  ///   - baseOffset: Where the text starts in the file, for the offsets in errors.
  init(_ bytes: UnsafeRawBufferPointer, path: String, baseOffset: Int) {
    self.bytes = bytes
    self.path = path
    self.baseOffset = baseOffset
  }

  /// A number, as far as a header has a use for one.
  enum Number: Equatable {
    /// An integer from 0 to `Int.max`, written without sign, fraction or exponent.
    case natural(Int)
    /// Any other well-formed number, with its first characters.
    case other(String)
  }

  /// The kind of a value, known from its first byte.
  enum Kind {
    case object, array, string, number, null, bool
  }

  /// The offset in the file of the next byte to be read.
  var offset: Int { baseOffset + position }

  /// The kind of the next value.
  mutating func peekKind() throws(TensorFileError) -> Kind {
    skipWhitespace()
    guard position < bytes.count else { throw syntaxError("unexpected end of header") }
    switch bytes[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    default: throw syntaxError("expected a value")
    }
  }

  // MARK: Containers

  /// Enters an object; its members follow by `nextKey()`.
  mutating func beginObject() throws(TensorFileError) {
    try begin(with: UInt8(ascii: "{"), named: "'{'")
  }

  /// The next key of the current object, whose value must be read next, or nil past the last.
  mutating func nextKey() throws(TensorFileError) -> String? {
    guard try advance(closing: UInt8(ascii: "}"), named: "',' or '}'") else { return nil }
    let key = try string()
    skipWhitespace()
    try expect(UInt8(ascii: ":"), named: "':'")
    return key
  }

  /// Enters an array; its elements follow by `nextElement()`.
  mutating func beginArray() throws(TensorFileError) {
    try begin(with: UInt8(ascii: "["), named: "'['")
  }

  /// Whether the current array has another element, which must be read next.
  mutating func nextElement() throws(TensorFileError) -> Bool {
    try advance(closing: UInt8(ascii: "]"), named: "',' or ']'")
  }

  /// Requires that nothing but whitespace is left.
  mutating func finish() throws(TensorFileError) {
    skipWhitespace()
    guard position == bytes.count else { throw syntaxError("text after the header object") }
  }

  private mutating func begin(with byte: UInt8, named name: String) throws(TensorFileError) {
    skipWhitespace()
    guard depth < Self.depthLimit || peek() != byte else {
      throw .headerTooDeep(path: path, offset: offset, limit: Self.depthLimit)
    }
    try expect(byte, named: name)
    depth += 1
    isAtStart = true
  }

  private mutating func advance(
    closing: UInt8, named name: String
  ) throws(TensorFileError) -> Bool {
    skipWhitespace()
    if peek() == closing {
      position += 1
      depth -= 1
      isAtStart = false
      return false
    }
    if !isAtStart {
      try expect(UInt8(ascii: ","), named: name)
      skipWhitespace()
    }
    isAtStart = false
    return true
  }

  // MARK: Scalars

  /// Reads `null`.
  mutating func null() throws(TensorFileError) {
    skipWhitespace()
    try literal("null")
  }

  /// Reads a number.
  mutating func number() throws(TensorFileError) -> Number {
    skipWhitespace()
    let start = position
    let isNegative = peek() == UInt8(ascii: "-")
    if isNegative { position += 1 }
    let digitsStart = position
    var value: Int? = 0
    while let digit = peekDigit() {
      value = value.flatMap { $0.appendingDigit(digit) }
      position += 1
    }
    guard position > digitsStart else { throw syntaxError("expected a digit") }
    guard bytes[digitsStart] != UInt8(ascii: "0") || position == digitsStart + 1 else {
      position = digitsStart
      throw syntaxError("number with a leading zero")
    }
    var isInteger = !isNegative
    if peek() == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try skipDigits()
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      try skipDigits()
    }
    if isInteger, let value { return .natural(value) }
    return .other(String(decoding: bytes[start..<min(position, start + 24)], as: UTF8.self))
  }

  /// Reads any value and forgets it, refusing what is malformed within.
  mutating func skipValue() throws(TensorFileError) {
    switch try peekKind() {
    case .object:
      try beginObject()
      var seen: Set<ExactText> = []
      while let key = try nextKey() {
        guard seen.insert(ExactText(key)).inserted else {
          throw .duplicateKey(path: path, key: key, offset: offset)
        }
        guard seen.count <= Self.skippedKeyLimit else {
          throw syntaxError("more than \(Self.skippedKeyLimit) keys in an unknown object")
        }
        try skipValue()
      }
    case .array:
      try beginArray()
      while try nextElement() { try skipValue() }
    case .string: _ = try string()
    case .number: _ = try number()
    case .null: try literal("null")
    case .bool: try literal(peek() == UInt8(ascii: "t") ? "true" : "false")
    }
  }

  // MARK: Bytes

  /// An error at the next byte.
  func syntaxError(_ reason: String) -> TensorFileError {
    .headerSyntax(path: path, offset: offset, reason: reason)
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
        position += 1
      default: return
      }
    }
  }

  func peek() -> UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  private func peekDigit() -> Int? {
    guard let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else {
      return nil
    }
    return Int(byte - UInt8(ascii: "0"))
  }

  private mutating func skipDigits() throws(TensorFileError) {
    guard peekDigit() != nil else { throw syntaxError("expected a digit") }
    while peekDigit() != nil { position += 1 }
  }

  mutating func expect(_ byte: UInt8, named name: String) throws(TensorFileError) {
    guard position < bytes.count else { throw syntaxError("unexpected end of header") }
    guard bytes[position] == byte else { throw syntaxError("expected \(name)") }
    position += 1
  }

  private mutating func literal(_ text: StaticString) throws(TensorFileError) {
    guard bytes[position...].starts(with: "\(text)".utf8) else {
      throw syntaxError("expected \(text)")
    }
    position += text.utf8CodeUnitCount
  }
}

extension Int {
  /// The number with one more decimal digit, or nil if it does not fit.
  func appendingDigit(_ digit: Int) -> Int? {
    let (shifted, shiftOverflow) = multipliedReportingOverflow(by: 10)
    let (sum, sumOverflow) = shifted.addingReportingOverflow(digit)
    return shiftOverflow || sumOverflow ? nil : sum
  }
}

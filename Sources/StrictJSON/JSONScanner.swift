import UntrustedText

/// A strict forward-only reader of JSON, for texts that anyone may have written.
///
/// It builds no tree: the caller walks objects and arrays in the order of the text, so memory is
/// bounded by what the caller keeps, and time is linear in the text. Nothing beyond RFC 8259 is
/// accepted. Recursion is the caller's own, except in `skipValue(keyLimit:)`, whose depth is capped.
///
/// Duplicate keys are the caller's to refuse, who holds the keys anyway. `JSONValue` reads a whole
/// text by this reader, and refuses them.
package struct JSONScanner<Failure: Error> {
  /// A number: as an integer, where it is one that counts, and as it is written.
  package struct Number {
    /// Its value, if it is written without sign, fraction and exponent and at most `Int.max`.
    package let natural: Int?
    /// Its bytes, counted from the start of the text.
    package let range: Range<Int>
  }

  /// The kind of a value, known from its first byte.
  package enum Kind {
    case object, array, string, number, null, bool
  }

  private let depthLimit: Int
  private let failure: (JSONError) -> Failure
  var cursor: JSONCursor
  private var depth = 0
  /// Whether the innermost open container has had no member yet.
  ///
  /// One flag serves all levels: once an inner container closes, the outer one has had a member.
  private var isAtStart = false

  /// - Parameters:
  ///   - bytes: The text.
  ///   - depthLimit: The most containers that are open at once.
  ///   - failure: Says an error in the words of the caller, at most once.
  package init(
    _ bytes: [UInt8], depthLimit: Int, failure: @escaping (JSONError) -> Failure
  ) {
    cursor = JSONCursor(bytes)
    self.depthLimit = depthLimit
    self.failure = failure
  }

  /// The offset of the next byte to be read.
  package var position: Int { cursor.position }

  /// The kind of the next value.
  package mutating func peekKind() throws(Failure) -> Kind {
    cursor.skipWhitespace()
    guard let byte = cursor.next else { throw error(.endOfText(expecting: .value)) }
    switch byte {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
    default: throw error(.expected(.value))
    }
  }

  // MARK: Containers

  /// Enters an object; its members follow by `nextKey()`.
  package mutating func beginObject() throws(Failure) {
    try begin(with: UInt8(ascii: "{"), .object)
  }

  /// The next key of the current object, whose value must be read next, or nil past the last.
  package mutating func nextKey() throws(Failure) -> String? {
    guard try advance(closing: UInt8(ascii: "}"), .nextMember) else { return nil }
    try expect(UInt8(ascii: "\""), .key)
    let key = try restOfString()
    cursor.skipWhitespace()
    try expect(UInt8(ascii: ":"), .colon)
    return key
  }

  /// Enters an array; its elements follow by `nextElement()`.
  package mutating func beginArray() throws(Failure) {
    try begin(with: UInt8(ascii: "["), .array)
  }

  /// Whether the current array has another element, which must be read next.
  package mutating func nextElement() throws(Failure) -> Bool {
    try advance(closing: UInt8(ascii: "]"), .nextElement)
  }

  /// Requires that nothing but whitespace is left.
  package mutating func finish() throws(Failure) {
    cursor.skipWhitespace()
    guard cursor.isAtEnd else { throw error(.textAfterValue) }
  }

  private mutating func begin(
    with byte: UInt8, _ expectation: JSONError.Expectation
  ) throws(Failure) {
    cursor.skipWhitespace()
    guard depth < depthLimit || cursor.next != byte else {
      throw error(.tooDeep(limit: depthLimit))
    }
    try expect(byte, expectation)
    depth += 1
    isAtStart = true
  }

  private mutating func advance(
    closing: UInt8, _ expectation: JSONError.Expectation
  ) throws(Failure) -> Bool {
    cursor.skipWhitespace()
    if cursor.next == closing {
      cursor.position += 1
      depth -= 1
      isAtStart = false
      return false
    }
    if !isAtStart {
      try expect(UInt8(ascii: ","), expectation)
      cursor.skipWhitespace()
    }
    isAtStart = false
    return true
  }

  // MARK: Scalars

  /// Reads `null`.
  package mutating func null() throws(Failure) {
    cursor.skipWhitespace()
    try literal(.null)
  }

  /// Reads `true` or `false`.
  package mutating func bool() throws(Failure) -> Bool {
    cursor.skipWhitespace()
    let value = cursor.next == UInt8(ascii: "t")
    try literal(value ? .true : .false)
    return value
  }

  /// Reads a string, decoding its escapes.
  ///
  /// Raw control characters, unknown escapes, unpaired surrogates and bytes that are not UTF-8 are
  /// refused.
  package mutating func string() throws(Failure) -> String {
    cursor.skipWhitespace()
    try expect(UInt8(ascii: "\""), .value)
    return try restOfString()
  }

  /// Reads a number.
  package mutating func number() throws(Failure) -> Number {
    cursor.skipWhitespace()
    let start = position
    let isNegative = cursor.next == UInt8(ascii: "-")
    if isNegative { cursor.position += 1 }
    let digits = try digits()
    guard !digits.hasLeadingZero else { throw error(.leadingZero, from: digits.range.lowerBound) }
    var isNatural = !isNegative
    if cursor.next == UInt8(ascii: ".") {
      isNatural = false
      cursor.position += 1
      _ = try self.digits()
    }
    if cursor.next == UInt8(ascii: "e") || cursor.next == UInt8(ascii: "E") {
      isNatural = false
      cursor.position += 1
      if cursor.next == UInt8(ascii: "+") || cursor.next == UInt8(ascii: "-") {
        cursor.position += 1
      }
      _ = try self.digits()
    }
    return Number(natural: isNatural ? digits.value : nil, range: start..<position)
  }

  /// A number as it is written, or as many of its first characters as are asked for.
  package func text(of number: Number, limit: Int = .max) -> String {
    String(decoding: cursor.bytes[number.range].prefix(limit), as: UTF8.self)
  }

  /// Reads any value and forgets it, refusing what is malformed within, and repeated keys.
  ///
  /// - Parameter keyLimit: The most keys of an object; they are held to find repeated ones, and the
  ///   limit keeps junk from taking time and memory.
  package mutating func skipValue(keyLimit: Int) throws(Failure) {
    switch try peekKind() {
    case .object:
      try beginObject()
      var seen: Set<ExactText> = []
      while let key = try nextKey() {
        guard seen.insert(ExactText(key)).inserted else { throw error(.duplicateKey(key)) }
        guard seen.count <= keyLimit else { throw error(.tooManyKeys(limit: keyLimit)) }
        try skipValue(keyLimit: keyLimit)
      }
    case .array:
      try beginArray()
      while try nextElement() { try skipValue(keyLimit: keyLimit) }
    case .string: _ = try string()
    case .number: _ = try number()
    case .null: try null()
    case .bool: _ = try bool()
    }
  }

  // MARK: Bytes

  /// An error about the bytes from one on, up to the next to be read; about the place of the next
  /// alone without one.
  func error(_ fault: JSONError.Fault, from start: Int? = nil) -> Failure {
    failure(JSONError(fault, at: (start ?? position)..<position))
  }

  private mutating func expect(
    _ byte: UInt8, _ expectation: JSONError.Expectation
  ) throws(Failure) {
    guard let next = cursor.next else { throw error(.endOfText(expecting: expectation)) }
    guard next == byte else { throw error(.expected(expectation)) }
    cursor.position += 1
  }

  /// Digits, of which there must be one.
  private mutating func digits() throws(Failure) -> JSONCursor.Digits {
    let digits = cursor.skipDigits()
    guard !digits.range.isEmpty else { throw error(.missingDigit) }
    return digits
  }

  private mutating func literal(_ expectation: JSONError.Expectation) throws(Failure) {
    let text = expectation.rawValue
    guard cursor.rest.starts(with: text.utf8) else { throw error(.expected(expectation)) }
    cursor.position += text.utf8.count
  }
}

/// A strict reader of JSON (RFC 8259) that refuses duplicate keys and deep nesting.
struct JSONParser {
  /// The deepest nesting accepted.
  static let depthLimit = 16

  private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

  private let bytes: [UInt8]
  private var position = 0

  private init(_ text: String) { bytes = Array(text.utf8) }

  /// The value that a whole text is.
  static func parse(_ text: String) throws(RecipeError) -> JSONValue {
    var parser = JSONParser(text)
    let value = try parser.value(depth: 0, path: "recipe")
    parser.skipWhitespace()
    guard parser.position == parser.bytes.count else { throw parser.error("text after the value") }
    return value
  }

  private mutating func value(depth: Int, path: String) throws(RecipeError) -> JSONValue {
    skipWhitespace()
    guard depth < JSONParser.depthLimit else { throw error("nesting is too deep") }
    switch peek {
    case UInt8(ascii: "{"): return try object(depth, path)
    case UInt8(ascii: "["): return try array(depth, path)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "n"): return try literal("null", .null)
    case UInt8(ascii: "t"): return try literal("true", .bool(true))
    case UInt8(ascii: "f"): return try literal("false", .bool(false))
    case .some(let byte) where byte == UInt8(ascii: "-") || JSONParser.digits.contains(byte):
      return try number()
    default: throw error("expected a value")
    }
  }

  private mutating func object(_ depth: Int, _ path: String) throws(RecipeError) -> JSONValue {
    position += 1
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    while try isNext(closing: "}", isFirst: members.isEmpty) {
      guard peek == UInt8(ascii: "\"") else { throw error("expected a key") }
      let key = try string()
      guard keys.insert(key).inserted else { throw .duplicateKey(key, at: path) }
      skipWhitespace()
      try expect(":")
      let value = try value(depth: depth + 1, path: "\(path).\(key)")
      members.append(JSONValue.Member(key: key, value: value))
    }
    return .object(members)
  }

  private mutating func array(_ depth: Int, _ path: String) throws(RecipeError) -> JSONValue {
    position += 1
    var values: [JSONValue] = []
    while try isNext(closing: "]", isFirst: values.isEmpty) {
      values.append(try value(depth: depth + 1, path: "\(path)[\(values.count)]"))
    }
    return .array(values)
  }

  /// Whether another member follows; passes the comma before it or the closing bracket.
  private mutating func isNext(
    closing: Unicode.Scalar, isFirst: Bool
  ) throws(RecipeError) -> Bool {
    skipWhitespace()
    if peek == UInt8(ascii: closing) {
      position += 1
      return false
    }
    if !isFirst {
      guard peek == UInt8(ascii: ",") else { throw error("expected ',' or '\(closing)'") }
      position += 1
      skipWhitespace()
    }
    return true
  }

  private mutating func literal(
    _ text: String, _ value: JSONValue
  ) throws(RecipeError) -> JSONValue {
    guard bytes[position...].starts(with: text.utf8) else { throw error("expected \(text)") }
    position += text.utf8.count
    return value
  }

  private mutating func number() throws(RecipeError) -> JSONValue {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    let hasLeadingZero = peek == UInt8(ascii: "0")
    let digits = try skipDigits()
    guard !hasLeadingZero || digits == 1 else { throw error("a number with a leading zero") }
    if peek == UInt8(ascii: ".") {
      position += 1
      _ = try skipDigits()
    }
    if peek == UInt8(ascii: "e") || peek == UInt8(ascii: "E") {
      position += 1
      if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { position += 1 }
      _ = try skipDigits()
    }
    return .number(String(decoding: bytes[start..<position], as: UTF8.self))
  }

  private mutating func skipDigits() throws(RecipeError) -> Int {
    let start = position
    while let byte = peek, JSONParser.digits.contains(byte) { position += 1 }
    guard position > start else { throw error("expected a digit") }
    return position - start
  }

  private mutating func string() throws(RecipeError) -> String {
    position += 1
    var text: [UInt8] = []
    while let byte = peek {
      guard byte >= 0x20 else { throw error("a control character in a string") }
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"): text += Array(String(try escape()).utf8)
      default: text.append(byte)
      }
    }
    throw error("a string without end")
  }

  private mutating func escape() throws(RecipeError) -> Unicode.Scalar {
    guard let byte = peek else { throw error("a string without end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      let unit = try codeUnit()
      if let scalar = Unicode.Scalar(unit) { return scalar }
      guard unit < 0xDC00, bytes[position...].starts(with: "\\u".utf8) else {
        throw error("half of a surrogate pair")
      }
      position += 2
      let low = try codeUnit()
      guard (0xDC00...0xDFFF).contains(low),
        let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
      else { throw error("half of a surrogate pair") }
      return scalar
    default: throw error("an unknown escape")
    }
  }

  /// Four hexadecimal digits.
  private mutating func codeUnit() throws(RecipeError) -> UInt32 {
    let digits = bytes[position...].prefix(4)
    guard digits.count == 4, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
      let unit = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    else { throw error("expected four hexadecimal digits") }
    position += 4
    return unit
  }

  // MARK: Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipWhitespace() {
    while let byte = peek, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { position += 1 }
  }

  private mutating func expect(_ scalar: Unicode.Scalar) throws(RecipeError) {
    guard peek == UInt8(ascii: scalar) else { throw error("expected '\(scalar)'") }
    position += 1
  }

  /// An error at the next byte; columns count bytes from 1.
  private func error(_ reason: String) -> RecipeError {
    let before = bytes[..<position]
    let lineStart = (before.lastIndex(of: 0x0A) ?? -1) + 1
    let line = before.count { $0 == 0x0A } + 1
    return .syntax(line: line, column: position - lineStart + 1, reason: reason)
  }
}

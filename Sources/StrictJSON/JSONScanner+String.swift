extension JSONScanner {
  /// Reads a string behind its opening quote.
  mutating func restOfString() throws(Failure) -> String {
    let start = position
    // Names almost never hold escapes, so the common case copies the text once.
    cursor.skipPlainText()
    guard cursor.next == UInt8(ascii: "\"") else { return try escapedString(from: start) }
    let text = cursor.bytes[start..<position]
    guard let result = String(validating: text, as: UTF8.self) else {
      cursor.position = start + text.validUTF8PrefixCount
      throw error(.notUTF8)
    }
    cursor.position += 1
    return result
  }

  private mutating func escapedString(from start: Int) throws(Failure) -> String {
    var text = Array(cursor.bytes[start..<position])
    while let byte = cursor.next {
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          // Escapes have shifted positions, so the string's start is what can be named.
          throw error(.notUTF8, from: start)
        }
        cursor.position += 1
        return result
      case UInt8(ascii: "\\"):
        cursor.position += 1
        text.append(contentsOf: String(try escape()).utf8)
      case ..<0x20:
        throw error(.controlCharacter)
      default:
        text.append(byte)
        cursor.position += 1
      }
    }
    throw error(.unterminatedString)
  }

  /// Reads what follows a backslash.
  private mutating func escape() throws(Failure) -> Unicode.Scalar {
    guard let byte = cursor.next else { throw error(.unterminatedString) }
    cursor.position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): return try unicodeEscape()
    default: throw error(.unknownEscape, from: position - 1)
    }
  }

  /// Reads the hexadecimal digits of one escape, or of two that form a surrogate pair.
  private mutating func unicodeEscape() throws(Failure) -> Unicode.Scalar {
    let first = try hexadecimalUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xDC00, cursor.next == UInt8(ascii: "\\") else { throw error(.unpairedSurrogate) }
    cursor.position += 1
    guard cursor.next == UInt8(ascii: "u") else { throw error(.unpairedSurrogate) }
    cursor.position += 1
    let second = try hexadecimalUnit()
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else { throw error(.unpairedSurrogate) }
    return scalar
  }

  /// Reads four hexadecimal digits.
  private mutating func hexadecimalUnit() throws(Failure) -> UInt32 {
    let start = position
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = cursor.next, let digit = Unicode.Scalar(byte).hexadecimalDigit else {
        throw error(.missingHexadecimalDigit, from: start)
      }
      value = value << 4 | digit
      cursor.position += 1
    }
    return value
  }
}

extension Unicode.Scalar {
  fileprivate var hexadecimalDigit: UInt32? {
    switch self {
    case "0"..."9": value - 0x30
    case "a"..."f": value - 0x61 + 10
    case "A"..."F": value - 0x41 + 10
    default: nil
    }
  }
}

extension ArraySlice<UInt8> {
  /// The number of bytes before the first that is not part of well-formed UTF-8.
  fileprivate var validUTF8PrefixCount: Int {
    var parser = Unicode.UTF8.ForwardParser()
    var iterator = makeIterator()
    var count = 0
    while case .valid(let scalar) = parser.parseScalar(from: &iterator) {
      count += scalar.count
    }
    return count
  }
}

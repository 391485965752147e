extension JSONHeaderScanner {
  /// Reads a string, decoding its escapes.
  ///
  /// Raw control characters, unknown escapes, unpaired surrogates and bytes that are not UTF-8 are
  /// refused.
  mutating func string() throws(TensorFileError) -> String {
    try expect(UInt8(ascii: "\""), named: "'\"'")
    let start = position
    // Names almost never hold escapes, so the common case copies the text once.
    while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    if peek() == UInt8(ascii: "\"") {
      let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
      guard let result = String(validating: text, as: UTF8.self) else {
        throw .headerNotUTF8(path: path, offset: baseOffset + start + text.validUTF8PrefixCount)
      }
      position += 1
      return result
    }
    return try escapedString(from: start)
  }

  private mutating func escapedString(from start: Int) throws(TensorFileError) -> String {
    var text = Array(bytes[start..<position])
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          // Escapes have shifted positions, so the string's start is what can be named.
          throw .headerNotUTF8(path: path, offset: baseOffset + start)
        }
        position += 1
        return result
      case UInt8(ascii: "\\"):
        position += 1
        text.append(contentsOf: try escape().utf8)
      case ..<0x20:
        throw syntaxError("control character in a string")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw syntaxError("unterminated string")
  }

  /// Reads what follows a backslash.
  private mutating func escape() throws(TensorFileError) -> Unicode.Scalar {
    guard let byte = peek() else { throw syntaxError("unterminated string") }
    let scalar: Unicode.Scalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(byte)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{c}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    case UInt8(ascii: "u"):
      position += 1
      return try unicodeEscape()
    default: throw syntaxError("unknown escape in a string")
    }
    position += 1
    return scalar
  }

  /// Reads the hexadecimal digits of one escape, or of two that form a surrogate pair.
  private mutating func unicodeEscape() throws(TensorFileError) -> Unicode.Scalar {
    let first = try hexadecimalUnit()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, peek() == UInt8(ascii: "\\") else {
      throw syntaxError("unpaired surrogate in a string")
    }
    position += 1
    guard peek() == UInt8(ascii: "u") else { throw syntaxError("unpaired surrogate in a string") }
    position += 1
    let second = try hexadecimalUnit()
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else {
      throw syntaxError("unpaired surrogate in a string")
    }
    return scalar
  }

  private mutating func hexadecimalUnit() throws(TensorFileError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = Unicode.Scalar(byte).hexadecimalDigit else {
        throw syntaxError("expected a hexadecimal digit")
      }
      value = value << 4 | digit
      position += 1
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

extension UnsafeRawBufferPointer {
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

import UntrustedText

/// A place in a text, and the steps over it that cannot fail.
struct JSONCursor {
  let bytes: [UInt8]
  /// The offset of the next byte.
  var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  /// The next byte; nil at the end.
  var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// All bytes that are left.
  var rest: ArraySlice<UInt8> { bytes[position...] }

  mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"):
        position += 1
      default: return
      }
    }
  }

  /// Skips what stands for itself in a string: all but quotes, backslashes and control characters.
  mutating func skipPlainText() {
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), ..<0x20: return
      default: position += 1
      }
    }
  }

  /// Digits that follow each other.
  struct Digits {
    let range: Range<Int>
    let hasLeadingZero: Bool
    /// Their value; nil beyond `Int.max`.
    let value: Int?
  }

  /// Skips all digits that follow, possibly none.
  mutating func skipDigits() -> Digits {
    let start = position
    var value: Int? = 0
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
      value = value?.appendingDigit(Int(byte - UInt8(ascii: "0")))
      position += 1
    }
    return Digits(
      range: start..<position,
      hasLeadingZero: position > start + 1 && bytes[start] == UInt8(ascii: "0"), value: value)
  }
}

/// Why a text is not the JSON that a reader accepts.
///
/// It holds facts alone: whoever reads a kind of file says them in the words of that file.
package struct JSONError: Error, Hashable, Sendable {
  /// What is wrong.
  package enum Fault: Hashable, Sendable {
    /// Something else stands in its place.
    case expected(Expectation)
    /// The text ends in its place.
    case endOfText(expecting: Expectation)
    /// A number has no digit where it needs one.
    case missingDigit
    /// A number begins with a zero that another digit follows; the range is that of the digits.
    case leadingZero
    /// A string holds a control character that is not written as an escape.
    case controlCharacter
    /// A string has no closing quote.
    case unterminatedString
    /// A letter behind a backslash means nothing; the range is that of the letter.
    case unknownEscape
    /// An escape has fewer than four hexadecimal digits; the range is that of the digits it has.
    case missingHexadecimalDigit
    /// An escape is one half of a surrogate pair, and the other does not follow.
    case unpairedSurrogate
    /// A string is not well-formed UTF-8.
    case notUTF8
    /// More containers are open at once than the reader accepts.
    case tooDeep(limit: Int)
    /// An object that is skipped has more keys than the reader accepts.
    case tooManyKeys(limit: Int)
    /// An object has a key twice.
    case duplicateKey(String)
    /// Something follows the value that the whole text is.
    case textAfterValue
  }

  /// What the grammar allows at a place, in the words of a sentence.
  package enum Expectation: String, Sendable {
    case value = "a value"
    case object = "'{'"
    case array = "'['"
    case key = "a key"
    case colon = "':'"
    case nextMember = "',' or '}'"
    case nextElement = "',' or ']'"
    case null
    case `true`
    case `false`
  }

  package let fault: Fault
  /// The bytes at fault, counted from the start of the text; where no bytes are told with the fault,
  /// an empty range at the first that was not accepted.
  package let range: Range<Int>
  /// Where the value is in which the fault was found; empty for a reader that keeps no path.
  package internal(set) var path = JSONPath()

  init(_ fault: Fault, at range: Range<Int>) {
    self.fault = fault
    self.range = range
  }
}

extension JSONError {
  /// The line and the column of a byte of the text, both from 1; columns count bytes.
  ///
  /// - Parameters:
  ///   - offset: The byte, or the end of the text.
  ///   - text: The text that was read.
  package static func place(
    of offset: Int, in text: String
  ) -> (line: Int, column: Int) {
    let before = text.utf8.prefix(offset)
    let lineFeed = UInt8(ascii: "\n")
    let lastLine = before.reversed().prefix { $0 != lineFeed }
    return (before.count { $0 == lineFeed } + 1, lastLine.count + 1)
  }
}

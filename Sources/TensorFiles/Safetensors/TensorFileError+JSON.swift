import StrictJSON

extension TensorFileError {
  /// An error in the JSON of a header.
  ///
  /// - Parameters:
  ///   - error: The error.
  ///   - textStart: Where the text starts in the file, since offsets count from the file's start.
  init(_ error: JSONError, path: String, textStart: Int) {
    let start = textStart + error.range.lowerBound
    func syntax(_ reason: String, at offset: Int? = nil) -> TensorFileError {
      .headerSyntax(path: path, offset: offset ?? start, reason: reason)
    }
    self =
      switch error.fault {
      case .expected(.key): syntax("expected '\"'")
      case .expected(let expectation): syntax("expected \(expectation.rawValue)")
      case .endOfText: syntax("unexpected end of header")
      case .missingDigit: syntax("expected a digit")
      case .leadingZero: syntax("number with a leading zero")
      case .controlCharacter: syntax("control character in a string")
      case .unterminatedString: syntax("unterminated string")
      case .unknownEscape: syntax("unknown escape in a string")
      case .missingHexadecimalDigit:
        syntax("expected a hexadecimal digit", at: textStart + error.range.upperBound)
      case .unpairedSurrogate: syntax("unpaired surrogate in a string")
      case .notUTF8: .headerNotUTF8(path: path, offset: start)
      case .tooDeep(let limit): .headerTooDeep(path: path, offset: start, limit: limit)
      case .tooManyKeys(let limit): syntax("more than \(limit) keys in an unknown object")
      case .duplicateKey(let key): .duplicateKey(path: path, key: key, offset: start)
      case .textAfterValue: syntax("text after the header object")
      }
  }
}

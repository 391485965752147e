import StrictJSON

extension RecipeError {
  /// An error in the JSON of a recipe.
  ///
  /// - Parameters:
  ///   - error: The error.
  ///   - text: The whole text.
  init(_ error: JSONError, in text: String) {
    func syntax(_ reason: String, at offset: Int? = nil) -> RecipeError {
      // Where the reader stopped, unless told otherwise.
      let (line, column) = JSONError.place(of: offset ?? error.range.upperBound, in: text)
      return .syntax(line: line, column: column, reason: reason)
    }
    self =
      switch error.fault {
      case .expected(let expectation), .endOfText(let expectation):
        syntax("expected \(expectation.rawValue)")
      case .missingDigit: syntax("expected a digit")
      case .leadingZero: syntax("a number with a leading zero")
      case .controlCharacter: syntax("a control character in a string")
      case .unterminatedString: syntax("a string without end")
      case .unknownEscape: syntax("an unknown escape")
      case .missingHexadecimalDigit:
        syntax("expected four hexadecimal digits", at: error.range.lowerBound)
      case .unpairedSurrogate: syntax("half of a surrogate pair")
      case .notUTF8: syntax("a string that is not UTF-8")
      case .tooDeep: syntax("nesting is too deep")
      case .tooManyKeys(let limit): syntax("more than \(limit) keys in an object")
      case .duplicateKey(let key): .duplicateKey(key, at: "recipe\(error.path)")
      case .textAfterValue: syntax("text after the value")
      }
  }
}

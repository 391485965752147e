/// Why a text is not a value of the kind asked for.
package enum ValueFailure: Error, Equatable, Sendable {
  /// The text is not what `ValueKind.accepted` describes.
  case notAccepted
  /// The message says it all; the hint, a second line, says what is accepted.
  case explained(String, hint: String? = nil)
  /// The text names a file that cannot be read or is malformed; the message names it.
  case file(String)

  /// An unknown `name` among named things, with the nearest of the known names as a question.
  ///
  /// The hint defaults to the known names themselves while they fit on one line.
  package static func unknown(
    _ noun: String, _ name: String, known: [String], hint: String? = nil
  ) -> ValueFailure {
    let names = "choose from " + known.joined(separator: ", ")
    return .explained(
      "unknown \(noun) '\(name)'" + Suggestion.question(for: name, in: known),
      hint: hint ?? (names.count <= TextLayout.pageWidth ? names : nil))
  }
}

extension ValueFailure {
  /// The error of a command line.
  ///
  /// - Parameters:
  ///   - name: the option or argument.
  ///   - text: what was given.
  ///   - accepted: what is accepted, as in `ValueKind.accepted`.
  package func commandError(_ name: String, text: String, accepted: String) -> CommandError {
    switch self {
    case .notAccepted: .usage("\(name): '\(text)' is not \(accepted)")
    case .explained(let message, let hint): .usage("\(name): \(message)", hint: hint)
    case .file(let message): .input(message)
    }
  }
}

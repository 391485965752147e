/// Why a text does not name a format.
public enum FormatNameError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No format or element has this name.
  case unknownName(String)
  /// The parentheses or the `key=value` pairs are malformed.
  case malformed(String)
  /// The family has no such parameter; it has those listed.
  case unknownParameter(String, of: String, known: [String])
  /// A parameter without a default is missing.
  case missingParameter(String, of: String)
  /// A parameter has a value that the family does not accept.
  case badValue(String, of: String, expected: String)

  /// One line that names the text and what is accepted.
  public var description: String {
    switch self {
    case .unknownName(let name): "unknown format '\(name)'"
    case .malformed(let text): "malformed format '\(text)'; expected name or name(key=value,...)"
    case .unknownParameter(let key, let family, let known):
      known.isEmpty
        ? "format '\(family)' takes no parameter, so no '\(key)'"
        : "format '\(family)' has no parameter '\(key)'; it has \(known.joined(separator: ", "))"
    case .missingParameter(let key, let family): "format '\(family)' needs parameter '\(key)'"
    case .badValue(let value, let key, let expected):
      "\(key)=\(value) is not valid; expected \(expected)"
    }
  }
}

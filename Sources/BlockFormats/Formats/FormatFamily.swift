import CallerChecks

/// A named format, or a family of formats with parameters, as the catalog lists it.
///
/// The text form of a format is its name, or the name with parameters in parentheses:
/// `mxfp4`, `mxfp4(block=16)`, `bdr(m=5,k1=32,k2=4,d1=8,d2=2)`. Parameters may come in any order
/// and default where the family says so; parameter values may themselves be names with
/// parameters. Names are case-insensitive.
public struct FormatFamily: Sendable {
  /// The name before the parenthesis.
  public let name: String
  /// The parameters that the name takes in parentheses.
  public let parameters: [Parameter]
  /// Whether the format with default parameters takes part where none is named.
  public let role: Role

  let make: @Sendable (FormatArguments) throws(FormatNameError) -> any BlockFormat

  /// A parameter of a family, written `block=32`, or `m` where it has no default.
  public struct Parameter: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The key.
    public let name: String
    /// The value where none is given; `nil` where one must be.
    public let defaultValue: String?

    /// Creates a parameter from its written form.
    public init(stringLiteral text: String) {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      name = parts[0]
      defaultValue = parts.count > 1 ? parts[1] : nil
    }

    /// The written form.
    public var description: String { defaultValue.map { "\(name)=\($0)" } ?? name }
  }

  /// Where a family shows up.
  public enum Role: Hashable, Sendable {
    /// In the default set of comparisons.
    case standard
    /// Listed, and used on request.
    case additional
    /// Needs parameters, so has no default format.
    case parametrised
  }

  init(
    _ name: String, parameters: [Parameter] = [], role: Role = .additional,
    make: @escaping @Sendable (FormatArguments) throws(FormatNameError) -> any BlockFormat
  ) {
    self.name = name
    self.parameters = parameters
    self.role = role
    self.make = make
  }

  /// The format with default parameters; `nil` for a family that needs parameters.
  public var defaultFormat: (any BlockFormat)? {
    guard role != .parametrised else { return nil }
    do throws(FormatNameError) {
      return try make(FormatArguments(name: name, values: [:]))
    } catch {
      refuse("default of \(name): \(error)")
    }
  }
}

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

/// The parsed parameters of a format text.
struct FormatArguments: Sendable {
  let name: String
  let values: [String: String]

  /// Refuses keys that name none of the parameters.
  func requireKnown(_ parameters: [FormatFamily.Parameter]) throws(FormatNameError) {
    let known = parameters.map(\.name)
    for key in values.keys.sorted() where !known.contains(key) {
      throw .unknownParameter(key, of: name, known: known)
    }
  }

  func integer(
    _ key: String, default fallback: Int? = nil, in range: ClosedRange<Int>
  ) throws(FormatNameError) -> Int {
    guard let text = values[key] else {
      guard let fallback else { throw .missingParameter(key, of: name) }
      return fallback
    }
    guard let value = Int(text), range.contains(value) else {
      throw .badValue(
        text, of: key, expected: "an integer in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  func choice<Value>(
    _ key: String, default fallback: Value? = nil, _ choices: KeyValuePairs<String, Value>
  ) throws(FormatNameError) -> Value {
    guard let text = values[key] else {
      guard let fallback else { throw .missingParameter(key, of: name) }
      return fallback
    }
    guard let match = choices.first(where: { $0.key == text }) else {
      throw .badValue(
        text, of: key, expected: "one of " + choices.map(\.key).joined(separator: ", "))
    }
    return match.value
  }

  func element(_ key: String) throws(FormatNameError) -> ElementFormat {
    guard let text = values[key] else { throw .missingParameter(key, of: name) }
    return try ElementFormat(parsing: text)
  }

  /// The block length, the parameter that most families share.
  func block(default fallback: Int) throws(FormatNameError) -> Int {
    try integer("block", default: fallback, in: FormatArguments.blockLengths)
  }

  /// A block of any shape.
  func blockShape(default fallback: BlockShape? = nil) throws(FormatNameError) -> BlockShape {
    guard let text = values["block"] else {
      guard let fallback else { throw .missingParameter("block", of: name) }
      return fallback
    }
    guard let shape = BlockShape(id: text) else {
      throw .badValue(text, of: "block", expected: "a length, ROWSxCOLUMNS, row or tensor")
    }
    return shape
  }

  static let blockLengths = 1...1_048_576
}

/// A name with parameters, split but not interpreted.
struct FormatText {
  let name: String
  var values: [String: String]

  init(_ text: String) throws(FormatNameError) {
    let text = text.lowercased()
    guard let open = text.firstIndex(of: "(") else {
      guard !text.isEmpty, !text.contains(where: { "),=".contains($0) }) else {
        throw .malformed(text)
      }
      (name, values) = (text, [:])
      return
    }
    guard text.last == ")", open > text.startIndex else { throw .malformed(text) }
    let inside = text[text.index(after: open)...].dropLast()
    var result: [String: String] = [:]
    for part in FormatText.splitList(String(inside)) {
      guard let equals = part.firstIndex(of: "=") else { throw .malformed(text) }
      let key = String(part[..<equals])
      let value = String(part[part.index(after: equals)...])
      guard !key.isEmpty, !value.isEmpty, result.updateValue(value, forKey: key) == nil else {
        throw .malformed(text)
      }
    }
    (name, values) = (String(text[..<open]), result)
  }

  /// Splits at commas outside parentheses.
  static func splitList(_ text: String) -> [String] {
    var parts = [""]
    var depth = 0
    for character in text {
      if character == "(" { depth += 1 }
      if character == ")" { depth -= 1 }
      if character == "," && depth == 0 {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }
}

/// The parsed parameters of a format text.
public struct FormatArguments: Sendable {
  /// The family's name.
  public let name: String
  /// The values by parameter, those that are given.
  public let values: [String: String]

  /// Refuses keys that name none of the parameters.
  func requireKnown(_ parameters: [FormatParameter]) throws(FormatNameError) {
    let known = parameters.map(\.name)
    for key in values.keys.sorted() where !known.contains(key) {
      throw .unknownParameter(key, of: name, known: known)
    }
  }

  /// An integer within a range; the default where none is given.
  public func integer(
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

  /// One of some named values; the default where none is given.
  public func choice<Value>(
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
}

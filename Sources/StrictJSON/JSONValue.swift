/// A JSON value, with the order of keys and the text of numbers as they are written.
package enum JSONValue: Hashable, Sendable {
  /// A key and its value.
  package struct Member: Hashable, Sendable {
    package var key: String
    package var value: JSONValue

    package init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  case null
  case bool(Bool)
  /// A number as it is written, so that none is rounded on its way.
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])
}

extension JSONValue {
  /// An integer.
  package init(_ integer: Int) { self = .number(String(integer)) }

  /// A number with the fewest digits that give it back exactly.
  ///
  /// JSON has no numbers that are not finite: they are the strings `NaN`, `Infinity` and
  /// `-Infinity`.
  package init(_ number: Double) {
    self = Self.nonFiniteName(number).map(JSONValue.string) ?? .number(number.description)
  }

  /// The name of a value that is not finite; nil for all others.
  package static func nonFiniteName(_ value: Double) -> String? {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Infinity" : "Infinity" }
    return nil
  }

  /// An object of the members that have a value, in order.
  package static func members<Key: RawRepresentable<String>>(
    _ members: KeyValuePairs<Key, JSONValue?>
  ) -> JSONValue {
    .object(members.compactMap { key, value in value.map { Member(key.rawValue, $0) } })
  }

  /// The value in the words of an error: its kind, or itself where it is short by nature.
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let text): text
    case .string(let text): "'\(text)'"
    case .array: "an array"
    case .object: "an object"
    }
  }
}

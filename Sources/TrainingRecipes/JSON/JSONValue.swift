/// A JSON value; numbers keep their text.
enum JSONValue: Hashable, Sendable {
  /// A key and its value.
  struct Member: Hashable, Sendable {
    var key: String
    var value: JSONValue
  }

  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// The kind in words.
  var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let text): text
    case .string(let text): "'\(text)'"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// An object of the members that have a value, in order.
  static func members<Key: RecipeKey>(_ members: KeyValuePairs<Key, JSONValue?>) -> JSONValue {
    .object(members.compactMap { key, value in value.map { Member(key: key.rawValue, value: $0) } })
  }

  /// The text, indented; arrays without objects stay on a line.
  func text(indent: String = "") -> String {
    let inner = indent + "  "
    switch self {
    case .null: return "null"
    case .bool(let value): return "\(value)"
    case .number(let text): return text
    case .string(let text): return JSONValue.quoted(text)
    case .array(let values):
      let texts = values.map { $0.text(indent: inner) }
      guard texts.contains(where: { $0.contains("\n") }) else {
        return "[" + texts.joined(separator: ", ") + "]"
      }
      return "[\n" + texts.map { inner + $0 }.joined(separator: ",\n") + "\n\(indent)]"
    case .object(let members):
      guard !members.isEmpty else { return "{}" }
      let lines = members.map {
        inner + JSONValue.quoted($0.key) + ": " + $0.value.text(indent: inner)
      }
      return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
    }
  }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}

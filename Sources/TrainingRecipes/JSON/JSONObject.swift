import StrictJSON

/// The members of a JSON object with the path that errors name.
struct JSONObject<Key: RecipeKey> {
  let path: String
  private let members: [Key: JSONValue]

  /// Takes an object apart, refusing keys that are not known.
  init(_ value: JSONValue, at path: String) throws(RecipeError) {
    guard case .object(let list) = value else {
      throw .badValue(value.kind, at: path, expected: "an object")
    }
    var members: [Key: JSONValue] = [:]
    for member in list {
      guard let key = Key(rawValue: member.key) else {
        throw .unknownKey(member.key, at: path, known: Key.allCases.map(\.rawValue))
      }
      members[key] = member.value
    }
    self.path = path
    self.members = members
  }

  /// The path of a member.
  func path(of key: Key) -> String { "\(path).\(key.rawValue)" }

  /// The number of keys.
  var count: Int { members.count }

  /// A value that may be missing.
  func value(_ key: Key) -> JSONValue? { members[key] }

  /// A value that must be there.
  func required(_ key: Key) throws(RecipeError) -> JSONValue {
    guard let value = members[key] else { throw .missingKey(key.rawValue, at: path) }
    return value
  }

  /// A string that may be missing.
  func string(_ key: Key) throws(RecipeError) -> String? {
    guard let value = members[key] else { return nil }
    guard case .string(let text) = value else {
      throw .badValue(value.kind, at: path(of: key), expected: "a string")
    }
    return text
  }

  /// Strings that may be missing.
  func strings(_ key: Key) throws(RecipeError) -> [String]? {
    guard let elements = try array(key, of: "strings") else { return nil }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element else {
        throw .badValue(element.kind, at: path(of: key), expected: "an array of strings")
      }
      texts.append(text)
    }
    return texts
  }

  /// An array that may be missing.
  func array(_ key: Key, of content: String) throws(RecipeError) -> [JSONValue]? {
    guard let value = members[key] else { return nil }
    guard case .array(let elements) = value else {
      throw .badValue(value.kind, at: path(of: key), expected: "an array of \(content)")
    }
    return elements
  }

  /// An integer within a range that may be missing.
  func integer(_ key: Key, in range: ClosedRange<Int>) throws(RecipeError) -> Int? {
    guard let value = members[key] else { return nil }
    return try value.integer(in: range, at: path(of: key))
  }

  /// A number that may be missing.
  func float(_ key: Key) throws(RecipeError) -> Float? {
    guard let value = members[key] else { return nil }
    guard case .number(let text) = value, let number = Float(text) else {
      throw .badValue(value.kind, at: path(of: key), expected: "a number")
    }
    // A number of FP32 must not become infinity, nor any but zero become zero.
    let digits = text.prefix { $0 != "e" && $0 != "E" }
    guard number.isFinite, number != 0 || !digits.contains(where: { ("1"..."9").contains($0) })
    else { throw .badValue(text, at: path(of: key), expected: "a number that FP32 holds") }
    return number
  }

  /// One of the named alternatives; `nil` if missing.
  func choice<Choice>(
    _ key: Key, among choices: [Choice], _ name: (Choice) -> String
  ) throws(RecipeError) -> Choice? {
    guard let text = try string(key) else { return nil }
    return try Self.choice(text, at: path(of: key), among: choices, name)
  }

  /// Several of the named alternatives, at least one; `nil` if missing.
  func choices<Choice: CaseIterable & RawRepresentable>(
    _ key: Key, among type: Choice.Type
  ) throws(RecipeError) -> [Choice]? where Choice.RawValue == String {
    guard let texts = try strings(key) else { return nil }
    guard !texts.isEmpty else {
      throw .badValue("[]", at: path(of: key), expected: "at least one")
    }
    var result: [Choice] = []
    for text in texts {
      result.append(
        try Self.choice(text, at: path(of: key), among: Array(Choice.allCases)) {
          $0.rawValue
        })
    }
    return result
  }

  private static func choice<Choice>(
    _ text: String, at path: String, among choices: [Choice], _ name: (Choice) -> String
  ) throws(RecipeError) -> Choice {
    guard let match = choices.first(where: { name($0) == text }) else {
      let known = choices.map(name).joined(separator: ", ")
      throw .badValue("'\(text)'", at: path, expected: "one of \(known)")
    }
    return match
  }
}

extension JSONValue {
  /// An integer within a range.
  func integer(in range: ClosedRange<Int>, at path: String) throws(RecipeError) -> Int {
    guard case .number(let text) = self, let number = Int(text), range.contains(number) else {
      throw .badValue(
        kind, at: path, expected: "an integer in \(range.lowerBound)...\(range.upperBound)")
    }
    return number
  }
}

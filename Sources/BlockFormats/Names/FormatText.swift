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

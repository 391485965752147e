import UntrustedText

/// Where the text of a JSON value has blanks and lines.
package enum JSONLayout: Sendable {
  /// Nowhere.
  case compact
  /// Containers have a line for each of their members as far as they lie in fewer containers than
  /// this, and stand on one line further in. Arrays that hold no object with members stand on one
  /// line wherever they are.
  case indented(levels: Int = .max)
}

/// Which characters of strings are written as escapes.
///
/// Quotes and backslashes always are.
package enum JSONEscapes: Sendable {
  /// Control characters, as RFC 8259 demands: by its short forms where there are, such as `\n`.
  case controls
  /// Control characters, every one by its number, such as `\u000a`.
  case controlsByNumber
  /// Everything for which `isPrintable` is false, so that no terminal acts upon the text: line feed,
  /// carriage return and tab by their short forms, the rest by number.
  case unprintable
}

extension JSONValue {
  /// The value as JSON, without a line end at its end.
  package func text(_ layout: JSONLayout, escaping escapes: JSONEscapes) -> String {
    var writer = JSONWriter(layout: layout, escapes: escapes)
    writer.write(self, level: 0)
    return writer.text
  }
}

/// Appends values to one text.
private struct JSONWriter {
  let layout: JSONLayout
  let escapes: JSONEscapes
  var text = ""

  private var isCompact: Bool {
    if case .compact = layout { true } else { false }
  }

  /// Whether a container has lines for its members.
  private func isIndented(_ value: JSONValue, _ level: Int) -> Bool {
    guard case .indented(let levels) = layout, level < levels else { return false }
    switch value {
    case .object(let members): return !members.isEmpty
    case .array(let elements):
      return elements.contains { element in
        if case .object(let members) = element { !members.isEmpty } else { false }
      }
    case .null, .bool, .number, .string: return false
    }
  }

  /// - Parameter level: The number of containers that the value lies in.
  mutating func write(_ value: JSONValue, level: Int) {
    switch value {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .number(let number): text += number
    case .string(let string): write(string)
    case .array(let elements):
      write(elements, within: ("[", "]"), isIndented(value, level), level) { writer, element in
        writer.write(element, level: level + 1)
      }
    case .object(let members):
      write(members, within: ("{", "}"), isIndented(value, level), level) { writer, member in
        writer.write(member.key)
        writer.text += writer.isCompact ? ":" : ": "
        writer.write(member.value, level: level + 1)
      }
    }
  }

  private mutating func write<Part>(
    _ parts: [Part], within brackets: (String, String), _ isIndented: Bool, _ level: Int,
    _ write: (inout JSONWriter, Part) -> Void
  ) {
    func line(_ level: Int) -> String { "\n" + String(repeating: "  ", count: level) }
    text += brackets.0
    for (index, part) in parts.enumerated() {
      if index > 0 { text += isIndented || isCompact ? "," : ", " }
      if isIndented { text += line(level + 1) }
      write(&self, part)
    }
    if isIndented { text += line(level) }
    text += brackets.1
  }

  private mutating func write(_ string: String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where !isEscaped(scalar): text.unicodeScalars.append(scalar)
      default: text += shortForm(scalar) ?? Self.numbers(scalar)
      }
    }
    text += "\""
  }

  private func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
    switch escapes {
    case .controls, .controlsByNumber: scalar < " "
    case .unprintable: !isPrintable(scalar)
    }
  }

  private func shortForm(_ scalar: Unicode.Scalar) -> String? {
    switch (scalar, escapes) {
    case (_, .controlsByNumber): nil
    case ("\n", _): "\\n"
    case ("\r", _): "\\r"
    case ("\t", _): "\\t"
    case ("\u{8}", .controls): "\\b"
    case ("\u{C}", .controls): "\\f"
    default: nil
    }
  }

  /// The escape of a scalar by number, two above U+FFFF, as JSON has it.
  private static func numbers(_ scalar: Unicode.Scalar) -> String {
    scalar.utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    .joined()
  }
}

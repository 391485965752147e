import UntrustedText

/// Widths, wrapping and safe display of text on a terminal.
package enum TextLayout {
  /// The width help and one-line lists keep to, in columns.
  static let pageWidth = 80

  /// Greedy wrapping at blanks; a word longer than `width` gets a line of its own.
  package static func wrapped(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if line.isEmpty {
        line = String(word)
      } else if self.width(line) + 1 + self.width(word) <= width {
        line += " " + word
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return lines + (line.isEmpty ? [] : [line])
  }

  /// Wrapping as `wrapped(_:width:)` does it, but words longer than `width` are broken as well.
  package static func wrapped(_ text: String, breaking width: Int) -> [String] {
    wrapped(text, width: width).flatMap { line in
      var lines: [String] = []
      var rest = line[...]
      while self.width(rest) > width, rest.count > 1 {
        let head = rest.prefix(max(1, prefix(of: rest, width: width).count))
        lines.append(String(head))
        rest = rest.dropFirst(head.count)
      }
      return lines + [String(rest)]
    }
  }

  /// A heading in lines as narrow as its longest word and the cells below allow.
  package static func wrappedHeading(_ text: String, over cellWidth: Int) -> [String] {
    let longest = text.split(separator: " ").map(width).max() ?? 0
    return wrapped(text, width: max(longest, cellWidth))
  }

  /// Wraps every line of a text by itself, and keeps the blanks that it begins with.
  static func wrappedLines(_ text: String, width: Int) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
      let margin = String(line.prefix { $0 == " " })
      let lines = wrapped(String(line), width: max(1, width - margin.count))
      return lines.isEmpty ? [""] : lines.map { margin + $0 }
    }
  }

  /// The text without blanks at its ends.
  package static func trimmed(_ text: String) -> String {
    var rest = text[...].drop(while: \.isWhitespace)
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return String(rest)
  }

  /// The number of terminal columns the text takes: East Asian wide characters and emoji take two.
  package static func width(_ text: some StringProtocol) -> Int {
    text.reduce(0) { $0 + width($1) }
  }

  /// Shortens the text to at most `width` columns with an ellipsis in the middle.
  ///
  /// The middle goes because long names share their beginnings and often their ends.
  static func elided(_ text: String, width: Int) -> String {
    guard self.width(text) > width else { return text }
    guard width > 1 else { return width == 1 ? "…" : "" }
    let tailWidth = (width - 1) / 2
    let head = prefix(of: text, width: width - 1 - tailWidth)
    let tail = prefix(of: text.reversed(), width: tailWidth).reversed()
    return String(head) + "…" + String(tail)
  }

  /// The text as one visible line that cannot move the cursor, change colours or reorder text.
  ///
  /// Every text from a file, a path or the command line passes through here, or through the escapes
  /// of JSON, on its way to an output that may be a terminal.
  package static func escaped(_ text: String) -> String { printable(text, limit: nil) }

  private static func prefix(
    of characters: some Sequence<Character>, width limit: Int
  ) -> [Character] {
    var result: [Character] = []
    var used = 0
    for character in characters {
      used += width(character)
      guard used <= limit else { break }
      result.append(character)
    }
    return result
  }

  private static func width(_ character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    // Marks that take no column begin at U+0300; most text lies below.
    case ..<0x300: return 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default:
      return scalar.properties.generalCategory == .nonspacingMark ? 0 : 1
    }
  }
}

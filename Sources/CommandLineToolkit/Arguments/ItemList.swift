/// Comma-separated lists whose items may have parameters, as in `box(w=5,h=32),ring`.
enum ItemList {
  /// Splits at the commas outside parentheses; blanks around an item are dropped.
  ///
  /// - Throws: `ValueFailure` for an empty item or unbalanced parentheses.
  static func split(_ text: String) throws(ValueFailure) -> [String] {
    var items: [String] = []
    var item = ""
    var depth = 0
    for character in text {
      switch character {
      case "(": depth += 1
      case ")": depth -= 1
      default: break
      }
      guard depth >= 0 else { throw .explained("unmatched ')' in '\(text)'") }
      if character == ",", depth == 0 {
        items.append(item)
        item = ""
      } else {
        item.append(character)
      }
    }
    guard depth == 0 else { throw .explained("unclosed '(' in '\(text)'") }
    items.append(item)
    let trimmed = items.map(TextLayout.trimmed)
    guard !trimmed.contains("") else { throw .explained("empty item in '\(text)'") }
    return trimmed
  }
}

/// What a user types to choose among names: a part of them, or a whole name with wildcards.
///
/// Letter case does not matter. Matching takes time proportional to the product of the lengths at
/// most, whatever the pattern.
package struct WildcardPattern {
  private let text: [Character]

  package init(_ text: String) {
    self.text = Array(text.lowercased())
  }

  /// Whether the pattern has a wildcard: `*` for any text, `?` for any character.
  private var hasWildcard: Bool { text.contains { $0 == "*" || $0 == "?" } }

  /// Whether an id is the one meant: matched whole with wildcards, or by a part of it.
  package func matches(id: String) -> Bool {
    hasWildcard ? matchesWhole(Array(id.lowercased())) : isPart(of: id)
  }

  /// Whether a text contains the pattern, taken literally.
  package func isPart(of name: String) -> Bool {
    name.lowercased().contains(String(text))
  }

  /// Goes back to the last `*` alone, which suffices and keeps the time in bounds.
  private func matchesWhole(_ name: [Character]) -> Bool {
    var (position, star, resumption) = (0, Int?.none, 0)
    var index = 0
    while index < name.count {
      if position < text.count, text[position] == "*" {
        (star, resumption) = (position, index)
        position += 1
      } else if position < text.count, text[position] == "?" || text[position] == name[index] {
        position += 1
        index += 1
      } else if let star {
        resumption += 1
        (position, index) = (star + 1, resumption)
      } else {
        return false
      }
    }
    return text[position...].allSatisfy { $0 == "*" }
  }
}

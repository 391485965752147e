/// The warnings of a run, kept to be told in one line.
struct WarningTally {
  /// How many different warnings the line spells out.
  private static let shownCount = 3

  private var texts: [String] = []
  private var counts: [String: Int] = [:]

  /// Counts a warning.
  mutating func add(_ text: String) {
    if counts[text] == nil { texts.append(text) }
    counts[text, default: 0] += 1
  }

  /// The first three different warnings with their counts, and how many more there were.
  var line: String? {
    guard !texts.isEmpty else { return nil }
    var parts = texts.prefix(Self.shownCount).map { text in
      let count = counts[text, default: 1]
      return count == 1 ? text : "\(text) (\(count) times)"
    }
    let rest = texts.dropFirst(Self.shownCount).reduce(0) { $0 + counts[$1, default: 1] }
    if rest > 0 { parts.append("and \(rest) more") }
    return parts.joined(separator: "; ")
  }
}

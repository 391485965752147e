/// The pieces that Markdown tables are made of.
package enum MarkdownText {
  /// A row of a table.
  package static func row(_ fields: [String]) -> String {
    "| " + fields.joined(separator: " | ") + " |"
  }

  /// Keeps what has a meaning in Markdown from having it.
  package static func escaped(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if "\\|*`<>[]".unicodeScalars.contains(scalar) { result.append("\\") }
      result.append(scalar)
    }
    return String(result)
  }
}

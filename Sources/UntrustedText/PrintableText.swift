/// The text with every scalar escaped that could break a line, steer a terminal or hide in a name.
///
/// Escaped are those for which `isPrintable` is false: a line feed, carriage return and tab as
/// `\n`, `\r` and `\t`, the others as `\u{hex}`.
///
/// - Parameter limit: the most scalars that are shown; an ellipsis stands for the rest.
package func printable(_ text: String, limit: Int? = 120) -> String {
  var result = ""
  var count = 0
  for scalar in text.unicodeScalars {
    if let limit, count == limit { return result + "…" }
    count += 1
    switch scalar {
    case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    default: result += "\\u{\(String(scalar.value, radix: 16))}"
    }
  }
  return result
}

/// Whether a scalar has a shape of its own and no effect beyond it.
///
/// Not printable are controls (C0, delete, C1), formatting characters (the bidirectional overrides,
/// invisible joiners and tags among them), separators of lines and paragraphs, and scalars without
/// a meaning of their own.
package func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned,
    .privateUse:
    false
  default: true
  }
}

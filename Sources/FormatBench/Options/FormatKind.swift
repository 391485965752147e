import BlockFormats
import CommandLineToolkit

extension ValueKind<any BlockFormat> {
  /// A block format or bare element by its id, as `fmtbench list` shows them.
  static let format = ValueKind(placeholder: "FORMAT", accepted: "a format") {
    (text) throws(ValueFailure) in
    do throws(FormatNameError) {
      return try FormatCatalog.format(id: text)
    } catch {
      throw ValueFailure(error)
    }
  }
}

/// What an item of a list of formats names.
enum FormatChoice: Sendable {
  /// One format.
  case one(any BlockFormat)
  /// Every format of the catalog, families with their default parameters.
  case all
}

extension ValueKind<FormatChoice> {
  /// A format by its id, or `all`.
  static let formatOrAll = ValueKind(placeholder: "FORMAT", accepted: "a format, or all") {
    (text) throws(ValueFailure) in
    text.lowercased() == "all"
      ? .all : .one(try ValueKind<any BlockFormat>.format.parse(text))
  }
}

extension [FormatChoice] {
  /// Whether all formats are among them.
  var namesAll: Bool {
    contains { if case .all = $0 { true } else { false } }
  }

  /// The formats in their order; beside `all` none comes twice.
  var formats: [any BlockFormat] {
    let formats = flatMap { choice -> [any BlockFormat] in
      switch choice {
      case .one(let format): [format]
      case .all: FormatCatalog.all
      }
    }
    guard namesAll else { return formats }
    return formats.enumerated().filter { index, format in
      !formats[..<index].contains { $0.isSame(as: format) }
    }.map(\.element)
  }
}

/// What the help of every command that takes a format says about its id.
let formatQuoting = """
  A format with parameters is quoted, as in 'mxfp4(block=16)': shells take parentheses for their \
  own.
  """

extension ValueFailure {
  /// The failure of a format's id, with the nearest known name where the name is unknown.
  init(_ error: FormatNameError) {
    switch error {
    case .unknownName(let name):
      let known = FormatCatalog.families.map(\.name) + ElementFormat.named.map(\.name)
      self = .explained(
        "unknown format '\(name)'" + Suggestion.question(for: name, in: known),
        hint: "see 'fmtbench list' for all formats")
    case .unknownParameter(let key, let family, let known):
      self = .explained(
        "format '\(family)' has no parameter '\(key)'" + Suggestion.question(for: key, in: known),
        hint: known.isEmpty ? nil : "it has \(known.joined(separator: ", "))")
    case .malformed, .missingParameter, .badValue:
      self = .explained(error.description)
    }
  }
}

/// The one list of formats: command line, tables, documents and tests all follow from it.
public enum FormatCatalog {
  /// Every family, in the order of listings.
  public static let families: [FormatFamily] =
    FormatFamily.mx + FormatFamily.bdr + FormatFamily.blockFloatingPoint + FormatFamily.nvfp4
    + FormatFamily.vsq + FormatFamily.scaledFP8 + FormatFamily.scaledIntegers
    + FormatFamily.composed + FormatFamily.casts

  /// Every family's format with default parameters.
  public static var all: [any BlockFormat] { families.compactMap(\.defaultFormat) }

  /// Every scale rule that one of the formats follows, each once.
  public static var scaleRules: [ScaleRule] {
    all.flatMap(\.scaleRules).reduce(into: []) { rules, rule in
      if !rules.contains(rule) { rules.append(rule) }
    }
  }

  /// The formats compared where none is named.
  public static var standard: [any BlockFormat] {
    families.filter { $0.role == .standard }.compactMap(\.defaultFormat)
  }

  /// The format that a text names.
  ///
  /// - Parameters:
  ///   - id: a name, or a name with parameters as `FormatFamily` describes; the name of any element
  ///     format that `ElementFormat.init(parsing:)` knows is its bare cast.
  ///   - block: replaces the block length, if the family has that as a parameter.
  public static func format(
    id: String, block: Int? = nil
  ) throws(FormatNameError) -> any BlockFormat {
    var text = try FormatText(id)
    if let block { text.values["block"] = String(block) }
    if let family = families.first(where: { $0.name == text.name }) {
      let arguments = FormatArguments(name: text.name, values: text.values)
      try arguments.requireKnown(family.parameters)
      return try family.make(arguments)
    }
    let element = try ElementFormat(parsing: id)
    if block != nil { throw .unknownParameter("block", of: text.name, known: []) }
    return CastFormat.cast(to: element)
  }
}

/// A list of formats: command line, tables, documents and tests all follow from it.
///
/// The package's own is `builtIn`. Formats composed outside join a catalog of the caller's own:
///
/// ```swift
/// var catalog = FormatCatalog.builtIn
/// catalog.families.append(FormatFamily("mine") { _ in MyFormat() })
/// let format = try catalog.format(id: "mine")
/// ```
public struct FormatCatalog: Sendable {
  /// Every family, in the order of listings.
  public var families: [FormatFamily]

  /// Creates a catalog.
  public init(families: [FormatFamily]) { self.families = families }

  /// The package's own formats.
  public static let builtIn = FormatCatalog(
    families: FormatFamily.mx + FormatFamily.mxfp4MacroBlocks + FormatFamily.bdr
      + FormatFamily.blockFloatingPoint + FormatFamily.nvfp4 + FormatFamily.nvfp4Kin
      + FormatFamily.if4 + FormatFamily.vsq + FormatFamily.scaledFP8
      + FormatFamily.scaledFP8UE8M0 + FormatFamily.scaledIntegers + FormatFamily.nf4
      + FormatFamily.nf4Double + FormatFamily.fp4BitsAndBytes + FormatFamily.affine
      + FormatFamily.ggml + FormatFamily.hif4 + FormatFamily.lut + FormatFamily.composed
      + FormatFamily.casts)

  /// Every family's format with default parameters.
  public var all: [any BlockFormat] { families.compactMap(\.defaultFormat) }

  /// The formats compared where none is named.
  public var standard: [any BlockFormat] {
    families.filter { $0.role == .standard }.compactMap(\.defaultFormat)
  }

  /// Every scale rule that one of the formats follows, each once.
  public var scaleRules: [ScaleRule] {
    all.flatMap(\.scaleRules).reduce(into: []) { rules, rule in
      if !rules.contains(rule) { rules.append(rule) }
    }
  }

  /// The format that a text names.
  ///
  /// - Parameters:
  ///   - id: a name, or a name with parameters as `FormatFamily` describes; the name of any element
  ///     format that `ElementFormat.init(parsing:)` knows is its bare cast.
  ///   - block: replaces the block length, if the family has that as a parameter.
  public func format(
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

// MARK: - The catalog in use

extension FormatCatalog {
  /// The catalog that ids are looked up in where none is named: `builtIn`, unless a task has another.
  ///
  /// Other threads that work on the task's behalf do not see it: look ids up before work is shared.
  @TaskLocal public static var current = FormatCatalog.builtIn

  /// Every family of the current catalog, in the order of listings.
  public static var families: [FormatFamily] { current.families }

  /// Every family's format with default parameters, of the current catalog.
  public static var all: [any BlockFormat] { current.all }

  /// The formats of the current catalog compared where none is named.
  public static var standard: [any BlockFormat] { current.standard }

  /// Every scale rule that a format of the current catalog follows, each once.
  public static var scaleRules: [ScaleRule] { current.scaleRules }

  /// The format of the current catalog that a text names; see the method of the same name.
  public static func format(
    id: String, block: Int? = nil
  ) throws(FormatNameError) -> any BlockFormat {
    try current.format(id: id, block: block)
  }
}

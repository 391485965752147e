import BlockFormats
import CommandLineToolkit

/// The generated regions of the format reference, by name.
enum FormatReference {
  /// The region that tells about a format.
  static func region(for format: any BlockFormat) -> String {
    format is CastFormat ? "casts" : "format \(format.id)"
  }

  /// The formats of the catalog that no region of a document tells about.
  static func missingFormats(in regionNames: [String]) -> [String] {
    FormatCatalog.all.filter { !regionNames.contains(region(for: $0)) }.map(\.id)
  }

  /// The Markdown of a region; nil for an unknown name.
  static func content(_ name: String) -> String? {
    if let id = name.split(separator: " ").last, name == "format \(id)",
      let format = FormatCatalog.all.first(where: { $0.id == id })
    {
      return sheet(of: format)
    }
    return tables[name]?()
  }

  /// The names of the regions that belong to no single format.
  static var tableNames: [String] { tables.keys.sorted() }

  private static let tables: [String: @Sendable () -> String] = [
    "index": { SheetMarkdown.text(of: index) },
    "families": { SheetMarkdown.text(of: families) },
    "elements": { SheetMarkdown.text(of: elementTable) },
    "values": { values },
    "casts": { SheetMarkdown.text(of: casts) },
    "packing": { packing },
    "policies": { SheetMarkdown.text(of: PolicyTables.choices) },
    "producers": { SheetMarkdown.text(of: PolicyTables.producers) },
    "rounding": { SheetMarkdown.text(of: PolicyTables.rounding) },
    "overflow": { SheetMarkdown.text(of: PolicyTables.overflow) },
    "non-finite": { SheetMarkdown.text(of: PolicyTables.nonFinite) },
    "scale rules": { SheetMarkdown.text(of: PolicyTables.scaleRules) },
    "scale rule bytes": { SheetMarkdown.text(of: PolicyTables.scaleRuleBlocks) },
    "zero blocks": { SheetMarkdown.text(of: PolicyTables.zeroBlocks) },
    "nvfp4 steps": { PolicyTables.nvfp4Steps },
    "products": { SheetMarkdown.text(of: ProductTable.table) },
    "recipes": { SheetMarkdown.text(of: RecipeTable.presets) },
    "recipe rules": { RecipeTable.rules },
    "layer kinds": { SheetMarkdown.text(of: RecipeTable.layerKinds) },
    "recipe keys": { SheetMarkdown.text(of: RecipeTable.keys) },
    "recipe example": { RecipeTable.example },
  ]

  /// A format's sheet without the values of codes, which stand in a section of their own.
  private static func sheet(of format: any BlockFormat) -> String {
    let sheet = FormatSheet(format: format)
    let sections = sheet.sections.filter { $0.key != "values" }
    var text = SheetMarkdown.text(of: sections, level: 0)
    while text.last == "\n" { text.removeLast() }
    return text
  }

  // MARK: - Lists

  private static var index: SheetTable {
    var table = SheetTable([
      .init("format", "Format"), .init("element", "Element"), .init("block", "Block"),
      .init("scale", "Scale"), .init("bits", "Bits per element", .right),
      .init("rule", "Default scale rule"), .init("source", "Source"),
    ])
    for format in FormatCatalog.all where !(format is CastFormat) {
      let layout = format.layout
      table.append([
        .text(format.id), .text(layout.element.name), .text(layout.block.id),
        .text(layout.scaleText), .number(layout.nominalBitsPerElement),
        .text(format.defaultPolicy.scaleRule.id), .text(format.source),
      ])
    }
    return table
  }

  private static var families: SheetTable {
    SheetTable(
      [.init("family", "Family"), .init("parameters", "Parameters and their defaults")],
      rows: FormatCatalog.families.filter { !$0.parameters.isEmpty }.map {
        [.text($0.name), .text($0.parameters.map(\.description).joined(separator: ", "))]
      })
  }

  /// Every element of the catalog once: bare ones first, then those that only blocks use.
  private static var elements: [ElementFormat] {
    let used = FormatCatalog.all.flatMap {
      $0.layout.fields.filter { $0.extent == .everyElement || $0.extent == .perBlock(1) }
        .map(\.element)
    }
    return used.reduce(into: ElementFormat.named) { list, element in
      if !list.contains(element) { list.append(element) }
    }
  }

  private static var elementTable: SheetTable {
    var table = SheetTable([
      .init("element", "Element"), .init("bits", "Bits", .right), .init("fields", "Fields"),
      .init("bias", "Bias", .right), .init("largest", "Largest", .right),
      .init("normal", "Smallest normal", .right), .init("least", "Smallest above zero", .right),
      .init("emax", "emax", .right), .init("infinity", "Infinity"), .init("nan", "NaN"),
      .init("zero", "Zero"),
    ])
    for element in elements {
      let facts = ElementFacts(element)
      func fact(_ name: String) -> ElementFacts.Row? { facts.rows.first { $0.name == name } }
      func both(_ name: String) -> Cell {
        .text(fact(name).map { "\($0.value.sheetText) (\($0.code))" } ?? "-")
      }
      func code(_ name: String) -> Cell { .text(fact(name)?.code ?? "-") }
      table.append([
        .text(element.name), .integer(element.bitWidth), .text(element.partsText),
        element.exponentBias.map(Cell.integer) ?? .text("-"), both("largest"),
        both("smallest normal"), both("smallest above zero"), .integer(element.greatestExponent),
        code("infinity"),
        element.bitWidth > 16
          ? .text((fact("canonical NaN")?.code ?? "-") + " and others")
          : code(fact("all NaN") == nil ? "canonical NaN" : "all NaN"),
        element.hasZero ? code("zero") : .text("-"),
      ])
    }
    return table
  }

  private static var values: String {
    elements.compactMap { element -> String? in
      guard let grid = ValueGrid(element) else { return nil }
      let head = "#### Values of \(element.name)\n\n"
      if !element.isSigned, let formula = grid.formula { return head + formula }
      return head + SheetMarkdown.text(of: .grid(grid))
    }
    .joined(separator: "\n\n")
  }

  private static var casts: SheetTable {
    var table = SheetTable([
      .init("id", "Id"), .init("bits", "Bits", .right), .init("source", "Source"),
      .init("codes", "Codes of \(FieldText.list(FormatSheet.workedValues))"),
      .init("decoded", "Decoded"), .init("nan", "NaN"), .init("infinity", "+Inf"),
      .init("most", "Largest FP32"),
    ])
    for format in FormatCatalog.all where format is CastFormat {
      let worked = EncodedVector(FormatSheet.workedValues, as: format)
      let edges = EncodedVector([.nan, .infinity, .greatestFiniteMagnitude], as: format)
      table.append(
        [
          .text(format.id), .integer(format.layout.element.bitWidth), .text(format.source),
          .text(worked.text(of: "codes")), .text(worked.decodedText),
        ]
          + edges.codes(of: "codes").map {
            .text(FieldText.scale($0, format.layout.element))
          })
    }
    return table
  }

  /// How codes of every width in use fall into bytes.
  private static var packing: String {
    let widths = Set(
      FormatCatalog.all.flatMap {
        $0.layout.fields.map(\.bitWidth)
      })
    return widths.filter { $0 < 8 }.sorted().compactMap { width in
      BitDrawing.packing(of: width, symbol: "c").map {
        SheetMarkdown.text(of: .drawing(["\(width)-bit codes"] + $0))
      }
    }
    .joined(separator: "\n\n")
  }
}

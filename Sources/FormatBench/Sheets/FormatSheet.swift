import BlockFormats
import CommandLineToolkit

/// The sheet of a format: everything about it that follows from its definition.
///
/// Nothing here is written down for a single format. Parameters come from the descriptors, bytes
/// from packing, rules and special cases from running the encoder.
struct FormatSheet {
  let format: any BlockFormat

  var layout: BlockLayout { format.layout }
  var element: ElementFormat { format.layout.element }

  /// All sections, in the order in which they are shown.
  var sections: [SheetSection] {
    [parameters, storage, policies, values, cases, worked].filter { !$0.parts.isEmpty }
  }

  /// The values of codes: of the element, and of a narrow scale.
  private var values: SheetSection {
    var parts: [SheetPart]
    if let grid = ValueGrid(element) {
      parts = [.paragraph("\(element.name), \(element.codeCount) codes:"), .grid(grid)]
    } else {
      parts = [.paragraph("\(element.name) has 2^\(element.bitWidth) codes: too many to list.")]
    }
    for field in layout.fields.dropFirst() {
      guard let grid = ValueGrid(field.element) else { continue }
      // Microexponents are powers of two, which say themselves.
      if case .every = field.extent, grid.formula == nil { continue }
      if let formula = grid.formula {
        parts.append(.paragraph(formula))
      } else {
        parts += [
          .paragraph("\(field.singular) \(field.element.name), \(field.element.codeCount) codes:"),
          .grid(grid),
        ]
      }
    }
    return SheetSection(key: "values", title: "Values of codes", parts: parts)
  }

  /// The choices that have an effect on the format, with its defaults.
  private var policies: SheetSection {
    let defaults = format.defaultPolicy
    var table = SheetTable([
      .init("choice", "Choice"), .init("default", "Default"), .init("meaning", "Meaning"),
      .init("others", "Others"),
    ])
    for policy in PolicyAspect.allCases {
      let others = policy.alternatives(for: format)
      guard !others.isEmpty || policy.isAlwaysShown && format.follows(policy) else { continue }
      let chosen = policy.chosen(in: defaults)
      table.append([
        .text(policy.title), .text(chosen.id), .text(chosen.meaning),
        .text(others.joined(separator: ", ")),
      ])
    }
    let steps = (format as? any ExplainedFormat)?.steps ?? []
    return SheetSection(
      key: "rules", title: "Rules",
      parts: [.table(table.withoutEmptyColumns())]
        + (steps.isEmpty ? [] : [.steps(steps)]))
  }
}

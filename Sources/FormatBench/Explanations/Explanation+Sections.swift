import BlockFormats
import CommandLineToolkit

extension Explanation {
  /// The explanation for people: the choices, then each block.
  var sections: [SheetSection] {
    [choices] + blocks.enumerated().map { section(of: $1, number: $0) }
  }

  /// The choices that were followed.
  private var policyFacts: [(key: String, value: Cell)] {
    [
      ("scale_rule", .text(policy.scaleRule.id)), ("rounding", .text(policy.rounding.id)),
      ("overflow", .text(policy.overflow.id)), ("non_finite", .text(policy.nonFinite.id)),
    ]
  }

  /// The tensor's scale, if it has one.
  private var tensorFacts: [(key: String, value: Cell)] {
    guard format.layout.tensorScale != .absent else { return [] }
    return [
      ("tensor_encode_scale", .number(Double(tensorScale.encode))),
      ("tensor_scale", .number(Double(tensorScale.decode))),
    ]
  }

  private var choices: SheetSection {
    SheetSection(
      key: "choices", title: "Choices",
      parts: [.table(Self.table(policyFacts + tensorFacts))]
        + (blocks.count > 1
          ? [
            .paragraph(
              "\(blocks.reduce(0) { $0 + $1.values.count }) values fill \(blocks.count) blocks.")
          ] : []))
  }

  private func section(of block: BlockExplanation, number: Int) -> SheetSection {
    var parts: [SheetPart] = []
    let facts = block.facts.map { fact in
      guard fact.key == "squared_error", case .number(let error) = fact.value else { return fact }
      return (fact.key, .text(NumberStyle.general.text(error)))
    }
    if !facts.isEmpty { parts.append(.table(Self.table(facts))) }
    if let table = block.candidateTable { parts.append(.table(table)) }
    parts.append(.table(Self.table(of: block)))
    parts += block.notes.map(SheetPart.paragraph)
    let last = block.firstIndex + block.values.count - 1
    return SheetSection(
      key: "block_\(number)",
      title: blocks.count == 1
        ? "Block" : "Block \(number): values \(block.firstIndex) to \(last)",
      parts: parts)
  }

  private static func table(_ facts: [(key: String, value: Cell)]) -> SheetTable {
    SheetTable(
      [.init("fact", "Fact"), .init("value", "Value")],
      rows: facts.map { [.text($0.key.replacing("_", with: " ")), $0.value] })
  }

  private static func table(of block: BlockExplanation) -> SheetTable {
    var table = SheetTable([
      .init("index", "Index", .right), .init("value", "Value", .right),
      .init("subscale", "Sub-scale", .right), .init("scaled", "Scaled", .right),
      .init("code", "Code", .right),
      .init("element_value", "Element", .right), .init("decoded", "Decoded", .right),
      .init("error", "Error", .right), .init("why", "Why"),
    ])
    for row in block.rows {
      table.append([
        .integer(row.index), .number(Double(row.value)),
        block.format.layout.subscale == nil ? .text("") : .integer(Int(row.subscale)),
        .number(row.scaled), .text(ExactNumber.hex(row.code, bitWidth: block.element.bitWidth)),
        .number(row.elementValue), .number(Double(row.decoded)),
        .text(NumberStyle.general.text(row.error)), .text(row.reason),
      ])
    }
    return table.withoutEmptyColumns()
  }

  // MARK: - For programs

  /// The name of the command that writes it.
  static let command = "explain"

  /// The explanation for programs: a row for each value; choices and scales are facts.
  ///
  /// With several blocks the names of a block's facts begin with `block_0_` and so on.
  var report: Report {
    var context: [Report.Fact] =
      [Report.Fact(key: "format", value: .text(format.id))]
      + (policyFacts + tensorFacts).map { .init(key: $0.key, value: $0.value) }
      + [Report.Fact(key: "block_count", value: .integer(blocks.count))]
    for (number, block) in blocks.enumerated() {
      let prefix = blocks.count == 1 ? "" : "block_\(number)_"
      context += (block.facts + block.candidateFacts).map {
        .init(key: prefix + $0.key, value: $0.value)
      }
    }
    var report = Report(
      command: Self.command, reproducibility: .everywhere, context: context,
      columns: [
        .init(key: "block", title: "Block", style: .general),
        .init(key: "index", title: "Index", style: .general),
        .init(key: "value", title: "Value", style: .exact),
        .init(key: "subscale", title: "Sub-scale", style: .general),
        .init(key: "scaled", title: "Scaled", style: .exact),
        .init(key: "code", title: "Code"),
        .init(key: "element_value", title: "Element", style: .exact),
        .init(key: "decoded", title: "Decoded", style: .exact),
        .init(key: "error", title: "Error", style: .exact),
        .init(key: "why", title: "Why"),
      ])
    for (number, block) in blocks.enumerated() {
      for row in block.rows {
        report.append([
          .integer(number), .integer(row.index), .number(Double(row.value)),
          .integer(Int(row.subscale)), .number(row.scaled),
          .text(ExactNumber.hex(row.code, bitWidth: block.element.bitWidth)),
          .number(row.elementValue), .number(Double(row.decoded)), .number(row.error),
          .text(row.reason),
        ])
      }
    }
    return report
  }
}

extension BlockExplanation {
  /// What the block stores besides its codes, and the error.
  var facts: [(key: String, value: Cell)] {
    var facts: [(key: String, value: Cell)] = [("amax", .number(Double(statistics.amax)))]
    if let scale = format.layout.scale {
      facts += [
        ("scale_code", .text(ExactNumber.hex(trace.scale, bitWidth: scale.bitWidth))),
        ("scale", .number(scale.value(of: trace.scale))),
      ]
    }
    if !trace.subscales.isEmpty {
      facts.append(("subscales", .text(trace.subscales.map(String.init).joined(separator: " "))))
    }
    facts.append(("squared_error", .number(trace.squaredError)))
    return facts
  }

  /// The candidates as a table; nil where there are none.
  var candidateTable: SheetTable? {
    let candidates = candidates
    guard let first = candidates.first else { return nil }
    var table = SheetTable(
      [.init("candidate", "Scale candidate")]
        + first.fields.map { .init($0.key, $0.title, .right) }
        + [
          .init("squared_error", "Squared error", .right), .init("clipped", "Clipped", .right),
          .init("overflowed", "Overflowed", .right), .init("chosen", "Chosen"),
        ])
    for candidate in candidates {
      table.append(
        [.text(candidate.name)] + candidate.fields.map(\.value)
          + [
            .text(NumberStyle.general.text(candidate.trace.squaredError)),
            .integer(candidate.clippedCount),
            candidate.overflowedCount == 0 ? .text("") : .integer(candidate.overflowedCount),
            .text(candidate.isChosen ? "yes" : ""),
          ])
    }
    return table.withoutEmptyColumns()
  }

  /// The candidates as facts, such as `candidate_floor_squared_error`.
  var candidateFacts: [(key: String, value: Cell)] {
    candidates.flatMap { candidate -> [(key: String, value: Cell)] in
      let name = candidate.name.replacing(" -1", with: "_below").replacing(" +1", with: "_above")
        .replacing(" ", with: "_")
      return candidate.fields.map { ("candidate_\(name)_\($0.key)", $0.value) } + [
        ("candidate_\(name)_squared_error", .number(candidate.trace.squaredError)),
        ("candidate_\(name)_clipped", .integer(candidate.clippedCount)),
        ("candidate_\(name)_overflowed", .integer(candidate.overflowedCount)),
        ("candidate_\(name)_chosen", .text(candidate.isChosen ? "yes" : "no")),
      ]
    }
  }
}

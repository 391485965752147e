import BlockFormats
import CommandLineToolkit

extension Explanation {
  /// The explanation for people: the choices, then each block.
  var sections: [SheetSection] {
    [choices] + blocks.enumerated().map { section(of: $1, number: $0) }
  }

  /// The choices that were followed, those that make no difference for the format left out.
  private var policyFacts: [(key: String, value: Cell)] {
    PolicyAspect.allCases.filter(format.follows).map {
      ($0.key, .text($0.chosen(in: policy).id))
    }
  }

  /// The producers that choose the same, if there are any.
  private var producerFacts: [(key: String, value: Cell)] {
    let names = ProducerPreset.producers(of: format, under: policy)
    return names.isEmpty ? [] : [("producers", .text(names.joined(separator: ", ")))]
  }

  /// The tensor's scale, if it has one.
  private var tensorFacts: [(key: String, value: Cell)] {
    guard let field = format.layout.tensorField else { return [] }
    let name = format.layout.fields[field].name
    return [
      (
        name.hasPrefix("tensor_")
          ? name.replacing("tensor_", with: "tensor_encode_", maxReplacements: 1)
          : "encode_" + name,
        .number(Double(tensorScale.encode))
      ),
      (name, .number(Double(tensorScale.decode))),
    ]
  }

  private var choices: SheetSection {
    SheetSection(
      key: "choices", title: "Choices",
      parts: [.table(Self.table(policyFacts + producerFacts + tensorFacts))]
        + (blocks.count > 1
          ? [
            .paragraph(
              "\(blocks.reduce(0) { $0 + $1.values.count }) values fill \(blocks.count) blocks.")
          ] : []))
  }

  private func section(of block: ExplainedBlock, number: Int) -> SheetSection {
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

  private static func table(of block: ExplainedBlock) -> SheetTable {
    var table = SheetTable(
      [
        .init("index", "Index", .right), .init("value", "Value", .right),
      ]
        + block.partFields.map { part in
          let field = block.format.layout.fields[part.field]
          return .init(field.singular, field.singularTitle, .right)
        } + [
          .init("scaled", "Scaled", .right),
          .init("code", "Code", .right),
          .init("element_value", "Element", .right), .init("decoded", "Decoded", .right),
          .init("error", "Error", .right), .init("why", "Why"),
        ])
    for row in block.rows {
      table.append(
        [
          .integer(row.index), .number(Double(row.value)),
        ] + row.partCodes.map { .integer(Int($0)) } + [
          row.scaled.map(Cell.number) ?? .text(""),
          .text(ExactNumber.hex(row.code, bitWidth: block.element.bitWidth)),
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
      ] + partColumns.map { .init(key: $0.key, title: $0.title, style: .general) } + [
        .init(key: "scaled", title: "Scaled", style: .exact),
        .init(key: "code", title: "Code"),
        .init(key: "element_value", title: "Element", style: .exact),
        .init(key: "decoded", title: "Decoded", style: .exact),
        .init(key: "error", title: "Error", style: .exact),
        .init(key: "why", title: "Why"),
      ])
    for (number, block) in blocks.enumerated() {
      for row in block.rows {
        report.append(
          [
            .integer(number), .integer(row.index), .number(Double(row.value)),
          ] + (row.partCodes.isEmpty ? [.integer(0)] : row.partCodes.map { .integer(Int($0)) }) + [
            row.scaled.map(Cell.number) ?? .text(""),
            .text(ExactNumber.hex(row.code, bitWidth: block.element.bitWidth)),
            .number(row.elementValue), .number(Double(row.decoded)), .number(row.error),
            .text(row.reason),
          ])
      }
    }
    return report
  }
}

extension Explanation {
  /// A column for each field of parts of a block; programs find one of zeros where there is none.
  private var partColumns: [(key: String, title: String)] {
    let parts = format.layout.fields.filter { if case .every = $0.extent { true } else { false } }
    return parts.isEmpty
      ? [("subscale", "Sub-scale")] : parts.map { ($0.singular, $0.singularTitle) }
  }
}

extension ExplainedBlock {
  /// What the block stores besides its codes, and the error.
  var facts: [(key: String, value: Cell)] {
    var facts: [(key: String, value: Cell)] = [("amax", .number(Double(statistics.amax)))]
    for (index, field) in format.layout.fields.enumerated().dropFirst() {
      let codes = trace.codes[index]
      switch field.extent {
      case .perBlock(1):
        facts += [
          ("\(field.singular)_code", .text(ExactNumber.hex(codes[0], field.element))),
          (field.singular, .number(number(0, of: index))),
        ]
      case .perBlock, .every, .everyElement:
        facts.append((field.name, .text(codes.map(String.init).joined(separator: " "))))
      case .perTensor where field.role == .factor: break
      case .perTensor: facts.append((field.name, .number(number(0, of: index))))
      }
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
        + first.facts.map { .init($0.key, $0.title, .right) }
        + [
          .init("squared_error", "Squared error", .right), .init("clipped", "Clipped", .right),
          .init("overflowed", "Overflowed", .right), .init("chosen", "Chosen"),
        ])
    for candidate in candidates {
      table.append(
        [.text(candidate.name)] + candidate.facts.map { Cell($0.number) }
          + [
            .text(NumberStyle.general.text(candidate.trace.squaredError)),
            .integer(clippedCount(in: candidate.trace)),
            overflowedCount(in: candidate.trace) == 0
              ? .text("") : .integer(overflowedCount(in: candidate.trace)),
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
      return candidate.facts.map { ("candidate_\(name)_\($0.key)", Cell($0.number)) } + [
        ("candidate_\(name)_squared_error", .number(candidate.trace.squaredError)),
        ("candidate_\(name)_clipped", .integer(clippedCount(in: candidate.trace))),
        ("candidate_\(name)_overflowed", .integer(overflowedCount(in: candidate.trace))),
        ("candidate_\(name)_chosen", .text(candidate.isChosen ? "yes" : "no")),
      ]
    }
  }

  /// The values that the largest element value replaced.
  private func clippedCount(in trace: BlockTrace) -> Int {
    trace.tally.saturatedCount - overflowedCount(in: trace)
  }
}

extension Cell {
  /// A number on the way to a scale.
  fileprivate init(_ number: ScaleCandidate.Number) {
    self =
      switch number {
      case .integer(let value): .integer(value)
      case .real(let value): .number(value)
      case .code(let code, let element): .text(FieldText.scale(code, element))
      case .none: .text("none")
      }
  }
}

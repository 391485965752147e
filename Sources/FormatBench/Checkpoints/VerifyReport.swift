import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import UntrustedText

/// What `verify` tells of two checkpoints.
enum VerifyReport {
  static func report(
    _ comparison: CheckpointComparison, _ first: ModelCheckpoint, _ second: ModelCheckpoint
  ) -> Report {
    func count(_ verdict: CheckpointComparison.Verdict) -> Int {
      comparison.tensors.count { $0.verdict == verdict }
    }
    var report = Report(
      command: VerifyCommand.declaration.name, reproducibility: .everywhere,
      context: [
        .init(key: "first", value: .text(first.path)),
        .init(key: "second", value: .text(second.path)),
        .init(key: "verdict", value: .text(comparison.verdict.rawValue)),
        .init(key: "tensors", value: .integer(comparison.tensors.count)),
        .init(key: "identical", value: .integer(count(.identical))),
        .init(key: "equivalent", value: .integer(count(.equivalent))),
        .init(key: "different", value: .integer(count(.different))),
        .init(key: "only_in_first", value: .integer(comparison.missing.count)),
        .init(key: "only_in_second", value: .integer(comparison.additional.count)),
      ],
      columns: [
        .init(key: "tensor", title: "Tensor", role: .longName),
        .init(key: "verdict", title: "Verdict", role: .setting),
        .init(key: "first_format", title: "First", role: .setting),
        .init(key: "second_format", title: "Second", role: .setting),
        .init(key: "differing_elements", title: "Differing elements", style: .general),
        .init(key: "first_element", title: "First element", style: .general),
        .init(key: "first_block", title: "First block", style: .general),
        .init(key: "first_value", title: "First value", style: .exact),
        .init(key: "second_value", title: "Second value", style: .exact),
        .init(key: "worst_error", title: "Worst error", style: .significant(4)),
      ],
      notes: [sentence(comparison)])
    for tensor in comparison.tensors where tensor.verdict != .identical {
      let (a, b) = (first.tensor(named: tensor.name), second.tensor(named: tensor.name))
      report.append([
        .text(tensor.name), .text(tensor.obstacle ?? tensor.verdict.rawValue),
        .text(a?.formatText ?? ""), .text(b?.formatText ?? ""),
        tensor.obstacle == nil ? .integer(tensor.differingCount) : .empty,
        tensor.firstDifference.map { .integer($0) } ?? .empty,
        tensor.firstDifference.flatMap { block(of: $0, in: a ?? b) }.map { .integer($0) } ?? .empty,
        Cell(tensor.firstValues.map { Double($0.first) }),
        Cell(tensor.firstValues.map { Double($0.second) }),
        tensor.obstacle == nil && tensor.differingCount > 0
          ? .number(tensor.worstDistance) : .empty,
      ])
    }
    for (names, place) in [
      (comparison.missing, "only in the first"), (comparison.additional, "only in the second"),
    ] {
      for name in names {
        let tensor = first.tensor(named: name) ?? second.tensor(named: name)
        let format = Cell.text(tensor?.formatText ?? "")
        let isFirst = place.hasSuffix("first")
        report.append([
          .text(name), .text(place), isFirst ? format : .text(""), isFirst ? .text("") : format,
          .empty, .empty, .empty, .empty, .empty, .empty,
        ])
      }
    }
    return report
  }

  /// The block of an element, counted in the order of blocks, where blocks lie along rows.
  private static func block(of element: Int, in tensor: CheckpointTensor?) -> Int? {
    guard let format = tensor?.quantizedStorage?.format,
      let length = format.layout.block.elementCount
    else { return nil }
    switch format.layout.block {
    case .run: return element / length
    case .vector:
      let width = max(tensor?.shape.last ?? 1, 1)
      return element / width * ((width + length - 1) / length) + element % width / length
    case .row, .tile, .tensor: return nil
    }
  }

  private static func sentence(_ comparison: CheckpointComparison) -> String {
    switch comparison.verdict {
    case .identical: return "identical: the same bytes in every tensor"
    case .equivalent: return "equivalent: other bytes that decode to the same values"
    case .different:
      let first = comparison.tensors.first { $0.verdict == .different }
      let name = first?.name ?? comparison.missing.first ?? comparison.additional.first ?? ""
      return "different: the first tensor with other values is '\(printable(name))'"
    }
  }
}

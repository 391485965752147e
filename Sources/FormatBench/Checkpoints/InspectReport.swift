import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints
import UntrustedText

/// What `inspect` tells of a checkpoint.
enum InspectReport {
  private static let bits = NumberStyle.trimmed(decimals: 4)

  /// The tensors in groups of one format and dialect each.
  static func groups(of checkpoint: ModelCheckpoint) -> Report {
    var report = Report(
      command: InspectCommand.declaration.name, reproducibility: .everywhere,
      context: facts(of: checkpoint),
      columns: [
        .init(key: "format", title: "Format"),
        .init(key: "dialect", title: "Dialect"),
        .init(key: "tensors", title: "Tensors", style: .general),
        .init(key: "parameters", title: "Parameters", style: .general),
        .init(key: "bytes", title: "Bytes", style: .general),
        .init(key: "bits_per_weight", title: "Bits per weight", style: bits),
        .init(key: "because", title: "Because", role: .setting),
      ],
      notes: notes(of: checkpoint))
    for group in Group.all(of: checkpoint) {
      report.append([
        .text(group.format), .text(group.dialect), .integer(group.tensorCount),
        .integer(group.elementCount), .integer(group.byteCount),
        Cell(bitsPerWeight(group.byteCount, group.elementCount)), .text(group.reason),
      ])
    }
    return report
  }

  /// Every tensor.
  static func tensors(of checkpoint: ModelCheckpoint) -> Report {
    var report = Report(
      command: InspectCommand.declaration.name, reproducibility: .everywhere,
      context: facts(of: checkpoint),
      columns: [
        .init(key: "tensor", title: "Tensor", role: .longName),
        .init(key: "shape", title: "Shape", role: .setting),
        .init(key: "format", title: "Format", role: .setting),
        .init(key: "dialect", title: "Dialect", role: .setting),
        .init(key: "bytes", title: "Bytes", style: .general),
        .init(key: "bits_per_weight", title: "Bits per weight", style: bits),
        .init(key: "because", title: "Because", role: .setting),
      ],
      notes: notes(of: checkpoint))
    for tensor in checkpoint.tensors {
      report.append([
        .text(tensor.name), .text("\(tensor.shape)"), .text(tensor.formatText),
        .text(tensor.quantizedStorage?.dialect.rawValue ?? "-"), .integer(tensor.byteCount),
        Cell(bitsPerWeight(tensor.byteCount, tensor.elementCount)), .text(tensor.reason),
      ])
    }
    return report
  }

  private static func facts(of checkpoint: ModelCheckpoint) -> [Report.Fact] {
    let inventory = checkpoint.inventory
    let elements = checkpoint.tensors.reduce(0) { $0 + $1.elementCount }
    let bytes = checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
    let dialects = Group.all(of: checkpoint).filter { $0.dialect != "-" }.map(\.dialect)
      .reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return [
      .init(key: "path", value: .text(checkpoint.path)),
      .init(key: "container", value: .text(checkpoint.container.rawValue)),
      .init(key: "files", value: .integer(checkpoint.filePaths.count)),
      .init(
        key: "dialect",
        value: .text(dialects.isEmpty ? "none" : dialects.joined(separator: ", "))),
      .init(key: "parameters", value: .integer(elements)),
      .init(key: "bytes", value: .integer(bytes)),
      .init(key: "bits_per_weight", value: Cell(bitsPerWeight(bytes, elements)), style: bits),
      .init(key: "quantized", value: .integer(inventory.quantizedCount)),
      .init(key: "left_alone", value: .integer(inventory.plainCount)),
      .init(key: "unclassified", value: .integer(inventory.count(of: .unclassified))),
      .init(key: "incomplete", value: .integer(inventory.count(of: .incomplete))),
    ]
  }

  /// The most findings that are told one by one.
  private static let findingLimit = 20

  private static func notes(of checkpoint: ModelCheckpoint) -> [String] {
    let inventory = checkpoint.inventory
    var notes = [line(of: inventory)]
    notes += inventory.findings.prefix(findingLimit).map {
      "\($0.kind.rawValue): '\(printable($0.name))': \($0.reason)"
    }
    if inventory.findings.count > findingLimit {
      notes.append("and \(inventory.findings.count - findingLimit) more")
    }
    return notes
  }

  /// The inventory in one line.
  static func line(of inventory: Inventory) -> String {
    "\(inventory.quantizedCount) quantized, \(inventory.plainCount) left alone, "
      + "\(inventory.count(of: .unclassified)) unclassified, "
      + "\(inventory.count(of: .incomplete)) incomplete"
  }

  private static func bitsPerWeight(_ bytes: Int, _ elements: Int) -> Double? {
    elements == 0 ? nil : 8 * Double(bytes) / Double(elements)
  }
}

extension CheckpointTensor {
  /// The format's id, or the type of values.
  var formatText: String {
    switch contents {
    case .plain(let stored): stored.type.description
    case .quantized(let storage): storage.format.id
    }
  }
}

/// Tensors of one format and dialect.
private struct Group {
  let format: String
  let dialect: String
  let reason: String
  var tensorCount = 0
  var elementCount = 0
  var byteCount = 0

  /// The groups of a checkpoint, quantized ones first, in the order of their first tensors.
  static func all(of checkpoint: ModelCheckpoint) -> [Group] {
    var groups: [Group] = []
    var places: [[String]: Int] = [:]
    let tensors = checkpoint.tensors
    for tensor in tensors.filter({ $0.quantizedStorage != nil })
      + tensors.filter({ $0.quantizedStorage == nil })
    {
      let dialect = tensor.quantizedStorage?.dialect.rawValue ?? "-"
      let key = [tensor.formatText, dialect]
      let place = places[key] ?? groups.count
      if place == groups.count {
        places[key] = place
        groups.append(Group(format: key[0], dialect: dialect, reason: tensor.reason))
      }
      groups[place].tensorCount += 1
      groups[place].elementCount += tensor.elementCount
      groups[place].byteCount += tensor.byteCount
    }
    return groups
  }
}

import BlockFormats
import CommandLineToolkit
import Foundation
import QuantizedCheckpoints
import UntrustedText

/// What `quantize` tells of its work, or of what it would do.
enum QuantizeReport {
  private static let bits = NumberStyle.trimmed(decimals: 4)

  /// - Parameter qualities: how far values are from what they were; nil where nothing was done.
  static func report(
    _ plan: QuantizationPlan, _ checkpoint: ModelCheckpoint, dialect: Dialect, output: String,
    qualities: [QuantizationQuality]?
  ) -> Report {
    var byName: [String: QuantizationQuality] = [:]
    for quality in qualities ?? [] { byName[quality.name] = quality }
    let quantized = plan.decisions.filter {
      if case .quantized = $0.outcome { true } else { false }
    }
    let sourceBytes = checkpoint.tensors.reduce(0) { $0 + $1.byteCount }
    var context: [Report.Fact] = [
      .init(key: "source", value: .text(checkpoint.path)),
      .init(key: "output", value: .text(output)),
      .init(key: "dialect", value: .text(dialect.rawValue)),
      .init(key: "quantized", value: .integer(quantized.count)),
      .init(key: "left_alone", value: .integer(plan.decisions.count - quantized.count)),
      .init(key: "source_bytes", value: .integer(sourceBytes)),
      .init(key: "output_bytes", value: .integer(plan.byteCount)),
      .init(
        key: "bits_per_quantized_weight", value: .number(plan.bitsPerQuantizedElement),
        style: bits),
      .init(key: "bits_per_weight", value: .number(plan.bitsPerElement), style: bits),
    ]
    if let qualities, !qualities.isEmpty {
      let signal = qualities.reduce(0) { $0 + $1.signal }
      let noise = qualities.reduce(0) { $0 + $1.noise }
      context.append(
        .init(key: "qsnr_db", value: Cell(decibels(signal, noise)), style: .decibels))
    }
    var report = Report(
      command: QuantizeCommand.declaration.name, reproducibility: .everywhere, context: context,
      columns: [
        .init(key: "tensor", title: "Tensor", role: .longName),
        .init(key: "shape", title: "Shape", role: .setting),
        .init(key: "format", title: "Format", role: .setting),
        .init(key: "bytes", title: "Bytes", style: .general),
        .init(key: "bits_per_weight", title: "Bits per weight", style: bits),
        .init(key: "qsnr_db", title: "QSNR", unit: "dB", style: .decibels),
        .init(key: "relative_error", title: "Relative error", style: .significant(4)),
        .init(key: "saturated", title: "Saturated", style: .general),
        .init(key: "because", title: "Because", role: .setting),
      ])
    for decision in plan.decisions {
      let tensor = decision.tensor
      let quality = byName[tensor.name]
      let (format, reason): (String, String) =
        switch decision.outcome {
        case .quantized(let format): (format.id, "")
        case .kept(let reason): (tensor.formatText, reason)
        }
      report.append([
        .text(tensor.name), .text("\(tensor.shape)"), .text(format), .integer(decision.byteCount),
        Cell(
          tensor.elementCount == 0
            ? nil : 8 * Double(decision.byteCount) / Double(tensor.elementCount)),
        Cell(quality.flatMap { decibels($0.signal, $0.noise) }),
        Cell(quality.flatMap { $0.signal > 0 ? ($0.noise / $0.signal).squareRoot() : nil }),
        quality.map { .integer($0.saturatedCount) } ?? .empty, .text(reason),
      ])
    }
    return report
  }

  private static func decibels(_ signal: Double, _ noise: Double) -> Double? {
    signal > 0 ? 10 * log10(signal / noise) : nil
  }
}

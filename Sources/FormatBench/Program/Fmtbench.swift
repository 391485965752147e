import BlockFormats
import CommandLineToolkit
import QuantizedCheckpoints

/// The tool `fmtbench`: measures and inspects low-precision number formats.
package enum Fmtbench {
  /// The name that messages and reports begin with.
  static let name = "fmtbench"
  /// The version in `--version` and in every report.
  static let version = QuantizedTensorFile.version
}

extension ReportProducer {
  /// This tool, with the kernels that run where the command line chooses none.
  static let fmtbench = ReportProducer(
    name: Fmtbench.name, version: Fmtbench.version,
    machine: [.init(key: "kernel_level", value: .text(KernelLevel.best.id))])
}

extension Report {
  /// An empty report of this tool; `init(by:command:reproducibility:context:columns:notes:)` tells the
  /// rest.
  init(
    command: String, reproducibility: Reproducibility = .thisMachine, context: [Fact] = [],
    columns: [Column], notes: [String] = []
  ) {
    self.init(
      by: .fmtbench, command: command, reproducibility: reproducibility, context: context,
      columns: columns, notes: notes)
  }
}

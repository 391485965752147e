import CommandLineToolkit
import Foundation
import QuantizedCheckpoints
import UntrustedText

/// A format for each tensor, as a file: `{"version": 1, "bits_per_weight": x, "tensors": {NAME: FORMAT}}`.
struct FormatPlan {
  /// The path of the file.
  let path: String
  /// The formats by the names of tensors.
  let formats: [String: String]

  /// Reads a plan.
  init(path: String) throws(CommandError) {
    self.path = path
    let json = try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try PlanFile(path: path)
    }
    formats = json.formats
  }

  /// Refuses a plan that names tensors which the checkpoint does not have.
  func check(against checkpoint: ModelCheckpoint) throws(CommandError) {
    let names = formats.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    if let stranger = names.first(where: { checkpoint.tensor(named: $0) == nil }) {
      throw .input(
        "\(path): tensor '\(printable(stranger))' is not in \(checkpoint.path)")
    }
  }
}

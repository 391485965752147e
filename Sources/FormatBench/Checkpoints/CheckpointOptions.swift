import CommandLineToolkit
import Foundation
import QuantizedCheckpoints
import TensorFiles

/// What commands about checkpoints share.
enum CheckpointOptions {
  static let threads = PolicyOptions.threads

  /// What help says of paths.
  static let paths = """
    A checkpoint is a safetensors, GGUF, npy or npz file, or a folder of safetensors files with an \
    index or without; config.json beside them tells of the quantization.
    """

  static let names = Option.defaulted(
    "names", .choice("scheme", of: NameScheme.self), default: NameScheme.keep.rawValue,
    help: "the names of tensors: the source's, transformers' or llama.cpp's")

  /// Opens a checkpoint, with the names of a scheme.
  static func open(
    _ path: String, _ names: NameScheme = .keep
  ) throws(CommandError) -> ModelCheckpoint {
    try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
      try ModelCheckpoint(path: path).renamed(names)
    }
  }

  /// The keys and values of a GGUF file that a GGUF output is to have; nil where none is named.
  static func metadata(
    from path: String?, for target: String
  ) throws(CommandError) -> GGUFMetadata? {
    guard let path else { return nil }
    guard target.hasSuffix(".gguf") else {
      throw .usage("--metadata-from: \(target) is no GGUF file")
    }
    return try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try GGUFModel(path: path).metadata
    }
  }

  /// Refuses to write over what is read.
  static func refuseOverwriting(
    _ output: String, inputs: [String]
  ) throws(CommandError) {
    try CommandError.refuseOverwriting(output, of: "--output", inputs: inputs)
  }
}

/// How far the writing of a checkpoint is, with its rate and the time left.
struct WritingPace {
  private let start = Date()
  private var first: Int?

  /// The line to show.
  mutating func text(_ progress: WritingProgress) -> String {
    // What an earlier run has done costs no time.
    let begin = first ?? progress.doneByteCount
    first = begin
    let seconds = Date().timeIntervalSince(start)
    let done = progress.doneByteCount - begin
    let left = progress.totalByteCount - progress.doneByteCount
    var text =
      "\(Self.size(progress.doneByteCount)) of \(Self.size(progress.totalByteCount))"
    if seconds > 0.5, done > 0 {
      let rate = Double(done) / seconds
      text += ", \(Self.size(Int(rate)))/s, \(Self.duration(Double(left) / rate)) left"
    }
    return text + (progress.tensor.map { "  \($0)" } ?? "")
  }

  /// A number of bytes in decimal units.
  static func size(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"]
    var (value, unit) = (Double(count), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    return NumberStyle.trimmed(decimals: unit == 0 ? 0 : 1).text(value) + " " + units[unit]
  }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 1e9).rounded(.up))
    return whole < 60
      ? "\(whole) s"
      : whole < 3600
        ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}

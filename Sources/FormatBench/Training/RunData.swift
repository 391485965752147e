import CommandLineToolkit
import LowPrecisionTraining

/// What the models of all runs read; a text is read once, so that no run sees another than the rest.
enum RunData: Sendable {
  case task(SyntheticTask)
  case text(ByteText)

  /// Reads a text, if it is one.
  init(_ choice: RunSetup.DataChoice) throws(CommandError) {
    switch choice {
    case .task(let task): self = .task(task)
    case .text(let path):
      self = .text(
        try CommandError.bridgingFileFailures { () throws(ByteCorpusError) in
          try ByteText(path: path)
        })
    }
  }

  /// The checksum of a text.
  var fingerprint: String? {
    switch self {
    case .task: nil
    case .text(let text): text.fingerprint
    }
  }

  /// The batches of a plan.
  func source(_ plan: BatchPlan) throws(CommandError) -> any TokenSource {
    switch self {
    case .task(let task): task.source(plan)
    case .text(let text):
      try CommandError.bridgingFileFailures { () throws(ByteCorpusError) in
        try ByteCorpus(text, plan: plan)
      }
    }
  }
}

import CommandLineToolkit
import Foundation
import LowPrecisionTraining
import TensorFiles
import TrainingRecipes

/// The files of trained runs: a folder for each recipe, in it one for each seed.
///
/// | file | holds |
/// |---|---|
/// | `RECIPE/recipe.json` | the recipe, to read or to change |
/// | `RECIPE/seed-K/state.safetensors` | the last saved state of the run |
/// | `RECIPE/seed-K/curve.csv`, `curve.json` | its losses |
/// | `RECIPE/seed-K/tensors.csv` | the errors of its operands at measured steps |
/// | `RECIPE/seed-K/divergence.txt` | what was first not finite, where the run diverged |
/// | `report.json` | the comparison, once all runs have ended |
/// | `.lock` | what keeps a second command out |
///
/// Each file appears complete or not at all. A curve may be ahead of its state, where a run was
/// killed between the two: rows that the state has not seen are dropped and come again.
struct RunDirectory: Hashable {
  /// The folder that `--out` names.
  let path: String
  /// Whether runs found there go on.
  let opening: Opening

  /// What to make of runs that are there already.
  enum Opening: Hashable {
    /// They are an error: nothing is overwritten.
    case new
    /// They go on.
    case resumed
  }

  private static let reportName = "report.json"

  /// Makes the folder and keeps it to this process; refuses recipes whose names cannot be folders, a
  /// folder that another process writes to, and one with results in it that nobody asked to resume, or
  /// that are of other runs.
  ///
  /// Reading needs no lock, since files are replaced as a whole: `eval` takes states of running runs.
  ///
  /// - Parameter fingerprint: of the data, where it is a file.
  /// - Returns: to be kept until nothing more is written.
  func open(_ plan: TrainingPlan, fingerprint: String?) throws(CommandError) -> RunLock {
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
    for recipe in plan.allRecipes {
      guard let first = recipe.name.first, first != ".", recipe.name != Self.reportName,
        recipe.name.allSatisfy(allowed.contains)
      else {
        throw .usage("the recipe's name '\(recipe.name)' cannot name a folder of --out")
      }
    }
    if case .text(let text) = plan.setup.data {
      for output in outputs(of: plan) {
        try CommandError.refuseOverwriting(output, of: "the --out file", inputs: [text])
      }
    }
    try Folder.make(path)
    // Before the look at what is there, which another process may be about to change.
    let lock = try RunLock(folder: path)
    var found = [path + "/" + Self.reportName].filter(FileManager.default.fileExists)
    for recipe in plan.allRecipes {
      let metadata = plan.setup.metadata(recipe, fingerprint: fingerprint)
      for seed in 0..<plan.seedCount {
        let path = statePath(recipe, seed)
        guard FileManager.default.fileExists(atPath: path) else { continue }
        found.append(path)
        guard opening == .resumed else { break }
        let file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
          try SafetensorsFile(path: path)
        }
        try requireEqual(file.metadata, metadata, path)
      }
    }
    guard opening == .resumed || found.isEmpty else {
      throw .usage("--out \(path) holds runs already", hint: "add --resume to go on with them")
    }
    return lock
  }

  private func requireEqual(
    _ found: [String: String], _ expected: [String: String], _ path: String
  ) throws(CommandError) {
    let differences = RunSetup.differences(found, expected)
    guard differences.isEmpty else {
      throw .usage("\(path) is of another run, with another \(differences.joined(separator: ", "))")
    }
  }

  /// Takes up the state of a run, if it has been saved.
  ///
  /// - Returns: whether it has.
  func resume(
    _ trainer: Trainer, _ recipe: Recipe, seed: Int, metadata: [String: String]
  ) throws(CommandError) -> Bool {
    let path = statePath(recipe, seed)
    guard opening == .resumed, FileManager.default.fileExists(atPath: path) else { return false }
    let checkpoint = try CommandError.bridgingFileFailures { () throws(CheckpointError) in
      try Checkpoint(path: path)
    }
    try requireEqual(checkpoint.metadata, metadata, path)
    let curve = try CommandError.bridgingFileFailures { () throws(LossCurveError) in
      try LossCurve(csvPath: curvePath(recipe, seed) + ".csv")
    }
    try CommandError.bridgingFileFailures { () throws(CheckpointError) in
      try trainer.restore(checkpoint, curve: curve, path: path)
    }
    return true
  }

  /// The measurements of earlier calls, up to the step that a run is resumed at.
  func measurements(before step: Int, _ recipe: Recipe, seed: Int) throws(CommandError) -> String {
    let path = tensorsPath(recipe, seed)
    guard opening == .resumed, FileManager.default.fileExists(atPath: path) else { return "" }
    let lines = try Self.text(path).split(separator: "\n").dropFirst()
    let earlier = lines.filter { line in
      line.split(separator: ",").first.flatMap { Int($0) }.map { $0 < step } ?? false
    }
    return earlier.map { $0 + "\n" }.joined()
  }

  /// What an earlier call of the command found to be first not finite in a run that diverged.
  func divergence(_ recipe: Recipe, seed: Int) throws(CommandError) -> String? {
    let path = divergencePath(recipe, seed)
    guard opening == .resumed, FileManager.default.fileExists(atPath: path) else { return nil }
    return TextLayout.trimmed(try Self.text(path))
  }

  /// A small file as text.
  private static func text(_ path: String) throws(CommandError) -> String {
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      String(decoding: try InputFile(path: path).bytes(), as: UTF8.self)
    }
  }

  /// Writes measurements, the curve and then the state of a run.
  func save(
    _ trainer: Trainer, _ recipe: Recipe, seed: Int, measurements: String,
    metadata: [String: String]
  ) throws(CommandError) {
    try Folder.make(folder(recipe, seed))
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      if !FileManager.default.fileExists(atPath: recipePath(recipe)) {
        try AtomicFileWriter.write(recipe.json, to: recipePath(recipe))
      }
      try AtomicFileWriter.write(
        OperandErrors.heading + measurements + trainer.operandErrors.csv,
        to: tensorsPath(recipe, seed))
      if let cause = trainer.notFinite {
        try AtomicFileWriter.write("\(cause)\n", to: divergencePath(recipe, seed))
      }
      try trainer.curve.writeCSV(to: curvePath(recipe, seed) + ".csv")
      try trainer.curve.writeJSON(to: curvePath(recipe, seed) + ".json")
      var checkpoint = trainer.checkpoint()
      checkpoint.metadata = metadata
      try checkpoint.write(to: statePath(recipe, seed))
    }
  }

  /// Writes the comparison.
  func save(_ report: Report) throws(CommandError) {
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try AtomicFileWriter.write(
        ReportFormat.json.text(of: report, for: .file), to: path + "/" + Self.reportName)
    }
  }

  /// The files that a plan replaces.
  private func outputs(of plan: TrainingPlan) -> [String] {
    var paths = [path + "/" + Self.reportName]
    for recipe in plan.allRecipes {
      for seed in 0..<plan.seedCount {
        let curve = curvePath(recipe, seed)
        paths += [
          statePath(recipe, seed), tensorsPath(recipe, seed), divergencePath(recipe, seed),
          curve + ".csv", curve + ".json",
        ]
      }
    }
    return paths
  }

  private func folder(_ recipe: Recipe, _ seed: Int) -> String {
    "\(path)/\(recipe.name)/seed-\(seed)"
  }

  private func recipePath(_ recipe: Recipe) -> String { "\(path)/\(recipe.name)/recipe.json" }

  private func statePath(_ recipe: Recipe, _ seed: Int) -> String {
    folder(recipe, seed) + "/state.safetensors"
  }

  private func tensorsPath(_ recipe: Recipe, _ seed: Int) -> String {
    folder(recipe, seed) + "/tensors.csv"
  }

  private func divergencePath(_ recipe: Recipe, _ seed: Int) -> String {
    folder(recipe, seed) + "/divergence.txt"
  }

  private func curvePath(_ recipe: Recipe, _ seed: Int) -> String {
    folder(recipe, seed) + "/curve"
  }
}

import Foundation
import LowPrecisionTraining
import TensorFiles

/// The files of trained runs: a folder for each recipe, in it one for each seed.
///
/// | file | holds |
/// |---|---|
/// | `RECIPE/recipe.json` | the recipe, to read or to change |
/// | `RECIPE/seed-K/state.safetensors` | the last saved state of the run |
/// | `RECIPE/seed-K/curve.csv`, `curve.json` | its losses |
/// | `RECIPE/seed-K/tensors.csv` | the errors of its operands at measured steps |
/// | `report.json` | the comparison, once all runs have ended |
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

  /// Refuses recipes whose names cannot be folders, and a folder with results in it that nobody asked
  /// to resume, or that are of other runs.
  ///
  /// - Parameter fingerprint: of the data, where it is a file.
  func check(_ plan: TrainingPlan, fingerprint: String?) throws(CommandError) {
    let allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-."
    for recipe in plan.allRecipes {
      guard let first = recipe.name.first, first != ".", recipe.name != Self.reportName,
        recipe.name.allSatisfy(allowed.contains)
      else {
        throw .usage("the recipe's name '\(recipe.name)' cannot name a folder of --out")
      }
    }
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
    // Now, not after the steps before the first save.
    try makeFolder(path)
  }

  private func makeFolder(_ path: String) throws(CommandError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .input("cannot make the folder \(path): \(error.localizedDescription)")
    }
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
  func resume(
    _ trainer: Trainer, _ recipe: Recipe, seed: Int, metadata: [String: String]
  ) throws(CommandError) {
    let path = statePath(recipe, seed)
    guard opening == .resumed, FileManager.default.fileExists(atPath: path) else { return }
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
  }

  /// The measurements of earlier calls, up to the step that a run is resumed at.
  func measurements(before step: Int, _ recipe: Recipe, seed: Int) -> String {
    guard opening == .resumed,
      let data = FileManager.default.contents(atPath: tensorsPath(recipe, seed))
    else { return "" }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").dropFirst()
    let earlier = lines.filter { line in
      line.split(separator: ",").first.flatMap { Int($0) }.map { $0 < step } ?? false
    }
    return earlier.map { $0 + "\n" }.joined()
  }

  /// Writes measurements, the curve and then the state of a run.
  func save(
    _ trainer: Trainer, _ recipe: Recipe, seed: Int, measurements: String,
    metadata: [String: String]
  ) throws(CommandError) {
    try makeFolder(folder(recipe, seed))
    try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      if !FileManager.default.fileExists(atPath: recipePath(recipe)) {
        try AtomicFileWriter.write(recipe.json, to: recipePath(recipe))
      }
      try AtomicFileWriter.write(
        OperandErrors.heading + measurements + trainer.operandErrors.csv,
        to: tensorsPath(recipe, seed))
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
        ReportFormat.json.text(of: report, for: .stream), to: path + "/" + Self.reportName)
    }
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

  private func curvePath(_ recipe: Recipe, _ seed: Int) -> String {
    folder(recipe, seed) + "/curve"
  }
}

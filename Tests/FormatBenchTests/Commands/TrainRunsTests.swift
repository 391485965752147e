import BlockFormats
import CommandLineToolkit
import Foundation
import LowPrecisionTraining
import TensorFiles
import Testing
import TrainingRecipes

@testable import FormatBench

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite("Runs of fmtbench train that are kept")
struct TrainRunsTests {
  private func plan(
    _ folder: String, _ opening: RunDirectory.Opening, recipes: [Recipe], seeds: Int = 1
  ) -> TrainingPlan {
    TrainingPlan(
      setup: RunSetup(
        model: .transformer, stepCount: 6, batchCount: 2, context: 16, width: 16, depth: 1,
        headCount: 2, learningRate: 1e-2, schedule: .warmUpStableDecay, optimizer: .adamW,
        arithmetic: .packed,
        data: .task(.corpus)), baseline: GivenRecipe(.fp32),
      recipes: recipes.map { GivenRecipe($0) }, seedCount: seeds,
      directory: RunDirectory(path: folder, opening: opening), saveInterval: 2)
  }

  private func losses(_ comparison: TrainingComparison) -> [[Double]] {
    comparison.rows.map { $0.outcomes.flatMap { $0.curve.rows.map(\.trainingLoss) } }
  }

  @Test("A run stopped in the middle and resumed has the curve of one that was not")
  func resumes() throws {
    let folder = try TemporaryFolder()
    let (whole, parts) = (folder.path("whole"), folder.path("parts"))
    let recipes = [try Recipe.named("nvfp4"), try Recipe.named("fp8_delayed")]
    let expected = try TrainingComparison(plan(whole, .new, recipes: recipes))

    var steps = 0
    #expect {
      _ = try TrainingComparison(
        plan(parts, .new, recipes: recipes),
        isStopped: {
          steps += 1
          return steps == 10
        })
    } throws: { error in
      error as? CommandError
        == .interrupted(
          "stopped after step 3 of 6 of nvfp4, seed 0",
          hint: "the same command with --resume goes on from there")
    }
    let found = try TrainingComparison(plan(parts, .resumed, recipes: recipes))
    #expect(losses(found) == losses(expected))
    for name in ["fp32", "nvfp4", "fp8_delayed"] {
      let file = "/\(name)/seed-0/state.safetensors"
      #expect(
        FileManager.default.contents(atPath: whole + file)
          == FileManager.default.contents(atPath: parts + file))
    }

    let json = try #require(
      FileManager.default.contents(atPath: parts + "/nvfp4/recipe.json"))
    #expect(try Recipe(json: String(decoding: json, as: UTF8.self)) == recipes[0])

    // Finished runs are read, not repeated; a further seed is trained.
    let more = try TrainingComparison(plan(parts, .resumed, recipes: recipes, seeds: 2))
    #expect(zip(losses(more), losses(expected)).allSatisfy { Array($0.prefix(6)) == $1 })
    #expect(more.rows.allSatisfy { $0.outcomes.count == 2 })
  }

  @Test("Runs that are there are neither overwritten nor taken for others")
  func keeps() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("runs")
    _ = try TrainingComparison(plan(path, .new, recipes: []))
    #expect(
      throws: CommandError.usage(
        "--out \(path) holds runs already", hint: "add --resume to go on with them")
    ) {
      try TrainingComparison(plan(path, .new, recipes: []))
    }
    var other = plan(path, .resumed, recipes: [])
    other.setup.learningRate = 2e-2
    let state = path + "/fp32/seed-0/state.safetensors"
    #expect(throws: CommandError.usage("\(state) is of another run, with another lr")) {
      try TrainingComparison(other)
    }
    try Data("no tensors".utf8).write(to: URL(fileURLWithPath: state))
    #expect {
      try TrainingComparison(plan(path, .resumed, recipes: []))
    } throws: {
      ($0 as? CommandError)?.exitStatus == .input
    }
  }

  @Test(
    "A recipe whose name could leave the folder is a usage error",
    arguments: ["../x", ".", "", "report.json"])
  func names(name: String) throws {
    let folder = try TemporaryFolder()
    var recipe = Recipe.bf16
    recipe.name = name
    #expect(
      throws: CommandError.usage("the recipe's name '\(name)' cannot name a folder of --out")
    ) {
      try TrainingComparison(plan(folder.path("runs"), .new, recipes: [recipe]))
    }
    #expect(folder.names.isEmpty)
  }

  @Test("Two recipes of one name are a usage error, not one of them")
  func equalNames() {
    var other = Recipe.bf16
    other.name = "FP32"
    #expect(
      throws: CommandError.usage(
        "two recipes are named 'FP32'", hint: "change the \"name\" in the JSON file")
    ) {
      try TrainingComparison(plan("/nowhere", .new, recipes: [other]))
    }
  }

  @Test("Recipes that do not suit the model are refused before the first step")
  func unsuitable() throws {
    let blocks = try BlockQuantization(FormatCatalog.format(id: "mxfp4(block=24)"))
    let recipe = Recipe(
      name: "unaligned", source: "a test",
      rules: [
        RecipeRule(.block(BlockQuantization(.mxfp8E4M3)), layers: [.mlpUp]),
        RecipeRule(.block(blocks), layers: [.mlpUp], tensors: [.weight]),
      ])
    let folder = try TemporaryFolder()
    #expect {
      try TrainingComparison(plan(folder.path("runs"), .new, recipes: [recipe]))
    } throws: { error in
      guard case .input(let message)? = error as? CommandError else { return false }
      return message.contains("the blocks of mxfp8_e4m3 and mxfp4(block=24) do not align")
    }
    #expect(folder.names.isEmpty)
  }

  @Test("A folder that cannot be made is an input error before the first step")
  func unwritable() throws {
    let folder = try TemporaryFolder()
    let file = folder.path("file")
    try Data().write(to: URL(fileURLWithPath: file))
    #expect {
      try TrainingComparison(plan(file + "/runs/a", .new, recipes: []), isStopped: { true })
    } throws: { error in
      error as? CommandError
        == .input("cannot make the folder \(file)/runs/a: \(String(cString: strerror(ENOTDIR)))")
    }
  }

  @Test("A run stopped before its first step is saved there and resumes with the same losses")
  func stopsAtOnce() throws {
    let folder = try TemporaryFolder()
    let (whole, parts) = (folder.path("whole"), folder.path("parts"))
    let expected = try TrainingComparison(plan(whole, .new, recipes: [.bf16]))
    // Before the first step of all, then after all steps of the first run.
    for (name, questions) in [("fp32", 1), ("bf16", 7)] {
      var asked = 0
      #expect(
        throws: CommandError.interrupted(
          "stopped after step 0 of 6 of \(name), seed 0",
          hint: "the same command with --resume goes on from there")
      ) {
        _ = try TrainingComparison(
          plan(parts, name == "fp32" ? .new : .resumed, recipes: [.bf16]),
          isStopped: {
            asked += 1
            return asked == questions
          })
      }
      let state = try Checkpoint(path: parts + "/\(name)/seed-0/state.safetensors")
      #expect(state.counters["step"] == 0)
    }
    let found = try TrainingComparison(plan(parts, .resumed, recipes: [.bf16]))
    #expect(losses(found) == losses(expected))
  }

  @Test("A run without a folder says that nothing is saved, and its status is not 130")
  func stopsUnsaved() throws {
    var plan = plan("", .new, recipes: [])
    plan.directory = nil
    var steps = 0
    let error = #expect(throws: CommandError.self) {
      try TrainingComparison(
        plan,
        isStopped: {
          steps += 1
          return steps == 3
        })
    }
    #expect(
      error
        == .abandoned(
          "stopped after step 2 of 6 of fp32, seed 0; without --out, nothing is saved"))
    #expect(error?.exitStatus == .checkFailed)
  }

  @Test("A folder in use is refused with the process that uses it, and free once that has ended")
  func locks() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("runs")
    try Folder.make(path)
    do {
      let lock = try RunLock(folder: path)
      for opening in [RunDirectory.Opening.new, .resumed] {
        #expect(
          throws: CommandError.input(
            "the folder \(path) is in use by another fmtbench train (process \(getpid()))")
        ) {
          try TrainingComparison(plan(path, opening, recipes: []))
        }
      }
      withExtendedLifetime(lock) {}
    }
    _ = try TrainingComparison(plan(path, .new, recipes: []))
    // A lock that is a link to another's file would empty it.
    let other = folder.path("other")
    try Data("text".utf8).write(to: URL(fileURLWithPath: other))
    try FileManager.default.removeItem(atPath: path + "/.lock")
    try FileManager.default.createSymbolicLink(
      atPath: path + "/.lock", withDestinationPath: other)
    #expect {
      try TrainingComparison(plan(path, .resumed, recipes: []))
    } throws: {
      ($0 as? CommandError)?.exitStatus == .input
    }
    #expect(FileManager.default.contents(atPath: other) == Data("text".utf8))
  }

  @Test("A text that is cut, changed or removed during a run changes nothing in it")
  func cutText() throws {
    let folder = try TemporaryFolder()
    let text = folder.path("book.txt")
    let book = Data((0..<20_000).map { UInt8($0 * $0 % 251) })
    try book.write(to: URL(fileURLWithPath: text))
    func plan(_ name: String) -> TrainingPlan {
      var plan = self.plan(folder.path(name), .new, recipes: [.bf16], seeds: 2)
      plan.setup.data = .text(path: text)
      return plan
    }
    let expected = try TrainingComparison(plan("whole"))
    var steps = 0
    let found = try TrainingComparison(
      plan("cut"),
      isStopped: {
        steps += 1
        if steps == 3 { #expect(truncate(text, 10) == 0) }
        if steps == 8 { unlink(text) }
        return false
      })
    #expect(losses(found) == losses(expected))
    #expect(steps == 24)
  }

  @Test("A run that diverged tells the same cause when it is read again")
  func keepsCauses() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("runs")
    var first = plan(path, .new, recipes: [.diverging])
    first.measurementInterval = 100
    let found = try TrainingComparison(first)
    let read = try TrainingComparison(plan(path, .resumed, recipes: [.diverging]))
    let cause = try #require(found.rows[1].divergences.first?.cause)
    #expect(cause.contains("the input of blocks.0.mlp.up as fp8_e4m3_tensor"))
    #expect(read.rows[1].divergences == found.rows[1].divergences)
  }

  @Test("A kept run is cast by recipes, and FP32 itself changes nothing")
  func evaluates() throws {
    let folder = try TemporaryFolder()
    let path = folder.path("runs")
    let trained = try TrainingComparison(plan(path, .new, recipes: []))
    let state = path + "/fp32/seed-0/state.safetensors"
    var evaluationPlan = EvaluationPlan(
      checkpointPath: state,
      recipes: [.fp32, .mxfp4, .fp8Delayed].map { GivenRecipe($0) },
      corruption: 0.5, batchCount: RunSetup.validationBatchCount)
    let evaluation = try evaluationPlan.run { _ in }
    #expect(evaluation.step == 6)
    let (clean, corrupted) = (evaluation.rows.prefix(3), evaluation.rows.suffix(3))
    #expect(clean.first?.result.loss == trained.rows[0].losses[0])
    #expect(clean.first?.result.logits.flipCount == 0)
    #expect(clean.first?.result.logits.percentile99 == 0)
    #expect(clean.dropFirst().allSatisfy { $0.result.logits.mean > 0 })
    #expect(zip(clean, corrupted).allSatisfy { $0.result.loss != $1.result.loss })

    // Metadata is another's word: a model larger than the file is not made.
    var checkpoint = try Checkpoint(path: state)
    (checkpoint.metadata["width"], checkpoint.metadata["layers"]) = ("8192", "1")
    evaluationPlan.checkpointPath = path + "/large.safetensors"
    try checkpoint.write(to: evaluationPlan.checkpointPath)
    #expect {
      try evaluationPlan.run { _ in }
    } throws: { error in
      guard case .input(let message)? = error as? CommandError else { return false }
      return message.contains("are too few for the model")
    }
    checkpoint.metadata["heads"] = "0"
    try checkpoint.write(to: evaluationPlan.checkpointPath)
    #expect {
      try evaluationPlan.run { _ in }
    } throws: { error in
      guard case .input(let message)? = error as? CommandError else { return false }
      return message.hasSuffix("heads: '0' is not an integer from 1 to 256")
    }
  }
}

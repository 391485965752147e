import BlockFormats
import FormatTestSupport
import LowPrecisionTraining
import Testing
import TrainingRecipes

@Suite("Released bits of training")
struct ReleasedTrainingTests {
  /// How many of the recorded ten steps run.
  private static let stepCount = ReleasedBits.isComplete ? 10 : 2

  @Test("The losses of the first steps under every recipe are those on record")
  func recipes() throws {
    let lines = try Recipe.catalog.map { recipe in
      (name: recipe.name, digests: try losses(.transformer, recipe))
    }
    let differences = try ReleasedBits("recipes").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  @Test("The losses of the first steps of every model are those on record")
  func models() throws {
    var lines: [(name: String, digests: [Digest])] = []
    for kind in ModelKind.allCases {
      for recipe in ["fp32", "bf16", "mxfp8", "nvfp4"] {
        lines.append(("\(kind.rawValue) \(recipe)", try losses(kind, .named(recipe))))
      }
    }
    let differences = try ReleasedBits("models").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  /// A digest for the loss of each step.
  private func losses(_ kind: ModelKind, _ recipe: Recipe) throws -> [Digest] {
    let model = try StackedModel(
      kind.configuration(vocabularyCount: 128, width: 32, depth: 2, headCount: 2, context: 16),
      recipe: recipe, seed: 5)
    let trainer = Trainer(
      model, on: SyntheticCorpus(plan: BatchPlan(batchCount: 2, contextCount: 16, seed: 1)),
      options: TrainingOptions(
        stepCount: Self.stepCount, schedule: .constant(3e-3), validationInterval: 100,
        validationBatchCount: 1, parallelism: .threads(1)),
      seed: 9)
    return trainer.run().curve.rows.map { row in
      var digest = Digest()
      digest.feed([Float(row.trainingLoss)])
      return digest
    }
  }
}

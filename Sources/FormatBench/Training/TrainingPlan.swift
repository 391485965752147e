import LowPrecisionTraining

/// What is trained, how often and on what.
struct TrainingPlan {
  var baseline: Recipe
  var recipes: [Recipe]
  var stepCount: Int
  var seedCount: Int
  var batchCount: Int
  var context: Int
  var width: Int
  var blockCount: Int
  var headCount: Int
  var learningRate: Double
  var textPath: String?

  /// The batches that a loss is measured on.
  static let validationBatchCount = 16

  /// The baseline, then the other recipes, each once.
  var allRecipes: [Recipe] {
    ([baseline] + recipes).reduce(into: []) { list, recipe in
      if !list.contains(where: { $0.name == recipe.name }) { list.append(recipe) }
    }
  }

  /// Refuses extents that make no model.
  func check() throws(CommandError) {
    guard width % headCount == 0 else {
      throw .usage("--width \(width) is not a multiple of --heads \(headCount)")
    }
    let memory = MachineFacts.current.memoryByteCount
    guard leastByteCount <= memory else {
      throw .usage(
        "a step needs at least \(leastByteCount >> 30) GiB, and this machine has \(memory >> 30)",
        hint: "attention weights grow with --batch, --heads, --layers and --context squared")
    }
  }

  /// Bytes that a step needs in any case.
  ///
  /// They hold the attention weights, and values, gradients and moments of the parameters of all blocks.
  /// No option in its range makes the number overflow.
  var leastByteCount: Int {
    let weights = blockCount * batchCount * headCount * context * context
    return 4 * weights + 16 * (12 * width * width * blockCount)
  }

  /// The data of a seed.
  func source(seed: Int) throws(CommandError) -> any TokenSource {
    let plan = BatchPlan(batchCount: batchCount, contextCount: context, seed: UInt64(seed))
    guard let textPath else { return SyntheticCorpus(plan: plan) }
    do throws(ByteCorpusError) {
      return try ByteCorpus(path: textPath, plan: plan)
    } catch {
      throw .input(error.description)
    }
  }

  /// The model of a seed.
  func model(_ recipe: Recipe, vocabularyCount: Int, seed: Int) -> StackedModel {
    StackedModel(
      .transformer(
        vocabularyCount: vocabularyCount, width: width, blockCount: blockCount,
        headCount: headCount, context: context), recipe: recipe, seed: UInt64(seed))
  }

  /// How a run goes.
  var options: TrainingOptions {
    TrainingOptions(
      stepCount: stepCount,
      schedule: .cosine(
        peak: learningRate, final: learningRate / 10, warmUp: stepCount / 10, total: stepCount),
      validationInterval: stepCount, validationBatchCount: Self.validationBatchCount)
  }
}

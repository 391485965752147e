import CommandLineToolkit
import LowPrecisionTraining
import SystemResources

/// The memory that runs of a setup need, counted before anything is allocated.
///
/// Numbers are bounds: factors are those of the operations that layers are made of, forward and back,
/// with room for the copies that a recipe's casts and rotations make.
extension RunSetup {
  /// What the memory is for.
  enum Purpose {
    /// Training one model at a time.
    case training(isKept: Bool)
    /// Casting one model by so many recipes at once.
    case casting(recipeCount: Int)
  }

  /// Refuses a setup for which there is not enough memory.
  func requireMemory(for purpose: Purpose) throws(CommandError) {
    try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
      try MemoryBudget.require(
        byteCount(for: purpose),
        for: "this model (less with another --batch, --context, --width or --layers)")
    }
  }

  /// The bytes of parameters, of what belongs to them, and of the activations of a step.
  func byteCount(for purpose: Purpose) -> Int {
    // A prepared operand of every product of FP32 numbers is as large as the weights; gradients and
    // two moments are, too. A save holds copies of weights and moments, and their bytes.
    let perParameter =
      switch purpose {
      case .training(let isKept): 4 * (4 + 3) + (isKept ? 4 * 6 : 0)
      case .casting(let recipeCount): 4 * 3 + (recipeCount + 1) * 4 * (2 + 1)
      }
    return perParameter * parameterBound + activationByteBound
  }

  /// Bytes of the activations and gradients of a step, at most.
  ///
  /// No option in its range makes the number overflow.
  var activationByteBound: Int {
    let (c, attention) = (width, model.attentionCount(depth: depth))
    let pair: Int
    switch model {
    case .transformer: pair = 40 * c
    case .mamba: pair = 146 * c
    // States of 64 numbers for each channel, and maps of 64 that do not grow with the width.
    case .mamba2: pair = 2 * mamba2Count
    case .hybrid: pair = mamba2Count + 24 * c
    case .moeHybrid: pair = mamba2Count + 60 * c
    }
    let isPredicting = model == .moeHybrid
    let ends = 40 * c + 400 + (isPredicting ? 60 * c : 0)
    let logits = (isPredicting ? 7 : 4) * Self.vocabularyBound
    let perToken =
      depth * pair + attention * (16 * c + headCount * context) + ends + logits
    return 4 * batchCount * context * perToken + Self.leastByteCount
  }

  /// Numbers of a Mamba-2 layer for each token; a chunk of 64 steps or fewer keeps one state.
  private var mamba2Count: Int { 50 * width + 1600 + 2 * width * 64 / min(context, 64) }

  /// Parameters, at most.
  var parameterBound: Int {
    let square =
      switch model {
      case .transformer, .mamba, .mamba2: 13
      case .hybrid: 18
      case .moeHybrid: 40
      }
    return depth * (square * width * width + 600 * width) + 20 * width * width
      + 2 * Self.vocabularyBound * width + context * width
  }

  /// Parameters that every model of these extents has at least: half of the projections of its layers.
  var leastParameterCount: Int { 6 * width * width * depth }

  /// The most tokens of a vocabulary: the bytes of a text.
  private static let vocabularyBound = 256
  /// What the memory of steps takes even for the smallest model.
  private static let leastByteCount = 16 << 20
}

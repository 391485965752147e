/// A run between two steps as arrays and counters, and back.
///
/// | name | holds |
/// |---|---|
/// | `blocks.0.mlp.up.weight` and the like | parameters |
/// | `optimizer.first.NAME` and the like | what the optimizer remembers of a parameter |
/// | `scaling.LAYER.TENSOR.PRODUCT` | history and then scale of a delayed scale |
/// | `counter.step`, `counter.seed`, `counter.optimizer_steps` | whole numbers |
extension Trainer {
  /// The state of the run; the curve is not part of it.
  public func checkpoint() -> Checkpoint {
    var arrays = optimizer.state
    for parameter in model.parameters {
      arrays[parameter.name] = Checkpoint.Array(shape: parameter.shape, values: parameter.array)
    }
    for quantization in model.quantizations {
      arrays.merge(quantization.scalingState) { $1 }
    }
    return Checkpoint(
      arrays: arrays,
      counters: [
        "step": Int64(step), "seed": Int64(seed), "optimizer_steps": Int64(optimizer.stepCount),
      ])
  }

  /// Takes up a run where a checkpoint left it: what follows is what would have followed there, bit
  /// for bit.
  ///
  /// - Parameters:
  ///   - checkpoint: of a trainer with equal model, options and seed.
  ///   - curve: the losses up to there; later rows are dropped.
  ///   - path: names the checkpoint in errors.
  /// - Throws: `.mismatch` if names, shapes or counters are not those of this run's checkpoints, or
  ///   the curve does not reach the checkpoint's step.
  public func restore(
    _ checkpoint: Checkpoint, curve: LossCurve, path: String
  ) throws(CheckpointError) {
    let own = self.checkpoint()
    try checkpoint.requireShapes(of: own, path: path)
    let counters = checkpoint.counters
    var curve = curve
    let step = Int(counters["step"] ?? -1)
    curve.removeRows(from: max(step, 0))
    guard counters["seed"] == own.counters["seed"], (0...options.stepCount).contains(step),
      let optimizerSteps = counters["optimizer_steps"], (0...Int64(step)).contains(optimizerSteps),
      curve.rows.count == step
    else {
      throw .otherRun(path: path, step: step, curveRows: curve.rows.count)
    }
    guard model.quantizations.allSatisfy({ $0.canRestoreScaling(checkpoint.arrays) }) else {
      throw .badScale(path: path)
    }
    for parameter in model.parameters {
      parameter.replace(with: checkpoint.arrays[parameter.name]?.values ?? [])
    }
    optimizer.restore(checkpoint.arrays, stepCount: Int(optimizerSteps))
    for quantization in model.quantizations { quantization.restoreScaling(checkpoint.arrays) }
    self.step = step
    self.curve = curve
  }
}

extension Checkpoint {
  /// Refuses a checkpoint whose arrays and counters are not those of another.
  func requireShapes(of other: Checkpoint, path: String) throws(CheckpointError) {
    var mismatch = CheckpointMismatch()
    for (name, array) in other.arrays {
      guard let found = arrays[name] else {
        mismatch.missing.append(name)
        continue
      }
      if found.shape != array.shape { mismatch.add(name, array.shape, found.shape) }
    }
    mismatch.missing += other.counters.keys.filter { counters[$0] == nil }
    mismatch.unexpected += arrays.keys.filter { other.arrays[$0] == nil }
    if !mismatch.isEmpty { throw .mismatch(path: path, mismatch.sorted()) }
  }
}

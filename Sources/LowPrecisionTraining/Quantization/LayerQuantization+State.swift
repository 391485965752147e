import TrainingRecipes

/// Delayed scales in checkpoints: for each use an array of its history, slot after slot, and then its
/// scale.
extension LayerQuantization {
  /// The arrays by name.
  var scalingState: [String: Checkpoint.Array] {
    Dictionary(
      uniqueKeysWithValues: scalings.map { use, scaling in
        let values = scaling.history + [scaling.scale]
        return (name(of: use), Checkpoint.Array(shape: [values.count], values: values))
      })
  }

  /// Whether all scales are ones that a scaling can have.
  ///
  /// - Precondition: every name of `scalingState` with its shape.
  func canRestoreScaling(_ state: [String: Checkpoint.Array]) -> Bool {
    scalings.keys.allSatisfy { use in
      let scale = state[name(of: use)]?.values.last ?? .nan
      return scale.isFinite && scale >= .leastNormalMagnitude
    }
  }

  /// Replaces histories and scales.
  ///
  /// - Precondition: `canRestoreScaling`.
  func restoreScaling(_ state: [String: Checkpoint.Array]) {
    for (use, scaling) in scalings {
      guard let values = state[name(of: use)]?.values, let scale = values.last else { continue }
      scalings[use] = DelayedScale(
        scaling.rule, greatestElement: scaling.greatestElement,
        history: Array(values.dropLast()), scale: scale)
    }
  }

  private func name(of use: Use) -> String {
    "scaling.\(place.name).\(use.tensor.rawValue).\(use.product.rawValue)"
  }
}

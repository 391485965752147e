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

  /// Replaces histories and scales.
  ///
  /// - Returns: false where a number is one that no scaling has.
  /// - Precondition: every name of `scalingState` with its shape.
  func restoreScaling(_ state: [String: Checkpoint.Array]) -> Bool {
    for (use, scaling) in scalings {
      guard let values = state[name(of: use)]?.values, let scale = values.last,
        scale.isFinite && scale >= .leastNormalMagnitude
      else { return false }
      scalings[use] = DelayedScaling(
        scaling.parameters, greatestElement: scaling.greatestElement,
        history: Array(values.dropLast()), scale: scale)
    }
    return true
  }

  private func name(of use: Use) -> String {
    "scaling.\(place.name).\(use.tensor.rawValue).\(use.product.rawValue)"
  }
}

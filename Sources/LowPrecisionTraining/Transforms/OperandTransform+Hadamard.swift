public import TrainingRecipes

extension OperandTransform {
  /// The transform in one step of a run.
  public func hadamard(_ streams: RandomStreams, step: Int) -> HadamardTransform {
    switch signs {
    case .positive: HadamardTransform(length: length)
    case .perRun: HadamardTransform(signs: streams.signs(count: length))
    case .perStep: HadamardTransform(signs: streams.signs(count: length, step: step))
    }
  }
}

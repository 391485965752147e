internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// y[i] = table[tokens[i]].
  ///
  /// Letters: V tokens of the vocabulary, C channels. table: V x C, y: `shape` x C.
  ///
  /// - Precondition: a table of two axes, and as many tokens as `shape` has, each below V.
  public func embedding(
    of tokens: [Int32], shape: [Int], table: Parameter
  ) -> Activation {
    require(table.shape.count == 2, "a table of shape \(table.shape) is not a matrix")
    let (v, c) = (table.shape[0], table.shape[1])
    require(
      tokens.count == shape.reduce(1, *), "\(tokens.count) tokens for a batch of \(shape)")
    let y = activation(shape + [c])
    for (index, token) in tokens.enumerated() {
      require((0..<v).contains(Int(token)), "token \(token) of a vocabulary of \(v)")
      (y.values + index * c).update(from: table.values + Int(token) * c, count: c)
    }
    record(y, reading: [table]) { [self] dy in
      // In order of the tokens, which may come again.
      for (index, token) in tokens.enumerated() {
        let row = table.gradient + Int(token) * c
        execution.kernels.pointee.add(row, dy + index * c, c, row)
      }
    }
    return y
  }
}

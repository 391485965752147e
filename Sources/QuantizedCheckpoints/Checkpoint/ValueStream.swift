internal import BlockFormats

/// The values of a tensor in portions that somebody else decides, such as another tensor's pieces.
struct ValueStream {
  private let tensor: CheckpointTensor
  private let pieceCount: Int
  private let parallelism: Parallelism
  private var index = 0
  private var held: ArraySlice<Float> = []

  init(_ tensor: CheckpointTensor, _ parallelism: Parallelism) {
    self.tensor = tensor
    self.parallelism = parallelism
    pieceCount = tensor.valueRanges().count
  }

  /// The next values, fewer at the end.
  mutating func next(_ count: Int) throws(ModelCheckpointError) -> [Float] {
    while held.count < count, index < pieceCount {
      let piece = try tensor.values(at: index, parallelism: parallelism)
      index += 1
      if held.isEmpty {
        if piece.count == count { return piece }
        held = piece[...]
      } else {
        held += piece
      }
    }
    let portion = Array(held.prefix(count))
    held = held.dropFirst(count)
    return portion
  }
}

internal import BlockFormats
internal import CallerChecks

/// The values of a tensor in portions that somebody else decides, such as another tensor's pieces.
struct ValueStream {
  private let tensor: CheckpointTensor
  private let pieceCount: Int
  private let parallelism: Parallelism
  private let orientation: QuantizedStorage.Orientation
  private var index = 0
  private var held: ArraySlice<Float> = []
  private var exchanged: ArraySlice<Float> = []

  /// - Parameter orientation: how the values are handed out.
  /// - Precondition: axes are exchanged of a tensor of at least two.
  init(
    _ tensor: CheckpointTensor, _ parallelism: Parallelism,
    orientation: QuantizedStorage.Orientation = .stored
  ) {
    require(
      orientation == .stored || tensor.shape.count >= 2,
      "a tensor of shape \(tensor.shape) has no two axes to exchange")
    self.tensor = tensor
    self.orientation = orientation
    self.parallelism = parallelism
    pieceCount = tensor.valueRanges().count
  }

  /// The next values, fewer at the end.
  mutating func next(_ count: Int) throws(ModelCheckpointError) -> [Float] {
    guard orientation == .lastAxesExchanged else { return try stored(count) }
    let (rows, columns) = (
      tensor.shape[tensor.shape.count - 2], tensor.shape[tensor.shape.count - 1]
    )
    while exchanged.count < count {
      let matrix = try stored(rows * columns)
      guard !matrix.isEmpty else { break }
      exchanged += CheckpointTensor.exchanged(matrix, rows, columns)
    }
    let portion = Array(exchanged.prefix(count))
    exchanged = exchanged.dropFirst(count)
    return portion
  }

  /// The next values in the order of the tensor.
  private mutating func stored(_ count: Int) throws(ModelCheckpointError) -> [Float] {
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

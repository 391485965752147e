public import BlockFormats
internal import CallerChecks
internal import UntrustedText

/// A tensor of a model, however its files store it.
public struct CheckpointTensor: Sendable {
  /// The name that a program knows it by, such as `model.layers.0.mlp.up_proj.weight`.
  public let name: String
  /// The extents that a program sees, outermost first.
  public let shape: [Int]
  /// What holds its values.
  public let contents: Contents
  /// What in the files decided that, in a few words; empty for tensors that are stored as they are.
  public let reason: String

  /// What holds the values of a tensor.
  public enum Contents: Sendable {
    /// One stored tensor of values.
    case plain(StoredTensor)
    /// Codes and scales.
    case quantized(QuantizedStorage)
  }

  /// The product of the extents.
  public var elementCount: Int { shape.reduce(1, *) }

  /// The bytes of its stored tensors, without companions.
  public var byteCount: Int {
    switch contents {
    case .plain(let stored): stored.byteCount
    case .quantized(let storage): storage.byteCount
    }
  }

  /// The name in a form safe to show to people.
  public var printableName: String { printable(name) }

  /// How a quantized tensor is stored; nil for one that is stored as it is.
  public var quantizedStorage: QuantizedStorage? {
    if case .quantized(let storage) = contents { storage } else { nil }
  }

  /// The elements that are read at a time.
  static let pieceLimit = 1 << 20

  /// The values as FP32 numbers.
  ///
  /// - Throws: what reading throws; `.tensor` where nothing reads the type as numbers.
  public func dequantized(parallelism: Parallelism = .allCores) throws(ModelCheckpointError)
    -> Tensor
  {
    var values: [Float] = []
    values.reserveCapacity(elementCount)
    try forEachPiece(parallelism: parallelism) { (piece, _) throws(ModelCheckpointError) in
      values += piece
    }
    return Tensor(values, shape: shape)
  }

  /// Runs `body` with the values piece by piece, in order.
  ///
  /// - Parameter body: gets the values and the position of the first one, counted row-major.
  func forEachPiece(
    parallelism: Parallelism, _ body: ([Float], Int) throws(ModelCheckpointError) -> Void
  ) throws(ModelCheckpointError) {
    for (index, range) in valueRanges().enumerated() {
      try body(try values(at: index, parallelism: parallelism), range.lowerBound)
    }
  }

  /// The elements of each piece, counted row-major, in order.
  func valueRanges() -> [Range<Int>] {
    switch contents {
    case .plain(let stored):
      return stride(from: 0, to: max(stored.elementCount, 1), by: Self.pieceLimit).map {
        $0..<min($0 + Self.pieceLimit, stored.elementCount)
      }
    case .quantized(let storage): return pieces(of: storage).ranges
    }
  }

  /// The values of a piece.
  func values(at index: Int, parallelism: Parallelism) throws(ModelCheckpointError) -> [Float] {
    switch contents {
    case .plain(let stored):
      let first = index * Self.pieceLimit
      return try stored.floats(in: first..<min(first + Self.pieceLimit, stored.elementCount))
    case .quantized(let storage):
      let values = try storage.values(pieces(of: storage), index, parallelism: parallelism)
      guard storage.orientation == .lastAxesExchanged else { return values }
      let (rows, columns) = Self.matrix(of: storage)
      return Self.exchanged(values, rows, columns)
    }
  }

  private func pieces(of storage: QuantizedStorage) -> TensorPieces {
    guard storage.orientation == .lastAxesExchanged else {
      return storage.pieces(limit: Self.pieceLimit)
    }
    // Whole matrices alone can be exchanged.
    let (rows, columns) = Self.matrix(of: storage)
    return storage.pieces(limit: max(rows * columns, 1))
  }

  private static func matrix(of storage: QuantizedStorage) -> (rows: Int, columns: Int) {
    (storage.shape[storage.shape.count - 2], storage.shape[storage.shape.count - 1])
  }

  /// Matrices with rows and columns exchanged.
  static func exchanged(_ values: [Float], _ rows: Int, _ columns: Int) -> [Float] {
    require(
      values.count % max(rows * columns, 1) == 0,
      "\(values.count) values are no matrices of \(rows) by \(columns)")
    var result = values
    for matrix in stride(from: 0, to: values.count, by: max(rows * columns, 1)) {
      for row in 0..<rows {
        for column in 0..<columns {
          result[matrix + column * rows + row] = values[matrix + row * columns + column]
        }
      }
    }
    return result
  }

  /// The tensor under another name, with its rows in another order.
  ///
  /// - Throws: `.tensor` where the rows cannot be ordered so.
  func renamed(_ name: String, _ order: RowOrder) throws(ModelCheckpointError) -> CheckpointTensor {
    let rows = shape.dropLast().reduce(1, *)
    // A bias is a row for each value.
    let isVector = shape.count == 1
    guard order.fits(rows: isVector ? shape[0] : rows) else {
      throw .tensor(
        path: storedParts[0].path, name: self.name,
        reason: "\(isVector ? shape[0] : rows) rows are not those of whole heads")
    }
    switch contents {
    case .plain(var stored):
      if isVector && order != .stored {
        guard stored.type.floatEncoding != nil else {
          throw .tensor(path: stored.path, name: self.name, reason: "\(stored.type) has no rows")
        }
        stored = stored.asColumn
      }
      stored.name = name
      stored.rowOrder = order
      return CheckpointTensor(name: name, shape: shape, contents: .plain(stored), reason: reason)
    case .quantized(var storage):
      let isOfRows =
        switch storage.format.layout.block {
        case .vector, .row: true
        case .run, .tile, .tensor: false
        }
      guard order == .stored || isOfRows && !isVector else {
        throw .tensor(
          path: storedParts[0].path, name: self.name,
          reason: "blocks of \(storage.format.layout.block.id) span rows that change places")
      }
      storage.rowOrder = order
      return CheckpointTensor(
        name: name, shape: shape, contents: .quantized(storage), reason: reason)
    }
  }
}

extension StoredTensor {
  /// A vector as a matrix of one column, whose rows are its values.
  fileprivate var asColumn: StoredTensor {
    StoredTensor(
      name: name, type: type, shape: shape + [1], elementCount: elementCount,
      byteCount: byteCount, source: source)
  }
}

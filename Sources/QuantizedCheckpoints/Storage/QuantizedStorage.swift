public import BlockFormats
internal import CallerChecks

/// How a quantized tensor lies in the files of a checkpoint.
public struct QuantizedStorage: Sendable {
  /// The block format.
  ///
  /// Its default policy holds the choices of the producer as far as the files tell them.
  public let format: any BlockFormat
  /// Whose way of storing it is.
  public let dialect: Dialect
  /// The extents as blocks see them, which run along the last axis.
  public let shape: [Int]
  /// How the values lie in the tensor that a program sees.
  public let orientation: Orientation
  /// Stored tensors that belong to it and say nothing of its values, such as scales of activations.
  public let companions: [StoredTensor]
  let contents: Contents
  /// In which order its rows are handed out.
  var rowOrder = RowOrder.stored

  /// How the values of a tensor lie in the one that a program sees.
  public enum Orientation: Hashable, Sendable {
    /// As they are stored.
    case stored
    /// With the last two axes exchanged, as transformers hands out gpt-oss' experts.
    case lastAxesExchanged
  }

  /// The extents of a tensor with its last two exchanged where an orientation has them so.
  static func shape(_ shape: [Int], in orientation: Orientation) -> [Int] {
    guard orientation == .lastAxesExchanged, shape.count >= 2 else { return shape }
    var shape = shape
    shape.swapAt(shape.count - 1, shape.count - 2)
    return shape
  }

  enum Contents: Sendable {
    /// A part for each field of the format's layout.
    case fields([StoredPart])
    /// All fields of a block together, and a factor for each of the outermost extents, or for all.
    case blocks(StoredTensor, BlockPacking, factors: StoredTensor?)
    /// A tensor that was read whole, with what holds it.
    case whole(QuantizedTensor, [StoredTensor])
  }

  /// The stored tensors that its values come from, those of codes first.
  public var parts: [StoredTensor] {
    switch contents {
    case .fields(let parts): parts.compactMap(\.stored)
    case .blocks(let stored, _, let factors): [stored] + (factors.map { [$0] } ?? [])
    case .whole(_, let stored): stored
    }
  }

  /// The bytes of codes and scales.
  public var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }

  /// Reads all of it.
  ///
  /// - Throws: `.tensor` where the stored bytes are none of the format, or what reading throws.
  public func quantized() throws(ModelCheckpointError) -> QuantizedTensor {
    try quantized(pieces(limit: .max), 0)
  }

  /// The values of a piece, in the producer's arithmetic.
  func values(
    _ pieces: TensorPieces, _ index: Int, parallelism: Parallelism
  ) throws(ModelCheckpointError) -> [Float] {
    let piece = try quantized(pieces, index)
    let outer = try outerScale()
    return try checked { () throws(StorageError) in
      try piece.dequantized(
        outer, firstElement: pieces.ranges[index].lowerBound, parallelism: parallelism)
    }.elements
  }

  /// What the producer stores above the scales of blocks; nil where values are as the format defines them.
  func outerScale() throws(ModelCheckpointError) -> OuterScale? {
    let count = shape.reduce(1, *)
    switch contents {
    case .fields(let parts):
      guard let field = format.layout.tensorField, format.layout.fields.count == 3,
        dialect.scaleOrder != .format
      else { return nil }
      var number = try parts[field].stored?.floats(in: 0..<1)[0] ?? 1
      if dialect.scaleOrder == .scalesFirst, case .tensorScale(let form) = parts[field].coding {
        number = form.multiplier(of: number)
      }
      return OuterScale(order: dialect.scaleOrder, stored: [number], share: max(count, 1))
    case .blocks(_, _, let factors):
      guard let factors else { return nil }
      return OuterScale(
        order: .scalesFirst, stored: try factors.floats(in: 0..<factors.elementCount),
        share: max(count / max(factors.elementCount, 1), 1))
    case .whole: return nil
    }
  }

  /// The tensor cut into pieces of at most `limit` elements, where its blocks allow that.
  func pieces(limit: Int) -> TensorPieces {
    var limit = limit
    // Rows in another order may come from anywhere.
    if case .whole = contents { limit = .max }
    if rowOrder != .stored { limit = .max }
    return TensorPieces(ofPlanes: format, shape: shape, limit: limit)
  }

  /// Reads a piece as a tensor of its own.
  func quantized(_ pieces: TensorPieces, _ index: Int) throws(ModelCheckpointError)
    -> QuantizedTensor
  {
    let range = pieces.ranges[index]
    let own = pieces.shape(of: range)
    let piece =
      switch contents {
      case .fields(let parts): try assembled(parts, range, own)
      case .blocks(let stored, let packing, _): try assembled(stored, packing, range, own)
      case .whole(let tensor, _): tensor
      }
    let order = rowOrder
    return try checked { () throws(StorageError) in try piece.ordered(order) }
  }

  private func assembled(
    _ parts: [StoredPart], _ range: Range<Int>, _ own: [Int]
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    let slices = PlaneSlices(format.layout, shape: shape, piece: own, range)
    var planes: [BitPlane] = []
    for (index, part) in parts.enumerated() {
      let slice = slices.slice(of: index)
      planes.append(
        BitPlane(
          rowCount: slice.own.rowCount, rowLength: slice.own.rowLength,
          bitWidth: slice.own.bitWidth, bytes: try part.planeBytes(slice)))
    }
    return try checked { () throws(StorageError) in
      try QuantizedTensor(format: format, shape: own, planes: planes)
    }
  }

  private func assembled(
    _ stored: StoredTensor, _ packing: BlockPacking, _ range: Range<Int>, _ own: [Int]
  ) throws(ModelCheckpointError) -> QuantizedTensor {
    let length = format.layout.block.elementCount ?? 1
    let blockBytes = packing.streams[0].byteCount
    let bytes = try stored.bytes(
      in: range.lowerBound / length * blockBytes..<(range.upperBound + length - 1) / length
        * blockBytes)
    return try checked { () throws(StorageError) in
      try QuantizedTensor(format: format, shape: own, packing: packing, streams: [bytes])
    }
  }

  private func checked<Result>(
    _ body: () throws(StorageError) -> Result
  ) throws(ModelCheckpointError) -> Result {
    do {
      return try body()
    } catch {
      throw .tensor(path: parts[0].path, name: parts[0].name, reason: error.description)
    }
  }
}

import CallerChecks

extension QuantizedTensor {
  /// The stored bits in a producer's places.
  ///
  /// - Parameter packing: one of the format's.
  /// - Returns: the bytes of each stream. A short last block of runs ends with its last whole byte.
  /// - Precondition: blocks are vectors along the last axis that divide it, or runs; nothing is stored
  ///   for the tensor; the packing has a place for every code (ggml's bytes of TQ1_0 hold no code 3,
  ///   which has no value).
  public func packed(as packing: BlockPacking) -> [[UInt8]] {
    let blocks = blocks(for: packing)
    var streams = packing.streams.map { stream in
      [UInt8](repeating: 0, count: stream.byteCount * blocks.count)
    }
    let codes = planes.map { $0.unpacked() }
    for block in 0..<blocks.count {
      let own = zip(codes, blocks.codeCounts).map { codes, perBlock in
        (block * perBlock..<(block + 1) * perBlock).map { position in
          codes.indices.contains(position) ? codes[position] : packing.padding
        }
      }
      blocks.coder.store(own, into: &streams, block: block)
    }
    for (stream, excess) in blocks.excess.enumerated() { streams[stream].removeLast(excess) }
    return streams
  }

  /// Assembles a tensor from a producer's bytes.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the tensor's shape; blocks run along the last axis.
  ///   - policy: the choices that were followed, for the record.
  ///   - packing: one of the format's.
  ///   - streams: the bytes of each stream.
  /// - Precondition: nothing is stored for the tensor.
  public init(
    format: some BlockFormat, shape: [Int], policy: EncodingPolicy? = nil,
    packing: BlockPacking, streams: [[UInt8]]
  ) throws(StorageError) {
    let empty = try QuantizedTensor(zeros: format, shape: shape)
    guard empty.isWhole else { throw .blocksNotWhole(shape, block: format.layout.block.id) }
    let blocks = empty.blocks(for: packing)
    guard streams.count == packing.streams.count else {
      throw .wrongCount(
        field: "the streams of \(packing.name)", expected: packing.streams.count,
        actual: streams.count)
    }
    for (index, stream) in packing.streams.enumerated() {
      let expected = stream.byteCount * blocks.count - blocks.excess[index]
      guard streams[index].count == expected else {
        throw .wrongCount(field: stream.name, expected: expected, actual: streams[index].count)
      }
    }
    var codes = blocks.codeCounts.map { perBlock in
      var codes: [UInt32] = []
      codes.reserveCapacity(perBlock * blocks.count)
      return codes
    }
    for block in 0..<blocks.count {
      for (field, own) in blocks.coder.load(streams, block: block).enumerated() {
        let plane = empty.planes[field]
        codes[field] += own.prefix(plane.rowCount * plane.rowLength - codes[field].count)
      }
    }
    let fields = Dictionary(
      uniqueKeysWithValues: zip(format.layout.fields.map(\.name), codes))
    try self.init(format: format, shape: shape, policy: policy, codes: fields)
  }

  /// The blocks of a tensor as a packing sees them.
  private struct PackedBlocks {
    let coder: BlockPacking.Coder
    let count: Int
    /// The codes of each field of a whole block.
    let codeCounts: [Int]
    /// The bytes of each stream that a whole last block would have more.
    let excess: [Int]
  }

  private func blocks(for packing: BlockPacking) -> PackedBlocks {
    let layout = format.layout
    require(
      isWhole && layout.tensorField == nil && layout.numberField == nil,
      """
      blocks of \(layout.block.id) along axis \(axis) of shape \(shape) have no \(packing.name) \
      bytes
      """)
    let length = layout.block.elementCount ?? 1
    let coder = BlockPacking.Coder(packing, layout, elementCount: length)
    let lastBytes = coder.lastBytes(layout, used: elementCount % length)
    return PackedBlocks(
      coder: coder, count: (elementCount + length - 1) / length,
      codeCounts: layout.codeCounts(ofBlock: length),
      excess: zip(packing.streams, lastBytes).map { $0.byteCount - $1 })
  }

  /// Whether blocks follow each other in memory and all but the last of runs are whole.
  private var isWhole: Bool {
    switch format.layout.block {
    case .run: true
    case .vector(let length): axis == max(shape.count, 1) - 1 && (shape.last ?? 1) % length == 0
    case .row, .tile, .tensor: false
    }
  }

  /// A tensor of zero codes.
  private init(zeros format: some BlockFormat, shape: [Int]) throws(StorageError) {
    guard Tensor.isValid(shape: shape) else { throw .badShape(shape) }
    try self.init(
      format: format, shape: shape,
      planes: StorageLayout(of: format.layout, shape: shape).zeros)
  }
}

import CallerChecks

extension QuantizedTensor {
  /// The stored bits in a producer's places.
  ///
  /// - Parameter packing: one of the format's.
  /// - Returns: the bytes of each stream. A short last block of runs ends with its last whole byte.
  /// - Precondition: blocks are vectors along the last axis that divide it, or runs; nothing is stored
  ///   for the tensor.
  public func packed(as packing: BlockPacking) -> [[UInt8]] {
    let (length, counts) = blocks(for: packing)
    let layout = format.layout
    let places = packing.places(layout, elementCount: length)
    var streams = packing.streams.map { stream in
      [UInt8](repeating: 0, count: stream.byteCount * counts.blocks)
    }
    for (field, perBlock) in layout.codeCounts(ofBlock: length).enumerated() {
      let codes = planes[field].unpacked()
      for block in 0..<counts.blocks {
        for index in 0..<perBlock {
          let position = block * perBlock + index
          let code = codes.indices.contains(position) ? codes[position] : packing.padding
          for (bit, place) in places[field][index].enumerated() where code >> UInt32(bit) & 1 == 1 {
            let byte = block * packing.streams[place.stream].byteCount + place.bit / 8
            streams[place.stream][byte] |= 1 << UInt8(place.bit % 8)
          }
        }
      }
    }
    // Behind the last element of a short run there is nothing but the rest of its byte.
    if counts.rest > 0 {
      for (stream, bytes) in counts.lastBytes.enumerated() {
        streams[stream].removeLast(packing.streams[stream].byteCount - bytes)
      }
    }
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
    let (length, counts) = empty.blocks(for: packing)
    guard streams.count == packing.streams.count else {
      throw .wrongCount(
        field: "the streams of \(packing.name)", expected: packing.streams.count,
        actual: streams.count)
    }
    for (index, stream) in packing.streams.enumerated() {
      let short = counts.rest > 0 ? stream.byteCount - counts.lastBytes[index] : 0
      let expected = stream.byteCount * counts.blocks - short
      guard streams[index].count == expected else {
        throw .wrongCount(field: stream.name, expected: expected, actual: streams[index].count)
      }
    }
    let layout = format.layout
    let places = packing.places(layout, elementCount: length)
    var fields: [String: [UInt32]] = [:]
    for (field, perBlock) in layout.codeCounts(ofBlock: length).enumerated() {
      let count = empty.planes[field].rowCount * empty.planes[field].rowLength
      fields[layout.fields[field].name] = (0..<count).map { position in
        let (block, index) = position.quotientAndRemainder(dividingBy: perBlock)
        return places[field][index].enumerated().reduce(UInt32(0)) { code, entry in
          let (bit, place) = entry
          let byte = block * packing.streams[place.stream].byteCount + place.bit / 8
          return code | UInt32(streams[place.stream][byte] >> UInt8(place.bit % 8) & 1)
            << UInt32(bit)
        }
      }
    }
    try self.init(format: format, shape: shape, policy: policy, codes: fields)
  }

  /// The length of a block and how many the tensor has.
  private func blocks(
    for packing: BlockPacking
  ) -> (length: Int, counts: (blocks: Int, rest: Int, lastBytes: [Int])) {
    let block = format.layout.block
    require(
      isWhole && format.layout.tensorField == nil && format.layout.numberField == nil,
      "blocks of \(block.id) along axis \(axis) of shape \(shape) have no \(packing.name) bytes")
    let length = block.elementCount ?? 1
    let rest = elementCount % length
    let lastBytes = packing.lastBytes(format.layout, elementCount: length, used: rest)
    return (length, ((elementCount + length - 1) / length, rest, lastBytes))
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

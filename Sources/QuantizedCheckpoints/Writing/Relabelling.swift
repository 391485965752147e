internal import BlockFormats

/// A quantized tensor in another dialect's form, with the same codes.
struct Relabelling: Sendable {
  /// The tensor.
  let tensor: CheckpointTensor
  /// How it is stored now.
  let source: QuantizedStorage
  /// How it will be stored.
  let form: DialectForm
  /// What the new dialect stores above the scales of blocks; nil where values are as the format defines them.
  let outer: OuterScale?

  /// The planes of a piece in the new form.
  func planes(of piece: QuantizedTensor) -> [BitPlane] {
    var planes = Array(piece.planes.prefix(2))
    if piece.format.isSame(as: form.format) && form.format.layout.tensorField == nil {
      return piece.planes
    }
    let scales = planes[1]
    if form.format is GGMLNVFP4Format && !(piece.format is GGMLNVFP4Format) {
      // The scales of ggml have no sign, which those of others never have set.
      planes[1] = BitPlane(
        rowCount: scales.rowCount, rowLength: scales.rowLength, bitWidth: 8,
        bytes: scales.bytes.map { $0 & 0x7F })
    }
    if form.format.layout.tensorField != nil {
      let multiplier = outerMultiplier ?? piece.tensorScale ?? 1
      planes.append(
        BitPlane(rowCount: 1, rowLength: 1, bitWidth: 32, codes: [multiplier.bitPattern]))
    }
    return planes
  }

  /// The factor of the tensor that decodes; nil where there is not one.
  private var outerMultiplier: Float? {
    guard let outer, outer.stored.count == 1 else { return nil }
    return outer.order == .quotientFirst ? 1 / outer.stored[0] : outer.stored[0]
  }

  /// Counts the blocks whose values stay as they are.
  func losslessCount(
    parallelism: Parallelism
  ) throws(ModelCheckpointError) -> (lossless: Int, all: Int) {
    let pieces = source.pieces(limit: CheckpointTensor.pieceLimit)
    let length = source.format.layout.block.elementCount ?? max(source.shape.last ?? 1, 1)
    var (lossless, all) = (0, 0)
    for (index, range) in pieces.ranges.enumerated() {
      let before = try source.values(pieces, index, parallelism: parallelism)
      let piece = try source.quantized(pieces, index)
      let after = try relabelled(piece, at: range.lowerBound, parallelism)
      var start = 0
      while start < before.count {
        let end = min(start + length, before.count)
        all += 1
        if (start..<end).allSatisfy({ Self.isSame(before[$0], after[$0]) }) { lossless += 1 }
        start = end
      }
    }
    return (lossless, all)
  }

  private static func isSame(_ a: Float, _ b: Float) -> Bool { a == b || a.isNaN && b.isNaN }

  /// The values of a piece in the new form.
  private func relabelled(
    _ piece: QuantizedTensor, at first: Int, _ parallelism: Parallelism
  ) throws(ModelCheckpointError) -> [Float] {
    do throws(StorageError) {
      let relabelled = try QuantizedTensor(
        format: form.format, shape: piece.shape, planes: planes(of: piece))
      return try relabelled.dequantized(outer, firstElement: first, parallelism: parallelism)
        .elements
    } catch {
      throw .tensor(path: source.parts[0].path, name: tensor.name, reason: error.description)
    }
  }

  /// The tensor on its way to a file.
  func output() -> OutputTensor {
    OutputTensor(
      name: tensor.name, sourceByteCount: tensor.byteCount, parts: form.parts.map(\.description)
    ) { writer throws(ModelCheckpointError) in
      let pieces = source.pieces(limit: CheckpointTensor.pieceLimit)
      for (index, range) in pieces.ranges.enumerated() {
        let piece = try source.quantized(pieces, index)
        let encoded: QuantizedTensor
        do throws(StorageError) {
          encoded = try QuantizedTensor(
            format: form.format, shape: piece.shape, planes: planes(of: piece))
        } catch {
          throw .tensor(path: source.parts[0].path, name: tensor.name, reason: error.description)
        }
        try form.write(encoded, range, to: &writer)
      }
      try form.writeConstants(to: &writer)
    }
  }
}

extension DialectForm {
  /// Writes a piece.
  func write(
    _ piece: QuantizedTensor, _ elements: Range<Int>, to writer: inout PartWriter
  ) throws(ModelCheckpointError) {
    let slices = PlaneSlices(format.layout, shape: shape, piece: piece.shape, elements)
    for (index, part) in parts.enumerated() {
      switch part.contents {
      case .field(let field, let coding):
        guard elements.lowerBound == 0 || !slices.isWhole(field) else { continue }
        let (bytes, offset) = coding.stored(
          piece.planes[field].bytes, of: slices.slice(of: field))
        try writer.write(bytes, of: index, at: offset)
      case .blocks(let packing):
        let length = format.layout.block.elementCount ?? 1
        try writer.write(
          piece.packed(as: packing)[0], of: index,
          at: elements.lowerBound / length * packing.streams[0].byteCount)
      case .constant: break
      }
    }
  }

  /// Writes what is the same whatever the values are.
  func writeConstants(to writer: inout PartWriter) throws(ModelCheckpointError) {
    for (index, part) in parts.enumerated() {
      guard case .constant(let bytes) = part.contents else { continue }
      try writer.write(bytes, of: index, at: 0)
    }
  }
}

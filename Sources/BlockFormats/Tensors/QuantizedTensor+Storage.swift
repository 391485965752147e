/// Why stored fields are not a tensor of a format.
public enum StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A field has another number of codes or bytes than shape and format demand.
  case wrongCount(field: String, expected: Int, actual: Int)
  /// Bits of a row's last byte that belong to no code are not zero.
  case paddingNotZero(field: String, row: Int)
  /// A code does not fit in the field's bits.
  case codeTooLarge(field: String, code: UInt32, bitWidth: Int)
  /// The format stores nothing of this name.
  case unknownField(String, known: [String])
  /// A plane has other extents than shape and format demand.
  case wrongPlane(field: String, expected: PlaneLayout, actual: PlaneLayout)
  /// Blocks that a producer stores whole do not divide the last axis.
  case blocksNotWhole([Int], block: String)
  /// The shape has a negative extent, or more elements than `Tensor.isValid(shape:)` allows.
  case badShape([Int])
  /// The axis is not one of the shape's.
  case badAxis(Int, rank: Int)

  /// One line with the numbers.
  public var description: String {
    switch self {
    case .wrongCount(let field, let expected, let actual):
      "\(field) has \(actual) entries where shape and format need \(expected)"
    case .paddingNotZero(let field, let row):
      "\(field), row \(row): the bits after the last code are not zero"
    case .codeTooLarge(let field, let code, let bitWidth):
      "\(field) holds \(code), which does not fit in \(bitWidth) bits"
    case .unknownField(let name, let known):
      "the format stores no '\(name)'; it stores \(known.joined(separator: ", "))"
    case .wrongPlane(let field, let expected, let actual):
      "\(field) has \(actual.phrase) where shape and format need \(expected.phrase)"
    case .blocksNotWhole(let shape, let block):
      "blocks of \(block) do not divide the last axis of shape \(shape)"
    case .badShape(let shape): "shape \(shape) is not possible"
    case .badAxis(let axis, let rank): "axis \(axis) is not one of \(rank)"
    }
  }
}

extension QuantizedTensor {
  /// Assembles a tensor from unpacked codes, which may come from a file.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the tensor's shape.
  ///   - axis: the axis that blocks run along, negative from the end.
  ///   - policy: the choices that were followed, for the record.
  ///   - codes: those of every field by its name, row-major in the field's shape; FP32 numbers as bit
  ///     patterns.
  public init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    codes: [String: [UInt32]]
  ) throws(StorageError) {
    let layout = format.layout
    let grid = try Self.grid(shape: shape, axis: axis, layout: layout)
    if let stranger = codes.keys.sorted().first(where: { layout.index(of: $0) == nil }) {
      throw .unknownField(stranger, known: layout.fields.map(\.name))
    }
    var planes: [BitPlane] = []
    for (field, place) in zip(layout.fields, StorageLayout(of: layout, over: grid).planes) {
      let codes = codes[field.name] ?? []
      let count = place.rowCount * place.rowLength
      guard codes.count == count else {
        throw .wrongCount(field: field.name, expected: count, actual: codes.count)
      }
      if let code = codes.first(where: { UInt64($0) >> UInt64(place.bitWidth) != 0 }) {
        throw .codeTooLarge(field: field.name, code: code, bitWidth: place.bitWidth)
      }
      planes.append(
        BitPlane(
          rowCount: place.rowCount, rowLength: place.rowLength, bitWidth: place.bitWidth,
          codes: codes))
    }
    self.init(
      format: format, policy: policy ?? format.defaultPolicy, axis: axis, grid: grid,
      planes: planes, tally: EncodingTally())
  }

  /// Assembles a tensor from packed planes, which may come from a file.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the tensor's shape.
  ///   - axis: the axis that blocks run along, negative from the end.
  ///   - policy: the choices that were followed, for the record.
  ///   - planes: one for each field of the layout, in its order.
  public init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    planes: [BitPlane]
  ) throws(StorageError) {
    let layout = format.layout
    let grid = try Self.grid(shape: shape, axis: axis, layout: layout)
    let places = StorageLayout(of: layout, over: grid).planes
    guard planes.count == places.count else {
      throw .wrongCount(field: "planes", expected: places.count, actual: planes.count)
    }
    for (index, plane) in planes.enumerated() {
      let (place, name) = (places[index], layout.fields[index].name)
      guard plane.rowCount == place.rowCount, plane.rowLength == place.rowLength,
        plane.bitWidth == place.bitWidth
      else {
        throw .wrongPlane(
          field: name, expected: place,
          actual: PlaneLayout(
            rowCount: plane.rowCount, rowLength: plane.rowLength, bitWidth: plane.bitWidth))
      }
      if let row = plane.firstRowWithPadding { throw .paddingNotZero(field: name, row: row) }
    }
    self.init(
      format: format, policy: policy ?? format.defaultPolicy, axis: axis, grid: grid,
      planes: planes, tally: EncodingTally())
  }

  /// Assembles a tensor from its stored bytes, which may come from a file.
  ///
  /// The inverse of `storedBytes`: the planes one after the other.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the tensor's shape.
  ///   - axis: the axis that blocks run along, negative from the end.
  ///   - policy: the choices that were followed, for the record.
  ///   - storedBytes: as many as the format needs for the shape.
  public init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    storedBytes: [UInt8]
  ) throws(StorageError) {
    let layout = format.layout
    let storage = StorageLayout(
      of: layout, over: try Self.grid(shape: shape, axis: axis, layout: layout))
    guard storedBytes.count == storage.byteCount else {
      throw .wrongCount(field: "storage", expected: storage.byteCount, actual: storedBytes.count)
    }
    var rest = storedBytes[...]
    let planes = storage.planes.map { place in
      let bytes = Array(rest.prefix(place.byteCount))
      rest = rest.dropFirst(bytes.count)
      return BitPlane(
        rowCount: place.rowCount, rowLength: place.rowLength, bitWidth: place.bitWidth,
        bytes: bytes)
    }
    try self.init(format: format, shape: shape, axis: axis, policy: policy, planes: planes)
  }

  private static func grid(
    shape: [Int], axis: Int, layout: BlockLayout
  ) throws(StorageError) -> BlockGrid {
    let rank = max(shape.count, 1)
    guard Tensor.isValid(shape: shape) else { throw .badShape(shape) }
    guard (-rank..<rank).contains(axis) else { throw .badAxis(axis, rank: rank) }
    return BlockGrid(shape: shape, axis: axis, layout: layout)
  }
}

extension BitPlane {
  /// The first row in whose last byte a bit behind the last code is set.
  fileprivate var firstRowWithPadding: Int? {
    let used = rowLength * bitWidth % 8
    guard used != 0 else { return nil }
    return (0..<rowCount).first { bytes[($0 + 1) * bytesPerRow - 1] >> used != 0 }
  }
}

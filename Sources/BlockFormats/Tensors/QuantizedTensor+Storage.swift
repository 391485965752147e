/// Why stored fields are not a tensor of a format.
public enum StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A field has another number of codes or bytes than shape and format demand.
  case wrongCount(field: String, expected: Int, actual: Int)
  /// Bits of a row's last byte that belong to no code are not zero.
  case paddingNotZero(field: String, row: Int)
  /// A code does not fit in the field's bits.
  case codeTooLarge(field: String, code: UInt32, bitWidth: Int)
  /// The format needs a tensor scale and there is none, or the other way round.
  case tensorScaleMismatch(expected: Bool)
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
    case .tensorScaleMismatch(let expected):
      expected ? "the format needs a tensor scale" : "the format has no tensor scale"
    case .badShape(let shape): "shape \(shape) is not possible"
    case .badAxis(let axis, let rank): "axis \(axis) is not one of \(rank)"
    }
  }
}

extension QuantizedTensor {
  /// Assembles a tensor from unpacked fields, which may come from a file.
  ///
  /// - Parameters:
  ///   - format: the block format.
  ///   - shape: the tensor's shape.
  ///   - axis: the axis that blocks run along, negative from the end.
  ///   - policy: the choices that were followed, for the record.
  ///   - codes: in the order of `codeShape`: one for every element, row-major.
  ///   - scales: one code for every block in the order of `scaleShape`; FP32 scales as bit patterns.
  ///   - subscales: in the order of `subscaleShape`.
  ///   - tensorScale: the decode multiplier.
  public init(
    format: some BlockFormat, shape: [Int], axis: Int = -1, policy: EncodingPolicy? = nil,
    codes: [UInt32], scales: [UInt32] = [], subscales: [UInt32] = [], tensorScale: Float? = nil
  ) throws(StorageError) {
    let layout = format.layout
    let grid = try Self.grid(shape: shape, axis: axis, layout: layout)
    func plane(
      _ field: String, _ codes: [UInt32], _ grid: BlockGrid.Field?, _ width: Int?
    ) throws(StorageError) -> BitPlane {
      let (rowCount, rowLength) = (grid?.rowCount ?? 0, grid?.rowLength ?? 0)
      let count = rowCount * rowLength
      guard codes.count == count else {
        throw .wrongCount(field: field, expected: count, actual: codes.count)
      }
      if let width, let code = codes.first(where: { UInt64($0) >> UInt64(width) != 0 }) {
        throw .codeTooLarge(field: field, code: code, bitWidth: width)
      }
      return BitPlane(
        rowCount: rowCount, rowLength: rowLength, bitWidth: width ?? 8, codes: codes)
    }
    var planes = QuantizedPlanes(grid: grid, layout: layout)
    planes.codes = try plane("codes", codes, grid.codes, layout.element.bitWidth)
    planes.scales = try plane("scales", scales, grid.scales, layout.scale?.bitWidth)
    planes.subscales = try plane(
      "subscales", subscales, grid.subscales, layout.subscale?.bitWidth)
    let needsTensorScale = layout.tensorScale != .absent
    guard needsTensorScale == (tensorScale != nil) else {
      throw .tensorScaleMismatch(expected: needsTensorScale)
    }
    self.init(
      format: format, policy: policy ?? format.defaultPolicy, axis: axis, grid: grid,
      planes: planes, tensorScale: tensorScale, tally: EncodingTally())
  }
  /// Assembles a tensor from its stored bytes, which may come from a file.
  ///
  /// The inverse of `storedBytes`: the planes one after the other, and the tensor scale.
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
    let grid = try Self.grid(shape: shape, axis: axis, layout: layout)
    let expected = StorageLayout(of: layout, over: grid).byteCount
    guard storedBytes.count == expected else {
      throw .wrongCount(field: "storage", expected: expected, actual: storedBytes.count)
    }
    var rest = storedBytes[...]
    func read(_ plane: BitPlane, _ field: String) throws(StorageError) -> BitPlane {
      let bytes = Array(rest.prefix(plane.bytes.count))
      rest = rest.dropFirst(bytes.count)
      let plane = BitPlane(
        rowCount: plane.rowCount, rowLength: plane.rowLength, bitWidth: plane.bitWidth,
        bytes: bytes)
      if let row = plane.firstRowWithPadding {
        throw .paddingNotZero(field: field, row: row)
      }
      return plane
    }
    var planes = QuantizedPlanes(grid: grid, layout: layout)
    planes.codes = try read(planes.codes, "codes")
    planes.scales = try read(planes.scales, "scales")
    planes.subscales = try read(planes.subscales, "subscales")
    let tensorScale =
      layout.tensorScale == .absent
      ? nil : Float(bitPattern: rest.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    self.init(
      format: format, policy: policy ?? format.defaultPolicy, axis: axis, grid: grid,
      planes: planes, tensorScale: tensorScale, tally: EncodingTally())
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

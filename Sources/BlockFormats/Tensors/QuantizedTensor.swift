import CallerChecks

/// A tensor in a block format: one packed plane of codes for each field that the format stores.
///
/// The stored bytes are the planes in the order of `format.layout.fields`, without gaps. A plane holds
/// the rows of the last axis of its field's shape; `BitPlane` defines the bit order inside a plane.
public struct QuantizedTensor: Sendable {
  /// The block format.
  public let format: any BlockFormat
  /// The choices that were followed.
  public internal(set) var policy: EncodingPolicy
  /// The tensor's shape.
  public let shape: [Int]
  /// The axis that blocks run along, counted from the front.
  public let axis: Int
  /// The codes of each field, in the order of `format.layout.fields`.
  public internal(set) var planes: [BitPlane]
  /// Events counted while encoding; empty for a tensor read from storage.
  public internal(set) var tally: EncodingTally

  let grid: BlockGrid
  private let tensorField: Int?

  init(
    format: any BlockFormat, policy: EncodingPolicy, axis: Int, grid: BlockGrid,
    planes: [BitPlane], tally: EncodingTally
  ) {
    self.format = format
    self.policy = policy
    self.axis = BlockGrid.normalized(axis: axis, rank: grid.shape.count)
    self.grid = grid
    shape = grid.shape
    self.planes = planes
    self.tally = tally
    tensorField = format.layout.tensorField
  }

  /// The number of elements.
  public var elementCount: Int { grid.elementCount }

  /// The number of blocks.
  public var blockCount: Int { grid.blockCount }

  /// The codes of a field.
  ///
  /// - Precondition: the format has the field.
  public subscript(field: String) -> BitPlane { planes[index(of: field)] }

  /// The shape of a field's codes: the tensor's, with the block axis cut to the codes that its elements
  /// have, and flattened for runs; one number for the tensor is `[1]`.
  ///
  /// - Precondition: the format has the field.
  public func shape(of field: String) -> [Int] {
    let index = index(of: field)
    let isElements = format.layout.fields[index].extent == .everyElement
    return isElements && shape.isEmpty ? [] : grid.fields[index].shape
  }

  private func index(of field: String) -> Int {
    guard let index = format.layout.index(of: field) else {
      let known = format.layout.fields.map(\.name).joined(separator: ", ")
      refuse("\(format.id) stores no '\(field)'; it stores \(known)")
    }
    return index
  }

  /// The FP32 scale of the tensor, of formats that have one: its decode multiplier.
  public internal(set) var tensorScale: Float? {
    get { tensorField.map(number) }
    set { store(newValue, in: tensorField) }
  }

  /// The opaque FP32 number of the tensor, of formats that have one.
  public internal(set) var tensorNumber: Float? {
    get { format.layout.numberField.map(number) }
    set { store(newValue, in: format.layout.numberField) }
  }

  /// The one FP32 number of a field.
  private func number(in field: Int) -> Float {
    Float(bitPattern: planes[field].bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
  }

  private mutating func store(_ number: Float?, in field: Int?) {
    guard let number, let field else { return }
    for byte in 0..<4 {
      planes[field].bytes[byte] = UInt8(truncatingIfNeeded: number.bitPattern >> (8 * byte))
    }
  }

  /// The number of stored bytes.
  public var storedByteCount: Int { planes.reduce(0) { $0 + $1.bytes.count } }

  /// Stored bits for an element, scales and padding included; NaN without elements.
  public var bitsPerElement: Double {
    elementCount == 0 ? .nan : Double(8 * storedByteCount) / Double(elementCount)
  }

  /// All stored bytes.
  public var storedBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(storedByteCount)
    for plane in planes { bytes += plane.bytes }
    return bytes
  }

  /// Decodes the tensor.
  ///
  /// The values depend on the stored bytes alone, not on `parallelism`.
  public func dequantized(parallelism: Parallelism = .allCores) -> Tensor {
    func decode<Format: BlockFormat>(_ format: Format) -> Tensor {
      // The policy is for the record, whatever it says; kernels like the default one best.
      let quantizer = Quantizer(
        format: format, shape: shape, axis: axis, policy: nil, parallelism: parallelism)
      return Tensor(shape: shape) { quantizer.decode(self, into: $0, as: .float32) }
    }
    return decode(format)
  }
}

extension StorageLayout {
  /// Planes of zeros.
  var zeros: [BitPlane] {
    planes.map {
      BitPlane(rowCount: $0.rowCount, rowLength: $0.rowLength, bitWidth: $0.bitWidth)
    }
  }
}

extension QuantizedTensor: Equatable {
  /// Tensors are equal if format, choices, shape, axis and all stored codes are.
  public static func == (a: QuantizedTensor, b: QuantizedTensor) -> Bool {
    a.format.isSame(as: b.format) && a.policy == b.policy && a.shape == b.shape
      && a.axis == b.axis && a.planes == b.planes
  }
}

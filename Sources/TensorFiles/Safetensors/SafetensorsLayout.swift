import CallerChecks
import StrictJSON
import UntrustedText

/// A tensor that a file will hold, without its bytes.
public struct TensorDescription: Hashable, Sendable {
  /// The name it will have in the file.
  public let name: String
  /// The stored element type.
  public let dtype: TensorDType
  /// The logical extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The bytes that the elements take.
  public let byteCount: Int

  /// Describes a tensor.
  ///
  /// - Precondition: as for `TensorData`; the elements fill whole bytes.
  public init(name: String, dtype: TensorDType, shape: [Int]) {
    require(name != "__metadata__", "a tensor cannot be named __metadata__")
    require(shape.allSatisfy { $0 >= 0 }, "negative extent in shape \(shape)")
    guard let count = checkedElementCount(shape),
      case let (bits, overflow) = count.multipliedReportingOverflow(by: dtype.bitWidth), !overflow
    else {
      refuse("shape \(shape) of \(dtype.rawValue) overflows 64 bits")
    }
    require(bits % 8 == 0, "shape \(shape) of \(dtype.rawValue) needs \(bits) bits")
    self.name = name
    self.dtype = dtype
    self.shape = shape
    byteCount = bits / 8
  }

  init(_ tensor: TensorData) {
    name = tensor.name
    dtype = tensor.dtype
    shape = tensor.shape
    byteCount = tensor.bytes.count
  }
}

/// Whose order of tensors and words a safetensors file has.
///
/// Readers accept all.
public enum SafetensorsStyle: Hashable, Sendable {
  /// The reference implementation's.
  case reference
  /// MLX's: tensors by their names, the members of an entry by theirs, and no padding.
  case mlx
}

/// Where the reference implementation, or MLX, puts the tensors of a safetensors file, and the header that says so.
///
/// In the reference style tensors are laid out by dtype, widest of the reference order first, then by the
/// bytes of their names; the header is compact JSON, padded with spaces to a multiple of eight bytes.
struct SafetensorsLayout {
  /// The indices of the tensors in the order of their bytes.
  let order: [Int]
  /// The offset of each tensor from the end of the header, by its index.
  let offsets: [Int]
  /// The bytes of all tensors.
  let dataCount: Int
  private let header: [UInt8]

  /// Lays tensors out.
  ///
  /// - Precondition: the names of the tensors differ.
  init(
    _ tensors: [TensorDescription], _ metadata: [String: String],
    _ style: SafetensorsStyle = .reference
  ) {
    let order = Self.order(tensors, style)
    var offsets = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in order {
      offsets[index] = end
      end += tensors[index].byteCount
    }
    self.order = order
    self.offsets = offsets
    dataCount = end
    header = Self.header(order.map { tensors[$0] }, metadata, style)
  }

  /// The bytes before those of the tensors.
  ///
  /// - Throws: `.headerTooLong` if readers would refuse the header.
  func start(of path: String) throws(TensorFileError) -> [UInt8] {
    guard header.count <= SafetensorsFile.headerLimit else {
      throw .headerTooLong(
        path: path, length: UInt64(header.count), limit: SafetensorsFile.headerLimit)
    }
    return littleEndianBytes([UInt64(header.count)]) + header
  }

  private static func order(
    _ tensors: [TensorDescription], _ style: SafetensorsStyle
  ) -> [Int] {
    var names: Set<ExactText> = []
    for tensor in tensors {
      require(
        names.insert(ExactText(tensor.name)).inserted, "two tensors are named '\(tensor.name)'")
    }
    let rank = Dictionary(
      uniqueKeysWithValues: zip(TensorDType.allCases.reversed(), 0...))
    return tensors.indices.sorted {
      let (first, second) = (tensors[$0], tensors[$1])
      if style == .reference, first.dtype != second.dtype {
        return rank[first.dtype, default: 0] < rank[second.dtype, default: 0]
      }
      return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
  }

  private static func header(
    _ tensors: [TensorDescription], _ metadata: [String: String], _ style: SafetensorsStyle
  ) -> [UInt8] {
    var members: [JSONValue.Member] = []
    if !metadata.isEmpty {
      let texts =
        metadata
        .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { JSONValue.Member($0.key, .string($0.value)) }
      members.append(.init("__metadata__", .object(texts)))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.byteCount
      var entry: [JSONValue.Member] = [
        .init("dtype", .string(tensor.dtype.rawValue)),
        .init("shape", .array(tensor.shape.map { JSONValue($0) })),
        .init("data_offsets", .array([JSONValue(offset), JSONValue(end)])),
      ]
      if style == .mlx { entry.sort { $0.key < $1.key } }
      members.append(.init(tensor.name, .object(entry)))
      offset = end
    }
    // The reference writer, too, escapes only what JSON demands.
    var header = Array(JSONValue.object(members).text(.compact, escaping: .controls).utf8)
    guard style == .reference else { return header }
    let padding = (8 - header.count % 8) % 8
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
    return header
  }
}

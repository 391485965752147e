internal import CallerChecks
public import TensorFiles
internal import UntrustedText

/// A tensor as a file stores it: a name, a type, a shape and bytes.
///
/// A quantized weight is often several of these: codes, scales, and a scale of the tensor.
public struct StoredTensor: Sendable {
  /// The name in the file, unique in its checkpoint.
  public internal(set) var name: String
  /// The type of its elements.
  public let type: StoredType
  /// The extents, outermost first; empty for a scalar.
  public let shape: [Int]
  /// The product of the extents.
  public let elementCount: Int
  /// The number of its bytes.
  public let byteCount: Int
  let source: Source
  /// In which order its rows are handed out.
  var rowOrder = RowOrder.stored

  /// Where its bytes come from.
  enum Source: Sendable {
    /// From an offset on in a file, little-endian and row-major.
    case file(InputFile, start: Int)
    /// From an array that its reader puts in order.
    case array(TensorFile, TensorInfo)
  }

  /// The path of the file that holds it.
  public var path: String {
    switch source {
    case .file(let file, _): file.path
    case .array(let file, _): file.path
    }
  }

  /// Bytes of the tensor.
  ///
  /// - Parameter range: counted from the tensor's first byte.
  /// - Throws: `.file` with what reading throws; `.tensor` for arrays of NumPy, which have values alone.
  /// - Precondition: the tensor has these bytes.
  public func bytes(in range: Range<Int>) throws(ModelCheckpointError) -> [UInt8] {
    require(
      range.lowerBound >= 0 && range.upperBound <= byteCount,
      "bytes \(range) of a tensor of \(byteCount)")
    guard case .file(let file, let start) = source else {
      throw .tensor(path: path, name: name, reason: "an array of NumPy is read by its values")
    }
    return try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try file.requireMemory(range.count, for: name)
      guard rowOrder != .stored, !range.isEmpty else {
        return try file.bytes(in: start + range.lowerBound..<start + range.upperBound)
      }
      // Whole rows, each from its place, and of them what is asked for.
      let rows = shape.dropLast().reduce(1, *)
      let rowBytes = byteCount / rows
      let sources = rowOrder.sources(rows: rows)
      let first = range.lowerBound / rowBytes
      var bytes: [UInt8] = []
      for row in first..<(range.upperBound + rowBytes - 1) / rowBytes {
        let place = start + sources[row] * rowBytes
        bytes += try file.bytes(in: place..<place + rowBytes)
      }
      let offset = range.lowerBound - first * rowBytes
      return Array(bytes[offset..<offset + range.count])
    }
  }

  /// All bytes of the tensor; see `bytes(in:)`.
  public func bytes() throws(ModelCheckpointError) -> [UInt8] { try bytes(in: 0..<byteCount) }

  /// Elements as FP32 numbers, of types that are read as such.
  ///
  /// - Parameter elements: counted row-major.
  /// - Throws: `.tensor` where the type is none of them, `.file` with what reading throws.
  /// - Precondition: the tensor has these elements.
  public func floats(in elements: Range<Int>) throws(ModelCheckpointError) -> [Float] {
    require(
      elements.lowerBound >= 0 && elements.upperBound <= elementCount,
      "elements \(elements) of a tensor of \(elementCount)")
    guard let encoding = type.floatEncoding else {
      throw .tensor(path: path, name: name, reason: "\(type) is not read as floating point")
    }
    if rowOrder != .stored {
      let width = encoding.byteCount
      let stored = try bytes(in: elements.lowerBound * width..<elements.upperBound * width)
      return [Float](unsafeUninitializedCapacity: elements.count) { result, count in
        stored.withUnsafeBytes { bytes in
          if let target = result.baseAddress {
            encoding.decode(bytes, byteOrder: .little, into: UnsafeMutableRawPointer(target))
          }
        }
        count = elements.count
      }
    }
    return try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      switch source {
      case .file(let file, let start):
        try file.requireMemory(4 * elements.count, for: name)
        return try file.floats(elements, as: encoding, byteOrder: .little, dataStart: start)
      case .array(let file, let tensor):
        return try file.floats(of: tensor, in: elements)
      }
    }
  }
}

/// The type of a stored tensor's elements, in the words of its container.
public enum StoredType: Hashable, Sendable, CustomStringConvertible {
  /// One of safetensors, which also names those of NumPy's arrays.
  case plain(TensorDType)
  /// One of GGUF.
  case ggml(GGMLType)

  /// The container's name for it.
  public var description: String {
    switch self {
    case .plain(let dtype): dtype.rawValue
    case .ggml(let type): type.name
    }
  }

  /// How elements are read as FP32 numbers; nil for types that are not.
  var floatEncoding: FloatEncoding? {
    dtype.flatMap(FloatEncoding.init)
  }

  /// The type in safetensors' words; nil for blocks of GGUF.
  var dtype: TensorDType? {
    switch self {
    case .plain(let dtype): dtype
    case .ggml(let type): Self.plainTypes.first { $0.ggml == type }?.dtype
    }
  }

  /// The type in GGUF's words; nil for those that it has not.
  var ggml: GGMLType? {
    switch self {
    case .plain(let dtype): Self.plainTypes.first { $0.dtype == dtype }?.ggml
    case .ggml(let type): type
    }
  }

  /// The types of single numbers that both have.
  private static let plainTypes: [(ggml: GGMLType, dtype: TensorDType)] = [
    (.f32, .f32), (.f16, .f16), (.bf16, .bf16), (.f64, .f64), (.i8, .i8), (.i16, .i16),
    (.i32, .i32), (.i64, .i64),
  ]
}

/// The kinds of tensor files that this module reads.
public enum TensorFileType: String, CaseIterable, Sendable {
  /// A safetensors checkpoint, read by `SafetensorsFile`.
  case safetensors
  /// A NumPy array, read by `NpyFile`.
  case npy

  /// Finds the type of a file.
  ///
  /// A name that ends in `.safetensors` or `.npy` decides by itself, so that a damaged file gets
  /// the error of its reader. Otherwise the first bytes decide.
  ///
  /// - Throws: `.unknownType` if neither tells, or the reason why the file cannot be opened.
  public static func detect(path: String) throws(TensorFileError) -> TensorFileType {
    let name = path.lowercased()
    if let type = allCases.first(where: { name.hasSuffix(".\($0.rawValue)") }) { return type }
    let file = try MappedFile(path: path)
    let type = file.withUnsafeBytes(in: 0..<file.count) { bytes -> TensorFileType? in
      if NpyHeader.hasMagic(bytes) { return .npy }
      // The length of a safetensors header is no magic number, but a header is an object.
      let start = SafetensorsFile.lengthSize
      guard bytes.count > start, bytes[start] == UInt8(ascii: "{") else { return nil }
      let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
      return length <= UInt64(SafetensorsFile.headerLimit) ? .safetensors : nil
    }
    if let type { return type }
    throw .unknownType(path: path, expected: "a safetensors or NumPy array file")
  }
}

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
    let signature = file.withUnsafeBytes(in: 0..<min(file.count, FileSignature.length)) {
      FileSignature($0)
    }
    switch signature {
    case .npy: return .npy
    case .safetensors: return .safetensors
    default:
      throw .unknownType(
        path: path, expected: "a safetensors or NumPy array file", found: signature?.rawValue)
    }
  }
}

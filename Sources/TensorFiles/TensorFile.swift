/// A tensor file of a type that is found out when it is opened.
public enum TensorFile: Sendable {
  /// A safetensors checkpoint.
  case safetensors(SafetensorsFile)
  /// A NumPy array.
  case npy(NpyFile)

  /// Opens and checks a file; `-` is standard input.
  ///
  /// A name that ends in `.safetensors` or `.npy` decides by itself, so that a damaged file gets
  /// the error of its reader. Otherwise the first bytes decide.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - elements: The element types of arrays that the caller has a use for.
  /// - Throws: `.unknownType` if neither tells, or what the file's reader throws.
  public init(path: String, elements: NpyFile.Elements = .any) throws(TensorFileError) {
    let file = try InputFile(path: path)
    let name = path.lowercased()
    let signature: FileSignature? =
      if name.hasSuffix(".npy") {
        .npy
      } else if name.hasSuffix(".safetensors") {
        .safetensors
      } else {
        try FileSignature.find(in: file)
      }
    switch signature {
    case .npy: self = .npy(try NpyFile(file, elements: elements))
    case .safetensors: self = .safetensors(try SafetensorsFile(file))
    default:
      throw .unknownType(
        path: path, expected: "a safetensors or NumPy array file", found: signature?.rawValue)
    }
  }
}

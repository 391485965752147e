/// A file of tensors, of a format that is found out when it is opened.
public struct TensorFile: Sendable {
  /// The formats that can be read; a new one adds its line here.
  private static let formats: [any TensorFileFormat.Type] = [
    SafetensorsFile.self, NpyFile.self, NpzFile.self,
  ]

  /// The file as its format reads it.
  private let contents: any TensorFileFormat

  /// Opens and checks a file; `-` is standard input.
  ///
  /// A name that ends in `.safetensors`, `.npy` or `.npz` decides by itself, so that a damaged file gets
  /// the error of its reader. Otherwise the first bytes decide.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - elements: The element types that the caller has a use for. An npy array of any other is
  ///     refused; a checkpoint or an archive may hold others beside them.
  ///   - voidDTypes: What void elements of NumPy arrays are, which are refused otherwise: BF16 those
  ///     of two bytes, one of the types whose names begin with F8 those of one.
  /// - Precondition: `voidDTypes` holds no other types, and at most one of each size.
  /// - Throws: `.unknownType` if neither tells, or what the file's reader throws.
  public init(
    path: String, elements: ElementSelection = .any,
    readingVoidAs voidDTypes: Set<TensorDType> = []
  ) throws(TensorFileError) {
    let options = TensorFileOptions(elements: elements, voids: VoidTypes(voidDTypes))
    let file = try InputFile(path: path)
    let name = path.lowercased()
    var format = Self.formats.first { name.hasSuffix($0.nameEnding) }
    var signature: FileSignature?
    if format == nil {
      signature = try FileSignature.find(in: file)
      format = Self.formats.first { $0.signature == signature }
    }
    guard let format else {
      throw .unknownType(
        path: path, expected: "a \(Self.formatNames) file", found: signature?.rawValue)
    }
    contents = try format.init(file, options: options)
  }

  /// The names of all formats, as a list in a sentence.
  private static var formatNames: String {
    let names = formats.map { $0.name }
    return names.dropLast().joined(separator: ", ") + " or " + names.suffix(1).joined()
  }

  /// The path the file was opened by.
  public var path: String { contents.path }

  /// The tensors in the order of their bytes.
  public var tensors: [TensorInfo] { contents.tensors }

  /// Whether names of tensors come from the file.
  ///
  /// A file of one array has none for it, whose name is then `array`.
  public var hasNames: Bool { contents.hasNames }

  /// The free-form text of the file; empty if there is none.
  public var metadata: [String: String] { contents.metadata }

  /// Whether a part of any tensor is read without the rest.
  public var readsParts: Bool { tensors.allSatisfy { contents.readsParts(of: $0) } }

  /// Whether a part of a tensor is read without the rest.
  ///
  /// An array that is compressed or in Fortran order has to be read as a whole, whatever part is asked
  /// for.
  ///
  /// - Parameter tensor: One of `tensors`.
  public func readsParts(of tensor: TensorInfo) -> Bool { contents.readsParts(of: tensor) }

  /// The elements of a tensor as `Float`, row-major.
  ///
  /// NaNs keep their payload, those of F16 become quiet; F64 is rounded once, to nearest with ties to
  /// even, and infinite beyond the range of `Float`.
  ///
  /// - Throws: `.unsupportedDType` unless the dtype is one of `TensorDType.floatReadable`;
  ///   `.notEnoughMemory`, or why the bytes cannot be read.
  public func floats(of tensor: TensorInfo) throws(TensorFileError) -> [Float] {
    try floats(of: tensor, in: 0..<tensor.elementCount)
  }

  /// A part of the elements of a tensor as `Float`, for tensors that are larger than memory.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - elements: Which of its elements, counted row-major.
  /// - Precondition: The tensor has these elements.
  /// - Throws: What `floats(of:)` throws.
  public func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float] {
    try contents.floats(of: tensor, in: elements)
  }
}

extension TensorFile {
  /// The file as safetensors, if it is one.
  package var safetensors: SafetensorsFile? { contents as? SafetensorsFile }
}

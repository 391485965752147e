import UntrustedText

/// A NumPy `.npz` archive of arrays, open and checked: what `np.savez` and `np.savez_compressed` write.
///
/// The tensors are the members whose names end in `.npy`; a tensor's name is the member's without that
/// ending. Opening reads the directory of the archive and the header of each array; arrays are read when
/// they are asked for, stored ones in place and in parts, compressed ones as a whole. The CRC-32 of a
/// member is checked wherever the member is read from its start to its end, so that a part of a stored
/// array comes unchecked.
///
/// Element types are those of `NpyFile`, little-endian integers of all sizes, truth values and C64,
/// although floats can be read of floating-point types only. Void elements, such as BF16 of ml_dtypes,
/// are refused unless the caller says what they are.
///
/// Other members are neither tensors nor read: NumPy hands them out as raw bytes. The same goes for
/// arrays of a type that `TensorDType` lacks, such as text or pickled objects, after their CRC-32 has
/// been checked. `otherMembers` names both. An archive with members of which none ends in `.npy` is
/// refused, and so are structured element types.
///
/// The file stays open. Replacing it by a rename changes nothing; reading what others have cut off is
/// an error. What comes through a pipe is held in memory.
///
/// Source: NumPy's documentation of `savez`, and APPNOTE of the zip format.
public struct NpzFile: Sendable {
  /// The most members of an archive that is accepted.
  public static let memberLimit = ZipArchive.memberLimit

  /// The path the file was opened by.
  public var path: String { file.path }
  /// The tensors in the order of their bytes.
  ///
  /// The byte range of a compressed one is that of the whole member, as it is stored.
  public let tensors: [TensorInfo]
  /// The names of members that are no tensors, in the order of their bytes.
  public let otherMembers: [String]

  /// The arrays of `tensors`.
  let entries: [NpzEntry]
  /// The places of tensors by their names.
  let indices: [ExactText: Int]

  private let file: InputFile

  /// Opens and checks a file; `-` is standard input.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - voidDTypes: What void elements are: BF16 those of two bytes, one of the types whose names
  ///     begin with F8 those of one.
  /// - Precondition: `voidDTypes` holds no other types, and at most one of each size.
  /// - Throws: A `TensorFileError` that names the first cause found: `.voidDType` for void elements
  ///   of a size of which `voidDTypes` has none.
  public init(
    path: String, readingVoidAs voidDTypes: Set<TensorDType> = []
  ) throws(TensorFileError) {
    try self.init(InputFile(path: path), voids: VoidTypes(voidDTypes))
  }

  init(_ file: InputFile, voids: VoidTypes) throws(TensorFileError) {
    let members = try Self.members(of: file)
    var tensors: [TensorInfo] = []
    var otherMembers: [String] = []
    var entries: [NpzEntry] = []
    for member in members {
      guard let name = Self.tensorName(member),
        let array = try Self.array(of: member, name: name, path: file.path, voids)
      else {
        otherMembers.append(member.name)
        continue
      }
      let entry = NpzEntry(member: member, array: array)
      entries.append(entry)
      tensors.append(
        TensorInfo(
          name: name, dtype: array.dtype, shape: array.shape, elementCount: array.elementCount,
          byteRange: entry.byteRange))
    }
    self.file = file
    self.tensors = tensors
    self.otherMembers = otherMembers
    self.entries = entries
    indices = Dictionary(uniqueKeysWithValues: zip(tensors.lazy.map { ExactText($0.name) }, 0...))
  }

  /// The tensor whose name has the bytes of this one, or nil.
  public func tensor(named name: String) -> TensorInfo? {
    indices[ExactText(name)].map { tensors[$0] }
  }

  // MARK: Opening

  /// The members of a file, which has to be an archive with an array in it, or without members.
  private static func members(of file: InputFile) throws(TensorFileError) -> [ZipMember] {
    let signature = try FileSignature.find(in: file)
    let foreign = TensorFileError.unknownType(
      path: file.path, expected: FileSignature.npz.rawValue, found: signature?.rawValue)
    switch signature {
    case nil, .npz, .zip, .torch: break
    default: throw foreign
    }
    let members = try ZipArchive(file).members
    guard members.isEmpty || members.contains(where: { tensorName($0) != nil }) else {
      throw foreign
    }
    return members
  }

  private static func tensorName(_ member: ZipMember) -> String? {
    let ending = NpyFile.nameEnding
    let name = member.name.utf8
    guard name.suffix(ending.utf8.count).elementsEqual(ending.utf8) else { return nil }
    return String(decoding: name.dropLast(ending.utf8.count), as: UTF8.self)
  }

  /// The array in a member; nil if its elements are of a type that `TensorDType` lacks.
  private static func array(
    of member: ZipMember, name: String, path: String, _ voids: VoidTypes
  ) throws(TensorFileError) -> NpyArray? {
    do throws(TensorFileError) {
      let header = try NpyHeader(byteCount: member.byteCount, path: path) {
        (count) throws(TensorFileError) in
        try member.start(count)
      }
      guard
        let type = try NpyElementType(
          member: header.descriptor, voids: voids, path: path, tensor: name)
      else {
        // A damaged type must not make a tensor vanish.
        try member.verify()
        return nil
      }
      return try NpyArray(header, type, byteCount: member.byteCount, path: path, name: name)
    } catch {
      throw error.ofMember(member.name)
    }
  }
}

extension NpzFile: TensorFileFormat {
  package static let name = "NumPy archive"
  package static let nameEnding = ".npz"
  package static let signature = FileSignature.npz

  package init(_ file: InputFile, options: TensorFileOptions) throws(TensorFileError) {
    // An archive may hold arrays of any kind beside those that are asked for.
    try self.init(file, voids: options.voids)
  }

  package var hasNames: Bool { true }
  package var metadata: [String: String] { [:] }
  package func readsParts(of tensor: TensorInfo) -> Bool { entry(of: tensor).readsParts }
}

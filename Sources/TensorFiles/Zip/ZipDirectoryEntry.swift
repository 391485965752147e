/// How the bytes of a zip member are stored.
enum ZipMethod: UInt16, Sendable {
  case stored = 0
  case deflated = 8
}

/// An entry of a zip archive's directory, checked by itself.
///
/// Source: APPNOTE of the zip format, 4.3.12.
struct ZipDirectoryEntry {
  let name: String
  let flags: UInt16
  let method: ZipMethod
  let checksum: UInt32
  let compressedByteCount: Int
  let byteCount: Int
  let localHeaderOffset: Int

  /// The bytes of an entry without its name, extra fields and comment.
  static let fixedByteCount = 46
  /// The bit of `flags` that says: checksum and sizes follow the data, not the local header.
  static let descriptorFlag: UInt16 = 1 << 3
  /// The bit of `flags` that says: the name is UTF-8.
  private static let textFlag: UInt16 = 1 << 11
  /// Those two, and two of how well deflate tried.
  private static let knownFlags = descriptorFlag | textFlag | 0b110
  /// The version that introduced the sizes of 64 bits; later ones are about other methods.
  static let newestVersion: UInt16 = 45
  /// What deflate makes of a byte at most: four copies of 258 bytes, of two bits each.
  private static let largestExpansion = 1032

  /// Reads an entry.
  ///
  /// - Parameters:
  ///   - directory: The whole directory.
  ///   - position: Where the entry starts in it; afterwards, where the next does.
  ///   - path: The file, for errors.
  init(_ directory: [UInt8], at position: inout Int, path: String) throws(TensorFileError) {
    let fixedEnd = position + Self.fixedByteCount
    guard fixedEnd <= directory.count else {
      throw .badArchive(path: path, reason: "directory ends inside an entry")
    }
    let fields = LittleEndianFields(bytes: directory[position..<fixedEnd])
    guard fields.bytes.starts(with: Array("PK\u{1}\u{2}".utf8)) else {
      throw .badArchive(path: path, reason: "no entry at byte \(position) of the directory")
    }
    let nameEnd = fixedEnd + Int(fields.uint16(28))
    let extraEnd = nameEnd + Int(fields.uint16(30))
    let end = extraEnd + Int(fields.uint16(32))
    guard end <= directory.count else {
      throw .badArchive(path: path, reason: "directory ends inside an entry")
    }
    position = end
    let flags = fields.uint16(8)
    let nameBytes = directory[fixedEnd..<nameEnd]
    let name = try Self.name(nameBytes, flags, path: path)
    func failure(_ reason: String) -> TensorFileError {
      .badMember(path: path, member: name, reason: reason)
    }
    guard flags & 1 == 0 else { throw failure("is encrypted") }
    guard flags & ~Self.knownFlags == 0 else {
      throw failure("has unknown flags 0x" + String(flags & ~Self.knownFlags, radix: 16))
    }
    guard fields.uint16(6) <= Self.newestVersion else {
      throw failure("needs version \(fields.uint16(6)) of the zip format")
    }
    guard let method = ZipMethod(rawValue: fields.uint16(10)) else {
      throw failure("has unknown compression method \(fields.uint16(10))")
    }
    let extra: ZipExtraFields
    do throws(ZipExtraFields.Fault) {
      extra = try ZipExtraFields(directory[nameEnd..<extraEnd])
    } catch {
      throw failure(error.reason)
    }
    guard
      let numbers = extra.wide(
        [fields.uint32(24), fields.uint32(20), fields.uint32(42)], part: fields.uint16(34)),
      let byteCount = Int(exactly: numbers[0]), let compressedByteCount = Int(exactly: numbers[1]),
      let offset = Int(exactly: numbers[2])
    else { throw failure("has sizes or an offset that its zip64 field does not hold") }
    self.name = name
    self.flags = flags
    self.method = method
    checksum = fields.uint32(16)
    self.byteCount = byteCount
    self.compressedByteCount = compressedByteCount
    localHeaderOffset = offset
    guard isPlausible else {
      throw failure("claims \(byteCount) bytes, made of \(compressedByteCount)")
    }
  }

  /// Whether the stored bytes can become as many as are claimed.
  private var isPlausible: Bool {
    switch method {
    case .stored: byteCount == compressedByteCount
    case .deflated: byteCount / Self.largestExpansion <= compressedByteCount
    }
  }

  private static func name(
    _ bytes: ArraySlice<UInt8>, _ flags: UInt16, path: String
  ) throws(TensorFileError) -> String {
    guard let name = String(validating: bytes, as: UTF8.self) else {
      throw .badArchive(path: path, reason: "name of a member is not UTF-8")
    }
    guard !bytes.isEmpty, !bytes.contains(0) else {
      throw .badMember(
        path: path, member: name,
        reason: bytes.isEmpty ? "has no name" : "has a name with a NUL character")
    }
    guard flags & textFlag != 0 || bytes.allSatisfy({ $0 < 0x80 }) else {
      throw .badMember(
        path: path, member: name, reason: "has a name that is neither ASCII nor marked as UTF-8")
    }
    return name
  }
}

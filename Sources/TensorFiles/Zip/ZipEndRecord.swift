/// Where the directory of a zip archive lies, as the archive's last records say.
///
/// Source: APPNOTE of the zip format, 4.3.14 to 4.3.16.
struct ZipEndRecord {
  /// The members that are claimed.
  let memberCount: Int
  /// The bytes of the directory, which end where the end records begin.
  let directory: Range<Int>

  private static let byteCount = 22
  private static let locatorByteCount = 20
  private static let zip64ByteCount = 56
  private static let largestComment = 65_535

  /// Finds the records at the end of a file.
  ///
  /// - Throws: `.badArchive` if they are not there, or what they say does not fit the file.
  init(_ file: InputFile) throws(TensorFileError) {
    let path = file.path
    let tailStart = max(0, file.count - Self.byteCount - Self.largestComment)
    let tail = try file.bytes(in: tailStart..<file.count)
    guard let start = Self.start(in: tail) else {
      throw .badArchive(path: path, reason: "no end record; the file may be cut short")
    }
    let end = tailStart + start
    let record = LittleEndianFields(bytes: tail[start...])
    let counts = (inDisk: record.uint16(8), all: record.uint16(10))
    let size = record.uint32(12)
    let offset = record.uint32(16)
    if let zip64 = try Self.zip64(file, before: end) {
      guard zip64.memberCount == counts.all || counts.all == .max,
        counts.inDisk == counts.all,
        zip64.directory.count == size || size == .max,
        zip64.directory.lowerBound == offset || offset == .max,
        record.uint16(4) == 0 || record.uint16(4) == .max,
        record.uint16(6) == 0 || record.uint16(6) == .max
      else {
        throw .badArchive(path: path, reason: "its two end records do not agree")
      }
      self = zip64
      return
    }
    guard record.uint16(4) == 0, record.uint16(6) == 0, counts.inDisk == counts.all else {
      throw .badArchive(path: path, reason: "is a part of an archive in several files")
    }
    try self.init(
      memberCount: UInt64(counts.all), size: UInt64(size), offset: UInt64(offset), end: end, path)
  }

  private init(
    memberCount: UInt64, size: UInt64, offset: UInt64, end: Int, _ path: String
  ) throws(TensorFileError) {
    let (sum, overflow) = offset.addingReportingOverflow(size)
    guard !overflow, sum == UInt64(end) else {
      throw .badArchive(
        path: path,
        reason: "directory of \(size) bytes at \(offset), but its end record at \(end)")
    }
    // A directory entry has 46 bytes at least.
    guard memberCount <= size / UInt64(ZipDirectoryEntry.fixedByteCount) else {
      throw .badArchive(
        path: path, reason: "\(memberCount) members in a directory of \(size) bytes")
    }
    self.memberCount = Int(memberCount)
    directory = Int(offset)..<end
  }

  /// Where the end record starts: the last place whose comment reaches exactly to the end.
  private static func start(in tail: [UInt8]) -> Int? {
    let signature = Array("PK\u{5}\u{6}".utf8)
    for start in stride(from: tail.count - byteCount, through: 0, by: -1)
    where tail[start] == signature[0] {
      let record = tail[start...]
      if record.starts(with: signature),
        Int(LittleEndianFields(bytes: record).uint16(20)) == record.count - byteCount
      {
        return start
      }
    }
    return nil
  }

  /// What the record of large archives says; nil if there is none.
  private static func zip64(
    _ file: InputFile, before end: Int
  ) throws(TensorFileError) -> ZipEndRecord? {
    func failure(_ reason: String) -> TensorFileError {
      .badArchive(path: file.path, reason: reason)
    }
    guard end >= locatorByteCount else { return nil }
    let locatorStart = end - locatorByteCount
    let locatorBytes = try file.bytes(in: locatorStart..<end)
    guard locatorBytes.starts(with: Array("PK\u{6}\u{7}".utf8)) else { return nil }
    let locator = LittleEndianFields(bytes: locatorBytes[...])
    guard locator.uint32(4) == 0, locator.uint32(16) <= 1 else {
      throw failure("is a part of an archive in several files")
    }
    guard let start = Int(exactly: locator.uint64(8)), locatorStart >= zip64ByteCount,
      start <= locatorStart - zip64ByteCount
    else {
      throw failure("zip64 end record at \(locator.uint64(8)), but its locator at \(locatorStart)")
    }
    let bytes = try file.bytes(in: start..<start + zip64ByteCount)
    let record = LittleEndianFields(bytes: bytes[...])
    guard bytes.starts(with: Array("PK\u{6}\u{6}".utf8)) else {
      throw failure("no zip64 end record at \(start)")
    }
    // The length leaves out itself and the signature.
    guard record.uint64(4) == UInt64(locatorStart - start - 12) else {
      throw failure("zip64 end record of \(record.uint64(4)) bytes at \(start)")
    }
    guard record.uint32(16) == 0, record.uint32(20) == 0, record.uint64(24) == record.uint64(32)
    else { throw failure("is a part of an archive in several files") }
    return try ZipEndRecord(
      memberCount: record.uint64(32), size: record.uint64(40), offset: record.uint64(48),
      end: start, file.path)
  }
}

/// The header before the data of a zip member, checked against the member's entry in the directory.
///
/// Source: APPNOTE of the zip format, 4.3.7 and 4.3.9.
struct ZipLocalHeader {
  /// The stored bytes.
  let data: Range<Int>
  /// Where the member ends: after the data, or after a data descriptor.
  let end: Int

  private static let fixedByteCount = 30

  /// Reads the header of an entry.
  ///
  /// - Parameter limit: Where the directory starts, before which all members end.
  init(_ file: InputFile, _ entry: ZipDirectoryEntry, limit: Int) throws(TensorFileError) {
    func failure(_ reason: String) -> TensorFileError {
      .badMember(path: file.path, member: entry.name, reason: reason)
    }
    /// The range of so many bytes from an offset on, all of them before the directory.
    func range(_ start: Int, _ count: Int) throws(TensorFileError) -> Range<Int> {
      guard start <= limit, count <= limit - start else {
        throw failure("\(count) bytes at \(start) reach past \(limit), where the directory starts")
      }
      return start..<start + count
    }
    let fixedRange = try range(entry.localHeaderOffset, Self.fixedByteCount)
    let fixed = LittleEndianFields(bytes: try file.bytes(in: fixedRange)[...])
    guard fixed.bytes.starts(with: Array("PK\u{3}\u{4}".utf8)) else {
      throw failure("no local header at \(entry.localHeaderOffset)")
    }
    let nameCount = Int(fixed.uint16(26))
    let restRange = try range(fixedRange.upperBound, nameCount + Int(fixed.uint16(28)))
    let rest = try file.bytes(in: restRange)
    guard fixed.uint16(4) <= ZipDirectoryEntry.newestVersion, fixed.uint16(6) == entry.flags,
      fixed.uint16(8) == entry.method.rawValue,
      rest.prefix(nameCount).elementsEqual(entry.name.utf8)
    else { throw failure("its local header and its directory entry do not agree") }
    let extra: ZipExtraFields
    do throws(ZipExtraFields.Fault) {
      extra = try ZipExtraFields(rest[nameCount...])
    } catch {
      throw failure(error.reason)
    }
    guard Self.agrees(fixed, extra, entry) else {
      throw failure("its local header and its directory entry do not agree on its size or CRC-32")
    }
    data = try range(restRange.upperBound, entry.compressedByteCount)
    guard entry.flags & ZipDirectoryEntry.descriptorFlag != 0 else {
      end = data.upperBound
      return
    }
    let available = min(limit - data.upperBound, 24)
    let following = try file.bytes(in: range(data.upperBound, available))
    guard let count = Self.descriptorByteCount(in: following, entry) else {
      throw failure("no data descriptor that agrees with its directory entry")
    }
    end = data.upperBound + count
  }

  /// Whether checksum and sizes are the entry's.
  ///
  /// Where they follow the data, they may be zero here. Sizes in a zip64 field are given twice by
  /// some writers, and else are all ones in the fixed fields.
  private static func agrees(
    _ fixed: LittleEndianFields, _ extra: ZipExtraFields, _ entry: ZipDirectoryEntry
  ) -> Bool {
    let mayBeZero = entry.flags & ZipDirectoryEntry.descriptorFlag != 0
    func matches(_ number: UInt64, _ expected: Int) -> Bool {
      number == UInt64(expected) || (mayBeZero && number == 0)
    }
    let checksum = fixed.uint32(14)
    guard checksum == entry.checksum || (mayBeZero && checksum == 0) else { return false }
    let (compressed, expanded) = (fixed.uint32(18), fixed.uint32(22))
    guard let zip64 = extra.zip64 else {
      return compressed != .max && expanded != .max
        && matches(UInt64(compressed), entry.compressedByteCount)
        && matches(UInt64(expanded), entry.byteCount)
    }
    guard zip64.count == 16 else { return false }
    let wide = LittleEndianFields(bytes: zip64)
    return matches(wide.uint64(0), entry.byteCount)
      && matches(wide.uint64(8), entry.compressedByteCount)
      && (compressed == .max || matches(UInt64(compressed), entry.compressedByteCount))
      && (expanded == .max || matches(UInt64(expanded), entry.byteCount))
  }

  /// The length of the data descriptor that bytes begin with; nil if there is none.
  ///
  /// Its sizes have 64 or 32 bits, and a signature before them is customary, but not required.
  private static func descriptorByteCount(
    in bytes: [UInt8], _ entry: ZipDirectoryEntry
  ) -> Int? {
    let signature = Array("PK\u{7}\u{8}".utf8)
    for prefix in [signature, []] where bytes.starts(with: prefix) {
      let fields = LittleEndianFields(bytes: bytes[prefix.count...])
      guard fields.bytes.count >= 12, fields.uint32(0) == entry.checksum else { continue }
      let (compressed, expanded) = (UInt64(entry.compressedByteCount), UInt64(entry.byteCount))
      if fields.bytes.count >= 20, fields.uint64(4) == compressed, fields.uint64(12) == expanded {
        return prefix.count + 20
      }
      if UInt64(fields.uint32(4)) == compressed, UInt64(fields.uint32(8)) == expanded {
        return prefix.count + 12
      }
    }
    return nil
  }
}

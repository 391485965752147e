@testable import TensorFiles

/// A zip archive put together field by field, right by itself and wrong where a test wants it.
struct ArchiveSketch {
  /// Numbers that a header states.
  struct Fields {
    var version: UInt16 = 20
    var flags: UInt16 = 0
    var method: UInt16 = 0
    var checksum: UInt32
    var compressedByteCount: UInt32
    var byteCount: UInt32
    var name: [UInt8]
    var extra: [UInt8] = []

    /// The numbers from the flags on, with a date between.
    var bytes: [UInt8] {
      little(flags) + little(method) + [0, 0, 0x21, 0] + little(checksum)
        + little(compressedByteCount) + little(byteCount) + little(UInt16(name.count))
        + little(UInt16(extra.count))
    }
  }

  struct Member {
    var stored: [UInt8]
    var local: Fields
    var entry: Fields
    var descriptor: [UInt8] = []
    /// The offset that the directory states; nil for where the member is.
    var offset: UInt32?
    /// The number of the archive's part that the directory states.
    var part: UInt16 = 0
    var comment: [UInt8] = []
    /// Bytes before the member.
    var gap: [UInt8] = []

    /// A stored member.
    init(_ name: String, _ bytes: [UInt8]) {
      stored = bytes
      let count = UInt32(bytes.count)
      local = Fields(
        checksum: bytes.withUnsafeBytes { CRC32.of($0) }, compressedByteCount: count,
        byteCount: count, name: Array(name.utf8))
      entry = local
    }

    /// A deflated member, whose stream has one stored block.
    init(deflated name: String, _ bytes: [UInt8]) {
      self.init(name, bytes)
      var stream = BitStream()
      stream.appendStored(bytes)
      stored = stream.bytes
      change {
        $0.method = 8
        $0.compressedByteCount = UInt32(stream.bytes.count)
      }
    }

    /// Changes both headers.
    mutating func change(_ body: (inout Fields) -> Void) {
      body(&local)
      body(&entry)
    }

    /// Moves checksum and sizes from the local header behind the data.
    mutating func useDescriptor(
      signature: [UInt8] = Array("PK\u{7}\u{8}".utf8), isWide: Bool = false
    ) {
      change { $0.flags |= 8 }
      let (compressed, expanded) = (local.compressedByteCount, local.byteCount)
      descriptor = signature + little(local.checksum)
      descriptor +=
        isWide
        ? little(UInt64(compressed)) + little(UInt64(expanded))
        : little(compressed) + little(expanded)
      (local.checksum, local.compressedByteCount, local.byteCount) = (0, 0, 0)
    }
  }

  var members: [Member]
  var comment: [UInt8] = []
  /// What the end record states; nil for what is there.
  var memberCount: UInt16?
  var directoryByteCount: UInt32?
  var directoryOffset: UInt32?
  /// Whether there is a zip64 end record, of which numbers are replaced here by their places.
  var zip64: [Int: UInt64]?
  /// The place of the zip64 end record that its locator states; nil for where it is.
  var zip64Offset: UInt64?
  /// Bytes before the end record.
  var gap: [UInt8] = []

  init(_ members: [Member]) { self.members = members }

  var bytes: [UInt8] {
    var result: [UInt8] = []
    var directory: [UInt8] = []
    for member in members {
      result += member.gap
      let offset = member.offset ?? UInt32(result.count)
      result += Array("PK\u{3}\u{4}".utf8) + little(member.local.version) + member.local.bytes
      result += member.local.name + member.local.extra + member.stored + member.descriptor
      directory += Array("PK\u{1}\u{2}".utf8) + [20, 3] + little(member.entry.version)
      directory += member.entry.bytes + little(UInt16(member.comment.count)) + little(member.part)
      directory += [0, 0, 0, 0, 0, 0] + little(offset)
      directory += member.entry.name + member.entry.extra + member.comment
    }
    let start = result.count
    result += directory + gap
    let count = members.count
    if let zip64 {
      let end = result.count
      // The numbers at bytes 4, 12, 16, 20, 24, 32, 40 and 48.
      func number(_ place: Int, _ usual: Int) -> UInt64 { zip64[place] ?? UInt64(usual) }
      result += Array("PK\u{6}\u{6}".utf8) + little(number(4, 44)) + [45, 3, 45, 0]
      result += little(UInt32(number(16, 0))) + little(UInt32(number(20, 0)))
      result += little(number(24, count)) + little(number(32, count))
      result += little(number(40, directory.count)) + little(number(48, start))
      result += Array("PK\u{6}\u{7}".utf8) + [0, 0, 0, 0]
      result += little(zip64Offset ?? UInt64(end)) + [1, 0, 0, 0]
    }
    let stated = memberCount ?? UInt16(count)
    result += Array("PK\u{5}\u{6}".utf8) + [0, 0, 0, 0] + little(stated) + little(stated)
    result += little(directoryByteCount ?? UInt32(directory.count + gap.count))
    result += little(directoryOffset ?? UInt32(start))
    return result + little(UInt16(comment.count)) + comment
  }
}

/// The extra field of sizes of 64 bits.
func zip64Field(_ numbers: [UInt64]) -> [UInt8] {
  [1, 0] + little(UInt16(8 * numbers.count)) + numbers.flatMap(little)
}

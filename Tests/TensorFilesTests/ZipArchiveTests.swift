import Testing

@testable import TensorFiles

@Suite("Zip archives")
struct ZipArchiveTests {
  private typealias Member = ArchiveSketch.Member

  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(_ bytes: [UInt8]) throws -> ZipArchive {
    try ZipArchive(InputFile(path: folder.write(bytes)))
  }

  private func contents(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    let members = try open(bytes).members
    return try Dictionary(uniqueKeysWithValues: members.map { ($0.name, try $0.contents().bytes) })
  }

  private func check(
    _ bytes: [UInt8], _ expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let error = #expect(throws: TensorFileError.self, sourceLocation: sourceLocation) {
      _ = try contents(bytes)
    }
    #expect(
      error?.description == "\(path): \(expected)", sourceLocation: sourceLocation)
  }

  private let data: [UInt8] = Array("some bytes of a member".utf8)

  // MARK: Accepted

  @Test("Members are read as they were stored, whatever their headers leave open")
  func accepted() throws {
    var members = [Member("stored", data), Member(deflated: "deflated", data), Member("empty", [])]
    members.append(Member(deflated: "empty deflated", []))
    for (index, isWide) in [false, true].enumerated() {
      for (place, signature) in [Array("PK\u{7}\u{8}".utf8), []].enumerated() {
        var member = Member(deflated: "described \(index) \(place)", data)
        member.useDescriptor(signature: signature, isWide: isWide)
        members.append(member)
      }
    }
    var member = Member("described, but here too", data)
    let local = member.local
    member.useDescriptor()
    member.local = local
    member.local.flags = 8
    members.append(member)

    member = Member("zip64 as NumPy writes it", data)
    let count = UInt64(data.count)
    member.local.extra = zip64Field([count, count])
    (member.local.compressedByteCount, member.local.byteCount) = (.max, .max)
    members.append(member)
    member = Member("zip64 as older Python writes it", data)
    member.local.extra = zip64Field([count, count])
    members.append(member)
    member = Member("zip64 in the directory", data)
    member.entry.extra = [0xfe, 0xca, 1, 0, 9] + zip64Field([count, count])
    (member.entry.compressedByteCount, member.entry.byteCount) = (.max, .max)
    members.append(member)
    member = Member("size alone", data)
    member.entry.extra = zip64Field([count])
    member.entry.byteCount = .max
    members.append(member)
    member = Member("zip64 behind the data", data)
    member.useDescriptor(isWide: true)
    member.local.extra = zip64Field([0, 0])
    (member.local.compressedByteCount, member.local.byteCount) = (.max, .max)
    members.append(member)
    member = Member("größe", data)
    member.change { $0.flags = 1 << 11 }
    members.append(member)
    member = Member("gap", data)
    member.gap = [1, 2, 3]
    member.comment = Array("comment".utf8)
    members.append(member)

    let expected = members.map { String(decoding: $0.entry.name, as: UTF8.self) }
    for zip64 in [nil, [:]] as [[Int: UInt64]?] {
      for comment in [0, 1, 65_535] {
        var sketch = ArchiveSketch(members)
        sketch.zip64 = zip64
        sketch.comment = [UInt8](repeating: 0x50, count: comment)
        #expect(try open(sketch.bytes).members.map(\.name) == expected)
        for (name, bytes) in try contents(sketch.bytes) {
          #expect(bytes == (name.hasPrefix("empty") ? [] : data), "\(name)")
        }
      }
    }
    var wide = ArchiveSketch(members)
    wide.zip64 = [:]
    (wide.memberCount, wide.directoryByteCount, wide.directoryOffset) = (.max, .max, .max)
    #expect(try open(wide.bytes).members.map(\.name) == expected)
    #expect(try open(ArchiveSketch([]).bytes).members.isEmpty)
  }

  @Test("The start of a member is read without the rest, deflated or not")
  func starts() throws {
    let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var stream = BitStream()
    stream.appendStored(Array(bytes[..<65_000]), isLast: false)
    stream.appendStored(Array(bytes[65_000...]))
    var deflated = Member("b", bytes)
    deflated.stored = stream.bytes
    deflated.change {
      $0.method = 8
      $0.compressedByteCount = UInt32(stream.bytes.count)
    }
    let archive = try open(ArchiveSketch([Member("a", bytes), deflated]).bytes)
    for member in archive.members {
      for count in [0, 1, 64_999, 65_001, 70_000, 80_000] {
        #expect(try member.start(count) == Array(bytes.prefix(count)))
      }
      #expect(try member.contents().bytes == bytes)
      try member.verify()
    }
  }

  @Test("Members may lie in another order than in the directory")
  func order() throws {
    let (first, second) = (Member("b", [1, 2]), Member("a", [3]))
    var sketch = ArchiveSketch([first, second])
    (sketch.members[0].entry, sketch.members[1].entry) = (second.entry, first.entry)
    (sketch.members[0].offset, sketch.members[1].offset) = (33, 0)
    #expect(try open(sketch.bytes).members.map(\.name) == ["b", "a"])
    #expect(try contents(sketch.bytes) == ["a": [3], "b": [1, 2]])
  }

  // MARK: Refused

  /// An archive of one member, which is changed.
  private func archive(_ change: (inout Member) -> Void) -> [UInt8] {
    var member = Member("m", data)
    change(&member)
    return ArchiveSketch([member]).bytes
  }

  @Test("An entry of the directory that asks for what is not read is refused")
  func entries() throws {
    let member = "member 'm': "
    try check(archive { $0.change { $0.flags = 1 } }, member + "is encrypted")
    try check(archive { $0.change { $0.flags = 0x2048 } }, member + "has unknown flags 0x2040")
    try check(
      archive { $0.change { $0.version = 46 } }, member + "needs version 46 of the zip format")
    for method: UInt16 in [1, 7, 9, 12, 93, 0x800, .max] {
      try check(
        archive { $0.change { $0.method = method } },
        member + "has unknown compression method \(method)")
    }
    try check(archive { $0.change { $0.name = [] } }, "member '': has no name")
    try check(
      archive { $0.change { $0.name = [0x61, 0, 0x62] } },
      "member 'a\\u{0}b': has a name with a NUL character")
    try check(
      archive { $0.change { $0.name = [0xff] } }, "bad archive: name of a member is not UTF-8")
    try check(
      archive { $0.change { $0.name = Array("é".utf8) } },
      "member 'é': has a name that is neither ASCII nor marked as UTF-8")
    let sizes = member + "has sizes or an offset that its zip64 field does not hold"
    try check(archive { $0.entry.byteCount = .max }, sizes)
    try check(archive { $0.offset = .max }, sizes)
    try check(archive { $0.part = 1 }, sizes)
    try check(archive { $0.part = .max }, sizes)
    try check(archive { $0.entry.extra = zip64Field([22]) }, sizes)
    try check(
      archive {
        $0.entry.byteCount = .max
        $0.entry.extra = zip64Field([1 << 63])
      }, sizes)
    try check(
      archive { $0.entry.extra = [1, 0, 0] }, member + "has an extra field of 3 bytes")
    try check(
      archive { $0.entry.extra = [9, 9, 5, 0, 1] },
      member + "has an extra field of 5 bytes, of which 1 are there")
    try check(
      archive { $0.entry.extra = zip64Field([]) + zip64Field([]) }, member + "has two zip64 fields")
  }

  @Test("A member that claims more than its bytes can become is refused before it is read")
  func bombs() throws {
    for (stored, claimed): (Int, UInt64) in [
      (0, 1), (22, 21), (22, 23), (22, UInt64(Int.max)),
    ] {
      let bytes = archive {
        $0.stored = [UInt8](repeating: 0, count: stored)
        $0.change { $0.compressedByteCount = UInt32(stored) }
        $0.entry.byteCount = .max
        $0.entry.extra = zip64Field([claimed])
      }
      try check(bytes, "member 'm': claims \(claimed) bytes, made of \(stored)")
    }
    for claimed: UInt64 in [23 * 1032, 1 << 40, UInt64(Int.max)] {
      let bytes = archive {
        $0.change { $0.method = 8 }
        $0.entry.byteCount = .max
        $0.entry.extra = zip64Field([claimed])
      }
      try check(bytes, "member 'm': claims \(claimed) bytes, made of 22")
    }
    // The most that deflate makes of its bytes is no bomb, only not what these bytes make.
    let bytes = archive {
      $0.stored = [3, 0]
      $0.change {
        $0.method = 8
        $0.compressedByteCount = 2
        $0.byteCount = 2064
      }
    }
    try check(bytes, "member 'm': holds 0 bytes, not the 2064 it claims")
  }

  @Test("A local header has to say what the directory says")
  func localHeaders() throws {
    let differs = "member 'm': its local header and its directory entry do not agree"
    try check(archive { $0.local.name = [0x6e] }, differs)
    try check(archive { $0.local.name += [0x6d] }, differs)
    try check(archive { $0.local.flags = 2 }, differs)
    try check(archive { $0.local.method = 8 }, differs)
    try check(archive { $0.local.version = 46 }, differs)
    let size = differs + " on its size or CRC-32"
    try check(archive { $0.local.checksum ^= 1 }, size)
    try check(archive { $0.local.checksum = 0 }, size)
    try check(archive { $0.local.byteCount += 1 }, size)
    try check(archive { $0.local.compressedByteCount -= 1 }, size)
    try check(archive { $0.local.byteCount = .max }, size)
    try check(archive { $0.local.extra = zip64Field([22]) }, size)
    try check(archive { $0.local.extra = zip64Field([22, 23]) }, size)
    try check(archive { $0.local.extra = zip64Field([22, 22, 0]) }, size)
    try check(archive { $0.local.extra = [1] }, "member 'm': has an extra field of 1 bytes")
    let both = archive {
      $0.local.byteCount = 21
      $0.local.extra = zip64Field([22, 22])
    }
    try check(both, size)
  }

  @Test("A data descriptor has to say what the directory says")
  func descriptors() throws {
    let missing = "member 'm': no data descriptor that agrees with its directory entry"
    try check(archive { $0.change { $0.flags = 8 } }, missing)
    for isWide in [false, true] {
      for index in 4..<(isWide ? 24 : 16) {
        let bytes = archive {
          $0.useDescriptor(isWide: isWide)
          $0.descriptor[index] ^= 0x10
        }
        try check(bytes, missing)
      }
    }
    let short = archive {
      $0.useDescriptor()
      $0.descriptor.removeLast()
    }
    try check(short, missing)
    let wrong = archive {
      $0.useDescriptor()
      $0.local.byteCount = 5
    }
    try check(
      wrong,
      "member 'm': its local header and its directory entry do not agree on its size or CRC-32")
  }

  @Test("Offsets and sizes that leave the space before the directory are refused")
  func places() throws {
    let start = 31 + data.count
    for offset in [start, start - 29, start + 10, Int(UInt32.max) - 1] {
      try check(
        archive { $0.offset = UInt32(offset) },
        "member 'm': 30 bytes at \(offset) reach past \(start), where the directory starts")
    }
    try check(archive { $0.offset = 1 }, "member 'm': no local header at 1")
    let long = archive {
      $0.change {
        $0.byteCount = 23
        $0.compressedByteCount = 23
      }
    }
    try check(
      long, "member 'm': 23 bytes at 31 reach past \(start), where the directory starts")
    let farthest = archive {
      $0.entry.extra = zip64Field([UInt64(Int.max), UInt64(Int.max), UInt64(Int.max)])
      (($0.entry.byteCount, $0.entry.compressedByteCount), $0.offset) = ((.max, .max), .max)
    }
    try check(
      farthest,
      "member 'm': 30 bytes at \(Int.max) reach past \(start), where the directory starts")
  }

  @Test("Members of one name or in one place are refused")
  func duplicates() throws {
    let twice = ArchiveSketch([Member("m", data), Member("n", data), Member("m", [1])])
    try check(twice.bytes, "member 'm': occurs twice")
    // Two spellings of é are two names.
    let spellings = ["e\u{301}", "\u{e9}"].map {
      var member = Member($0, data)
      member.change { $0.flags = 1 << 11 }
      return member
    }
    #expect(try open(ArchiveSketch(spellings).bytes).members.count == 2)

    // A whole member inside the data of another.
    let inner = ArchiveSketch([Member("n", [1, 2, 3])]).bytes.prefix(34)
    var sketch = ArchiveSketch([Member("m", Array(inner) + [4]), Member("n", [1, 2, 3])])
    sketch.members[1].offset = 31
    try check(
      sketch.bytes,
      "member 'n': starts at byte 31, inside the one before, which ends at 66")
    sketch.members[1] = Member("m2", [])
    sketch.members[1].offset = 0
    sketch.members[1].entry = sketch.members[0].entry
    try check(sketch.bytes, "member 'm': occurs twice")
  }

  @Test("A checksum that is not that of the bytes is refused when they are read as a whole")
  func checksums() throws {
    for member in [Member("m", data), Member(deflated: "m", data)] {
      var member = member
      let right = member.entry.checksum
      member.change { $0.checksum ^= 0x1000_0000 }
      let bytes = ArchiveSketch([member]).bytes
      func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }
      let wrong = hexadecimal(member.entry.checksum)
      try check(bytes, "member 'm': CRC-32 is \(hexadecimal(right)), not \(wrong)")
      let opened = try open(bytes).members[0]
      #expect(throws: TensorFileError.self) { try opened.verify() }
      #expect(try opened.start(5) == Array(data.prefix(5)))
    }
  }

  @Test("End records that do not fit the file are refused")
  func endRecords() throws {
    func archive(_ change: (inout ArchiveSketch) -> Void) -> [UInt8] {
      var sketch = ArchiveSketch([Member("m", data)])
      change(&sketch)
      return sketch.bytes
    }
    let start = 31 + data.count
    let size = 47
    let none = "bad archive: no end record; the file may be cut short"
    try check(archive { _ in } + [0], none)
    try check(archive { $0.comment = [1, 2] }.dropLast(), none)
    try check(Array("PK\u{5}\u{6}".utf8) + [UInt8](repeating: 0, count: 17), none)
    try check([UInt8](repeating: 0x50, count: 70_000), none)
    for (change, offset, count) in [
      ({ $0.directoryOffset = UInt32(start + 1) }, start + 1, size),
      ({ $0.directoryByteCount = UInt32(size - 1) }, start, size - 1),
      ({ $0.directoryByteCount = .max }, start, Int(UInt32.max)),
    ] as [((inout ArchiveSketch) -> Void, Int, Int)] {
      try check(
        archive(change),
        "bad archive: directory of \(count) bytes at \(offset), but its end record at "
          + "\(start + size)")
    }
    try check(
      archive { $0.memberCount = 2 }, "bad archive: 2 members in a directory of \(size) bytes")
    try check(
      archive { $0.memberCount = .max },
      "bad archive: 65535 members in a directory of \(size) bytes")
    try check(
      archive { $0.memberCount = 0 },
      "bad archive: directory of 0 members ends at byte 0 of \(size)")
    try check(
      archive { $0.gap = [0] },
      "bad archive: directory of 1 members ends at byte \(size) of \(size + 1)")
    try check(
      archive {
        $0.gap = [UInt8](repeating: 0, count: 50)
        $0.memberCount = 2
      }, "bad archive: no entry at byte \(size) of the directory")
    try check(
      archive {
        $0.gap = [UInt8](repeating: 0, count: 45)
        $0.memberCount = 2
      }, "bad archive: directory ends inside an entry")
    var split = archive { _ in }
    split[split.count - 18] = 1
    try check(split, "bad archive: is a part of an archive in several files")
  }

  @Test("End records of large archives that do not fit the file are refused")
  func wideEndRecords() throws {
    func archive(
      _ numbers: [Int: UInt64], _ change: (inout ArchiveSketch) -> Void = { _ in }
    ) -> [UInt8] {
      var sketch = ArchiveSketch([Member("m", data)])
      sketch.zip64 = numbers
      (sketch.memberCount, sketch.directoryByteCount, sketch.directoryOffset) = (.max, .max, .max)
      change(&sketch)
      return sketch.bytes
    }
    let (start, size) = (UInt64(31 + data.count), UInt64(47))
    let end = start + size
    #expect(try open(archive([:])).members.count == 1)
    let several = "bad archive: is a part of an archive in several files"
    for place in [16, 20, 24] { try check(archive([place: 5]), several) }
    let differ = "bad archive: its two end records do not agree"
    try check(archive([:]) { $0.memberCount = 2 }, differ)
    try check(archive([:]) { $0.directoryByteCount = 46 }, differ)
    try check(archive([:]) { $0.directoryOffset = 0 }, differ)
    for length: UInt64 in [43, 45, .max] {
      try check(
        archive([4: length]), "bad archive: zip64 end record of \(length) bytes at \(end)")
    }
    for place: UInt64 in [end + 1, 1 << 62, .max] {
      try check(
        archive([:]) { $0.zip64Offset = place },
        "bad archive: zip64 end record at \(place), but its locator at \(end + 56)")
    }
    try check(
      archive([:]) { $0.zip64Offset = 0 }, "bad archive: no zip64 end record at 0")
    for (numbers, count, offset) in [
      ([48: .max], size, .max), ([40: .max], .max, start), ([48: 0], size, 0),
      ([40: 1 << 63, 48: 1 << 63], 1 << 63, 1 << 63),
    ] as [([Int: UInt64], UInt64, UInt64)] {
      try check(
        archive(numbers),
        "bad archive: directory of \(count) bytes at \(offset), but its end record at \(end)")
    }
    try check(
      archive([24: .max, 32: .max]),
      "bad archive: \(UInt64.max) members in a directory of \(size) bytes")
  }

  @Test("An archive of more members than the limit is refused")
  func tooManyMembers() throws {
    let count = ZipArchive.memberLimit + 1
    let entry = [UInt8](repeating: 0, count: 46)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(46 * count + 98)
    for _ in 0..<count { bytes += entry }
    var end = ArchiveSketch([])
    end.zip64 = [24: UInt64(count), 32: UInt64(count), 40: UInt64(bytes.count), 48: 0]
    end.zip64Offset = UInt64(bytes.count)
    (end.memberCount, end.directoryByteCount, end.directoryOffset) = (.max, .max, .max)
    bytes += end.bytes
    try check(bytes, "bad archive: \(count) members exceed the limit of \(count - 1)")
  }
}

import Foundation
import Testing

@testable import TensorFiles

@Suite("Hostile GGUF files")
struct HostileGGUFTests {
  private typealias Failure = TensorFileError

  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func check(_ bytes: [UInt8], _ expected: Failure, _ label: String) throws {
    try folder.write(bytes)
    let error = #expect(throws: Failure.self, "\(label)") { try GGUFFile(path: path) }
    #expect(error == expected, "\(label)")
  }

  private func syntax(_ offset: Int, _ reason: String) -> Failure {
    .headerSyntax(path: path, offset: offset, reason: reason)
  }

  private func bad(_ reason: String) -> Failure {
    .badEntry(path: path, tensor: "a", reason: reason)
  }

  /// Magic bytes, version 3 and the two counts.
  private func preamble(tensors: UInt64, entries: UInt64) -> [UInt8] {
    Array("GGUF".utf8) + little(UInt32(3)) + little(tensors) + little(entries)
  }

  @Test("Files of other kinds and versions are refused by what they are")
  func versions() throws {
    let unknown = Failure.unknownType(path: path, expected: "a GGUF file")
    try check(Array("GGUX".utf8) + [UInt8](repeating: 0, count: 40), unknown, "GGUX")
    try check(Array("FUGG".utf8), unknown, "FUGG")
    try check(
      SafetensorsGoldenTests.fourBit,
      .unknownType(path: path, expected: "a GGUF file", found: "a safetensors file"), "safetensors")
    try check(
      gguf(version: 1),
      .badHeader(path: path, reason: "version 1, which counts in 32 bits, is not supported"), "1")
    try check(
      gguf(version: UInt32(3).byteSwapped),
      .badHeader(path: path, reason: "big-endian files are not supported (version 3)"), "swapped")
    for version in [0, 4, 70000] as [UInt32] {
      try check(
        gguf(version: version),
        .unsupportedVersion(path: path, major: Int(version), minor: 0), "\(version)")
    }
    #expect(try GGUFFile(path: folder.write(gguf(version: 2))).version == 2)
  }

  @Test("Counts are refused before anything is made of them")
  func counts() throws {
    func truncated(_ needed: Int, _ available: Int) -> Failure {
      .headerTruncated(path: path, needed: needed, available: available)
    }
    for count in [.max, 1 << 63, 1 << 60] as [UInt64] {
      try check(preamble(tensors: count, entries: 0), truncated(.max, 24), "\(count) tensors")
      try check(preamble(tensors: 0, entries: count), truncated(.max, 24), "\(count) keys")
      try check(
        gguf(entries: [ggufArray("a", 10, count, [])]), truncated(.max, 64), "\(count) numbers")
      try check(
        gguf(entries: [ggufArray("a", 8, count, [])]), truncated(.max, 64), "\(count) strings")
    }
    try check(preamble(tensors: 2, entries: 0), truncated(24 + 48, 24), "2 tensors")
    try check(preamble(tensors: 0, entries: 2), truncated(24 + 26, 24), "2 keys")
    // An array at byte 45, behind its key, types and number: 3 bytes of padding are no number.
    try check(gguf(entries: [ggufArray("aaaa", 4, 5, [])]), truncated(52 + 20, 64), "numbers")
    try check(gguf(entries: [ggufArray("aaaa", 7, 13, [])]), truncated(52 + 13, 64), "truths")
    // The first of the strings claims more than there is.
    for length in [.max, .max - 7, 1 << 63] as [UInt64] {
      try check(
        gguf(entries: [ggufArray("aaaa", 8, 1, little(length))]), truncated(.max, 64), "a string")
      try check(
        gguf(entries: [ggufEntry("aaaa", 8, little(length))]), truncated(.max, 64), "a text")
    }
    let entries = [UInt8](repeating: 0, count: 13 * (GGUFFile.countLimit + 1))
    try check(
      preamble(tensors: 0, entries: UInt64(GGUFFile.countLimit + 1)) + entries,
      .badHeader(path: path, reason: "1048577 metadata keys, more than 1048576"), "keys")
  }

  @Test("A header beyond the limit is refused before it is read")
  func limit() throws {
    let count = UInt64(GGUFFile.headerLimit)
    let length = Failure.headerTooLong(
      path: path, length: count + 49, limit: GGUFFile.headerLimit)
    for (entry, label) in [
      (ggufArray("k", 0, count, []), "numbers"), (ggufArray("k", 8, count / 8, []), "strings"),
      (ggufEntry("kkkkk", 8, little(count)), "text"),
    ] {
      try folder.write(gguf(entries: [entry]))
      // A file with a hole, which takes no room.
      let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try handle.truncate(atOffset: 2 * count)
      let error = #expect(throws: Failure.self, "\(label)") { try GGUFFile(path: path) }
      #expect(error == length, "\(label)")
    }
  }

  @Test("Malformed keys and values are refused with their offset")
  func entries() throws {
    let long = String(repeating: "k", count: GGUFFile.nameLimit + 1)
    let cases: [([UInt8], Failure, String)] = [
      (ggufEntry("", 0, [1]), syntax(24, "metadata key of no bytes"), "no key"),
      (
        ggufEntry(long, 0, [1]), syntax(24, "metadata key of 65536 bytes, more than 65535"), "long"
      ),
      (
        ggufText([0x61, 0xff]) + little(UInt32(0)) + [1],
        .headerNotUTF8(path: path, offset: 33), "key"
      ),
      (ggufEntry("k", 8, ggufText([0xc3])), .headerNotUTF8(path: path, offset: 45), "text"),
      (ggufEntry("k", 13, [1]), syntax(33, "unknown value type 13 of key 'k'"), "type"),
      (ggufEntry("k", .max, [1]), syntax(33, "unknown value type 4294967295 of key 'k'"), "type"),
      (ggufArray("k", 13, 0, []), syntax(37, "unknown value type 13 of key 'k'"), "elements"),
      (ggufArray("k", 9, 0, []), syntax(37, "array of arrays for key 'k'"), "nested"),
      (
        ggufEntry("k", 7, [2]),
        syntax(37, "truth value 2, which is neither 0 nor 1, of key 'k'"), "truth"
      ),
      (
        ggufArray("k", 7, 3, [1, 0, 255]),
        syntax(51, "truth value 255, which is neither 0 nor 1, of key 'k'"), "truths"
      ),
    ]
    for (entry, expected, label) in cases {
      try check(gguf(entries: [entry]), expected, label)
    }
  }

  @Test("A key or a name that occurs twice is refused, two spellings of a letter are not")
  func duplicates() throws {
    let entry = ggufEntry("k", 0, [1])
    try check(
      gguf(entries: [entry, ggufEntry("l", 0, [1]), entry]),
      .duplicateKey(path: path, key: "k", offset: 24 + 28), "key")
    try check(
      gguf(tensors: [ggufTensor("a", [0]), ggufTensor("a", [0])]),
      .duplicateTensor(path: path, tensor: "a"), "name")
    let (one, two) = ("\u{e9}", "e\u{301}")
    let file = try GGUFFile(
      path: folder.write(
        gguf(
          entries: [ggufEntry(one, 0, [1]), ggufEntry(two, 0, [2])],
          tensors: [ggufTensor(one, [1]), ggufTensor(two, [2], offset: 32)], dataCount: 34)))
    #expect(file.metadata[one] == .uint8(1))
    #expect(file.metadata[two] == .uint8(2))
    #expect(file.tensor(named: one)?.shape == [1])
    #expect(file.tensor(named: two)?.shape == [2])
  }

  @Test("Only a power of two within the limit, as a uint32, is an alignment")
  func alignments() throws {
    let key = "general.alignment"
    for number in [0, 3, 24, 33, 1 << 21, 1 << 31, .max] as [UInt32] {
      try check(
        gguf(entries: [ggufEntry(key, 4, little(number))]),
        .badHeader(path: path, reason: "\(key) is \(number), not a power of two up to 1048576"),
        "\(number)")
    }
    for (type, name, value) in [
      (5, "int32", little(UInt32(32))), (10, "uint64", little(UInt64(32))),
      (8, "string", ggufText("32")), (9, "array", little(UInt32(4)) + little(UInt64(0))),
    ] as [(UInt32, String, [UInt8])] {
      try check(
        gguf(entries: [ggufEntry(key, type, value)]),
        .badHeader(path: path, reason: "\(key) is of type \(name), not uint32"), name)
    }
    for alignment in [1, 2, 8, 4096, 1 << 20] {
      let file = try GGUFFile(
        path: folder.write(
          gguf(
            entries: [ggufEntry(key, 4, little(UInt32(alignment)))],
            tensors: [
              ggufTensor("a", [1]), ggufTensor("b", [1], offset: UInt64(alignment)),
            ], alignment: alignment, dataCount: alignment + 1)))
      #expect(file.alignment == alignment)
      #expect(file.dataRange.lowerBound % alignment == 0)
      let tensor = try #require(file.tensor(named: "b"))
      #expect(try file.bytes(of: tensor) == [UInt8(truncatingIfNeeded: alignment)])
    }
  }

  @Test("Bad tensors are refused by name and reason")
  func tensors() throws {
    let long = String(repeating: "n", count: GGUFFile.nameLimit + 1)
    let overflow = Failure.shapeOverflow(path: path, tensor: "a")
    let cases: [([UInt8], Failure)] = [
      (ggufTensor(long, [1]), syntax(24, "tensor name of 65536 bytes, more than 65535")),
      (
        ggufText([0x61, 0xed, 0xa0, 0x80]) + [UInt8](repeating: 0, count: 24),
        .headerNotUTF8(path: path, offset: 33)
      ),
      (ggufTensor("a", [1, 1, 1, 1, 1]), bad("has 5 extents, more than 4")),
      (ggufTensor("a", [2, -1]), bad("has the negative extent -1")),
      (ggufTensor("a", [.min]), bad("has the negative extent \(Int64.min)")),
      (ggufTensor("a", [1 << 24, 1 << 25]), overflow),
      (ggufTensor("a", [.max, .max, .max, .max]), overflow),
      (ggufTensor("a", [0, .max, .max]), overflow),
      (
        ggufTensor("a", [33, 32], type: 39),
        bad("has rows of 33 elements, which do not fill blocks of 32 (MXFP4)")
      ),
      (
        ggufTensor("a", [32, 64], type: 40),
        bad("has rows of 32 elements, which do not fill blocks of 64 (NVFP4)")
      ),
      (
        ggufTensor("a", [], type: 12),
        bad("has rows of 1 elements, which do not fill blocks of 256 (Q4_K)")
      ),
      (ggufTensor("a", [1], offset: .max), bad("offset \(UInt64.max) is out of range")),
    ]
    for (tensor, expected) in cases {
      try check(gguf(tensors: [tensor], dataCount: 4), expected, "\(expected)")
    }
    for type in [4, 5, 31, 36, 43, .max] as [UInt32] {
      try check(
        gguf(tensors: [ggufTensor("a", [256], type: type)], dataCount: 4096),
        .unknownDType(path: path, tensor: "a", dtype: "\(type)"), "\(type)")
    }
  }

  @Test("Tensors must follow each other in the order of the header, padded and without holes")
  func layout() throws {
    func two(_ first: UInt64, _ second: UInt64) -> [UInt8] {
      gguf(
        tensors: [ggufTensor("a", [33], offset: first), ggufTensor("b", [1], offset: second)],
        dataCount: 128)
    }
    let start = 96
    #expect(try GGUFFile(path: folder.write(two(0, 64))).dataRange == start..<start + 65)
    func overlap(_ offset: Int, _ end: Int) -> Failure {
      .overlap(path: path, tensor: "b", start: start + offset, previousEnd: start + end)
    }
    try check(two(0, 0), overlap(0, 64), "shared")
    // Behind the last byte, but inside the padding.
    try check(two(0, 33), overlap(33, 64), "unpadded")
    try check(
      two(0, 96), .hole(path: path, tensor: "b", start: start + 96, previousEnd: start + 64), "hole"
    )
    try check(
      two(64, 0), .hole(path: path, tensor: "a", start: start + 64, previousEnd: start), "swapped")
    // A byte too few, the padding of the last tensor aside.
    let whole = Array(two(0, 64).prefix(start + 65))
    #expect(try GGUFFile(path: folder.write(whole)).tensors.count == 2)
    try check(
      whole.dropLast(), .dataTruncated(path: path, needed: 65, available: 64), "truncated")
  }

  @Test("Sizes that no file has are refused without overflow")
  func sizes() throws {
    // 2^48 elements of 8 bytes: each tensor is possible by itself.
    let bytes = UInt64(1) << 51
    let tensors = (0..<5000).map {
      ggufTensor("\($0)", [1 << 48], type: 28, offset: bytes &* UInt64($0))
    }
    let header = gguf(tensors: tensors)
    try folder.write(header)
    let error = #expect(throws: Failure.self) { try GGUFFile(path: path) }
    #expect(error == .shapeOverflow(path: path, tensor: "4095"))
    try check(
      gguf(tensors: [tensors[0]]),
      .dataTruncated(path: path, needed: 1 << 51, available: 0), "one")
  }

  @Test("Empty tensors, scalars, and a file of nothing are valid")
  func empty() throws {
    let nothing = try GGUFFile(path: folder.write(preamble(tensors: 0, entries: 0)))
    #expect(nothing.tensors.isEmpty && nothing.metadata.entries.isEmpty)
    #expect(nothing.dataRange == 24..<24)
    let file = try GGUFFile(
      path: folder.write(
        gguf(
          tensors: [
            ggufTensor("", [0, 5]), ggufTensor("b", [32, 0], type: 39), ggufTensor("c", []),
          ], dataCount: 1)))
    #expect(file.tensors.map(\.shape) == [[5, 0], [0, 32], []])
    #expect(file.tensors.map(\.elementCount) == [0, 0, 1])
    #expect(file.tensors.map(\.byteRange.count) == [0, 0, 1])
    #expect(try file.bytes(of: file.tensors[1]) == [])
    #expect(try file.bytes(of: file.tensors[2]) == [0])
  }

  @Test("What follows the last tensor means nothing, as in the reference reader")
  func trailing() throws {
    let bytes = gguf(tensors: [ggufTensor("a", [4])], dataCount: 4) + [1, 2, 3]
    let file = try GGUFFile(path: folder.write(bytes))
    #expect(file.dataRange == bytes.count - 7..<bytes.count - 3)
  }

  @Test("A name may be longer than those that are written, and steers no terminal")
  func names() throws {
    let name = "\u{1b}[2J" + String(repeating: "n", count: 200)
    let file = try GGUFFile(
      path: folder.write(gguf(tensors: [ggufTensor(name, [1])], dataCount: 1)))
    #expect(file.tensors.map(\.name) == [name])
    #expect(file.tensors[0].printableName.hasPrefix(#"\u{1b}[2Jnnn"#))
    #expect(file.tensors[0].printableName.count < 140)
  }
}

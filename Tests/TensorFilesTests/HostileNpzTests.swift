import FormatTestSupport
import Foundation
import Testing

@testable import TensorFiles

@Suite("Hostile NumPy archives")
struct HostileNpzTests {
  private typealias Member = ArchiveSketch.Member

  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let vectors = Result {
    try VectorFile.load(ArchiveVectors.self, from: "npz/archives.json")
  }

  /// Small archives: stored, compressed, with descriptors, with zip64 records, with others.
  private static let small = [
    "savez", "savez_compressed", "savez into a pipe",
    "savez_compressed into a pipe of large sizes", "zipfile with others, deflated",
  ]

  private func vector(_ name: String) throws -> ArchiveVectors.Case {
    try #require(Self.vectors.get().cases.first { $0.name == name })
  }

  private func check(
    _ bytes: [UInt8], _ expected: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try folder.write(bytes)
    let error = #expect(throws: TensorFileError.self, sourceLocation: sourceLocation) {
      let file = try NpzFile(path: path)
      for tensor in file.tensors { _ = try file.bytes(of: tensor) }
    }
    #expect(error?.description == "\(path): \(expected)", sourceLocation: sourceLocation)
  }

  // MARK: Damage

  @Test("An archive cut at any byte is refused", arguments: small)
  func truncated(_ name: String) throws {
    let whole = Array(try vector(name).archive)
    for count in whole.indices {
      let path = try folder.write(Array(whole.prefix(count)))
      let error = #expect(throws: TensorFileError.self) { try NpzFile(path: path) }
      #expect(
        error
          == (count == 0
            ? .emptyFile(path: path)
            : .badArchive(path: path, reason: "no end record; the file may be cut short")))
    }
  }

  /// All there is to know about an archive of floats.
  private struct Contents: Equatable {
    var names: [String]
    var others: [String]
    var shapes: [[Int]]
    var patterns: [[UInt32]]

    init(path: String) throws(TensorFileError) {
      let file = try NpzFile(path: path)
      names = file.tensors.map(\.name)
      others = file.otherMembers
      shapes = file.tensors.map(\.shape)
      patterns = []
      for tensor in file.tensors { patterns.append(try file.floats(of: tensor).map(\.bitPattern)) }
    }
  }

  @Test("An archive with any byte changed is refused or holds what it held", arguments: small)
  func changed(_ name: String) throws {
    let whole = Array(try vector(name).archive)
    let expected = try Contents(path: folder.write(whole))
    var refused = 0
    for index in whole.indices {
      let flips = (0..<8).map { whole[index] ^ (UInt8(1) << $0) }
      let some = [flips[index % 8], ~whole[index]]
      for byte in Intensity.isDeep ? Array(UInt8.min ... .max) : some where byte != whole[index] {
        var bytes = whole
        bytes[index] = byte
        let path = try folder.write(bytes)
        do throws(TensorFileError) {
          #expect(try Contents(path: path) == expected, "byte \(index) is \(byte)")
        } catch {
          refused += 1
          #expect(error.path == path)
          #expect(!error.description.contains { $0.isNewline })
        }
      }
    }
    // Only dates, attributes and the like leave the file valid.
    #expect(refused > whole.count)
  }

  // MARK: Members

  private let float = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"

  @Test("A member that is no array is refused by its name, stored or deflated")
  func members() throws {
    let header = npy(float)
    let cases: [([UInt8], String)] = [
      ([], "member 'a.npy': header is truncated: needs 8 bytes, file has 0"),
      ([0x93], "member 'a.npy': header is truncated: needs 8 bytes, file has 1"),
      (Array("text".utf8), "member 'a.npy': is not a NumPy array file"),
      (Array("{}".utf8), "member 'a.npy': is JSON text, not a NumPy array file"),
      (
        Array(header.dropLast(9)),
        "member 'a.npy': header is truncated: needs \(header.count) bytes, file has "
          + "\(header.count - 9)"
      ),
      (header, "member 'a.npy': data is truncated: needs 8 bytes, file has 0 after its header"),
      (
        npy(float, data: [UInt8](repeating: 0, count: 10)),
        "member 'a.npy': 2 bytes follow the last tensor"
      ),
      (npy("{}"), "member 'a.npy': bad header: has no 'descr'"),
      (npy("{'descr': 1}"), "member 'a.npy': malformed header at byte 20: expected a string"),
      (
        npy("{'descr': [('x', '<f4')]}"),
        "member 'a.npy': bad header: structured element types are not supported"
      ),
      (
        npy("{'descr': '<f4', 'descr': '<f4'}"),
        "member 'a.npy': duplicate key 'descr' in the header at byte 41"
      ),
      (
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,)}"),
        "tensor 'a': size overflows 64 bits"
      ),
      (
        npy("{'descr': '<V2', 'fortran_order': False, 'shape': (0,)}"),
        "tensor 'a': dtype '<V2' does not say what its bytes are; readingVoidAs reads them as BF16"
      ),
    ]
    for (bytes, message) in cases {
      for member in [Member("a.npy", bytes), Member(deflated: "a.npy", bytes)] {
        try check(ArchiveSketch([member]).bytes, message)
      }
    }
  }

  @Test("A header longer than any of NumPy's is read as well")
  func longHeader() throws {
    let padding = String(repeating: " ", count: 60_000)
    let data: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]
    let bytes = npy(float + padding, data: data)
    for member in [Member("a.npy", bytes), Member(deflated: "a.npy", bytes)] {
      let file = try NpzFile(path: folder.write(ArchiveSketch([member]).bytes))
      #expect(try file.floats(of: file.tensors[0]) == [1, -2.5])
    }
  }

  @Test("Archives without arrays are called by their name, and so are other files")
  func foreign() throws {
    func check(_ bytes: [UInt8], _ found: String?) throws {
      try folder.write(bytes)
      #expect(
        throws: TensorFileError.unknownType(
          path: path, expected: "an archive of NumPy arrays (npz)", found: found)
      ) { try NpzFile(path: path) }
    }
    try check(ArchiveSketch([Member("a.txt", [1])]).bytes, "a zip archive")
    try check(ArchiveSketch([Member("npy", [1])]).bytes, "a zip archive")
    try check(
      ArchiveSketch([Member("model/data.pkl", [1]), Member("model/data/0", [0])]).bytes,
      "a PyTorch checkpoint")
    try check(npy(float), "a NumPy array file")
    try check(Array("GGUF".utf8), "a GGUF file")
  }

  @Test("An array of another type is passed over only where its checksum is right")
  func otherTypes() throws {
    let first = Member("a.npy", npy(float, data: [UInt8](repeating: 0, count: 8)))
    for descriptor in ["|S4", "<U1", "|O", "<M8[s]", "<f16", "<c16", ">i4", "|V3"] {
      let bytes = npy(
        "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (2,)}", data: [1])
      for other in [Member("b.npy", bytes), Member(deflated: "b.npy", bytes)] {
        var other = other
        let file = try NpzFile(path: folder.write(ArchiveSketch([first, other]).bytes))
        #expect(file.tensors.map(\.name) == ["a"])
        #expect(file.otherMembers == ["b.npy"])
        other.change { $0.checksum ^= 1 }
        try folder.write(ArchiveSketch([first, other]).bytes)
        let error = #expect(throws: TensorFileError.self) { try NpzFile(path: path) }
        #expect(error?.description.contains("member 'b.npy': CRC-32 is") == true)
      }
    }
  }

  @Test("A part of a stored array is read without its checksum, all of it not")
  func parts() throws {
    var member = Member("a.npy", npy(float, data: [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]))
    member.change { $0.checksum ^= 1 }
    let file = try NpzFile(path: folder.write(ArchiveSketch([member]).bytes))
    #expect(try file.floats(of: file.tensors[0], in: 1..<2) == [-2.5])
    #expect(throws: TensorFileError.self) { try file.floats(of: file.tensors[0]) }
    #expect(throws: TensorFileError.self) { try file.bytes(of: file.tensors[0]) }
  }

  @Test("An array that would expand beyond memory is refused, however small its file is")
  func memory() throws {
    // 4 GiB of deflate data, nearly all of them a hole of the file, claim 4 TiB of zeros.
    let (stored, elements) = (1 << 32, 1 << 40)
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(elements),), }"
    let header = npy(text + String(repeating: " ", count: 600))
    var stream = BitStream()
    stream.appendStored(header, isLast: false)
    var member = Member("a.npy", stream.bytes)
    let sizes = [UInt64(header.count + 4 * elements), UInt64(stored)]
    member.change {
      $0.method = 8
      ($0.byteCount, $0.compressedByteCount) = (.max, .max)
      $0.extra = zip64Field(sizes)
    }
    var sketch = ArchiveSketch([member])
    sketch.zip64 = [:]
    let whole = sketch.bytes
    // The directory moves behind the hole.
    let split = 30 + 5 + 20 + stream.bytes.count
    let directory = UInt64(35 + 20 + stored)
    sketch.zip64 = [48: directory]
    sketch.zip64Offset = directory + UInt64(whole.count - split - 22 - 20 - 56)
    sketch.directoryOffset = .max
    try folder.write(Array(whole.prefix(split)))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.seek(toOffset: directory)
    try handle.write(contentsOf: sketch.bytes.dropFirst(split))
    try handle.close()

    let file = try NpzFile(path: path)
    #expect(file.tensors.map(\.elementCount) == [elements])
    for range in [0..<elements, 0..<1] {
      let error = #expect(throws: TensorFileError.self) {
        try file.floats(of: file.tensors[0], in: range)
      }
      guard case .notEnoughMemory(path, "a", _) = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }
}

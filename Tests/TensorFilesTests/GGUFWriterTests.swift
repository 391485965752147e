import Foundation
import Testing

@testable import TensorFiles

@Suite("Writing GGUF files")
struct GGUFWriterTests {
  private let folder: TemporaryFolder
  private var path: String { folder["file"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// Bytes that count up from 1.
  private func counting(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 + 1) }
  }

  @Test(
    "Every type is laid out at multiples of the alignment and reads back", arguments: [1, 32, 256])
  func types(_ alignment: Int) throws {
    var metadata = GGUFMetadata()
    metadata.set("general.alignment", .uint32(UInt32(alignment)))
    let tensors = GGMLType.all.map {
      GGUFTensorDescription(name: $0.name, type: $0, shape: [3, 1, 2 * $0.blockLength])
    }
    var writer = try GGUFWriter(path: path, metadata: metadata, tensors: tensors)
    for tensor in tensors {
      #expect(tensor.byteCount == 6 * tensor.type.blockByteCount)
      try writer.write(counting(tensor.byteCount))
    }
    try writer.commit()
    let file = try GGUFFile(path: path)
    #expect(file.metadata == metadata)
    #expect(file.tensors.map { GGUFTensorDescription($0) } == tensors)
    for tensor in file.tensors {
      #expect(tensor.byteRange.lowerBound % alignment == 0)
      #expect(try file.bytes(of: tensor) == counting(tensor.byteRange.count))
    }
    // The last tensor is padded, too.
    #expect(try folder.read("file").count % alignment == 0)
  }

  @Test("Empty tensors take no bytes, wherever they stand")
  func empty() throws {
    let empty = { GGUFTensorDescription(name: $0, type: .q8_0, shape: [0, 32]) }
    let full = { GGUFTensorDescription(name: $0, type: .i8, shape: [5]) }
    let tensors = [empty("a"), empty("b"), full("c"), empty("d"), full("e"), empty("f")]
    var writer = try GGUFWriter(path: path, metadata: GGUFMetadata(), tensors: tensors)
    try writer.write([])
    try writer.write(counting(10))
    try writer.commit()
    let file = try GGUFFile(path: path)
    #expect(
      try file.tensors.map { try file.bytes(of: $0) } == [
        [], [], [1, 2, 3, 4, 5], [], [6, 7, 8, 9, 10], [],
      ])
    let only = try GGUFWriter(path: path, metadata: GGUFMetadata(), tensors: [empty("a")])
    try only.commit()
    #expect(try GGUFFile(path: path).tensors.map(\.shape) == [[0, 32]])
    // Without tensors, the header is padded as ggml's writer does.
    let none = try GGUFWriter(path: path, metadata: GGUFMetadata(), tensors: [])
    try none.commit()
    #expect(try folder.read("file") == gguf())
  }

  @Test("A name that ggml cannot read is refused, and nothing is created")
  func names() throws {
    let longest = GGUFTensorDescription(
      name: String(repeating: "n", count: 61) + "é", type: .i8, shape: [1])
    var writer = try GGUFWriter(path: path, metadata: GGUFMetadata(), tensors: [longest])
    try writer.write([1])
    try writer.commit()
    #expect(try GGUFFile(path: path).tensors.map(\.name) == [longest.name])
    let name = longest.name + "n"
    let error = #expect(throws: TensorFileError.self) {
      _ = try GGUFWriter(
        path: folder["new"], metadata: GGUFMetadata(),
        tensors: [GGUFTensorDescription(name: name, type: .i8, shape: [1])])
    }
    #expect(
      error
        == .badEntry(
          path: folder["new"], tensor: name, reason: "name of 64 bytes, of which GGUF has 63"))
    #expect(try folder.names() == ["file"])
  }

  @Test("A writer that is dropped leaves the old file")
  func dropped() throws {
    try folder.write([1, 2])
    func abandon() throws {
      var writer = try GGUFWriter(
        path: path, metadata: GGUFMetadata(),
        tensors: [GGUFTensorDescription(name: "a", type: .i8, shape: [2])])
      try writer.write([1])
    }
    try abandon()
    #expect(try folder.names() == ["file"])
    #expect(try folder.read("file") == [1, 2])
  }

  #if os(macOS) || os(Linux)
  @Test("Too many bytes, too few, and two tensors of one name trap")
  func mistakes() async {
    let many = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tensor = GGUFTensorDescription(name: "a", type: .i8, shape: [2])
      var writer = try GGUFWriter(path: "/dev/null", metadata: GGUFMetadata(), tensors: [tensor])
      try writer.write([1, 2, 3])
    }
    #expect(reports(many, "1 bytes more than the tensors have"))
    let few = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tensor = GGUFTensorDescription(name: "a", type: .i8, shape: [3])
      var writer = try GGUFWriter(path: "/dev/null", metadata: GGUFMetadata(), tensors: [tensor])
      try writer.write([1])
      try writer.commit()
    }
    #expect(reports(few, "2 bytes of tensor 1 of 1 are missing"))
    let names = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tensor = GGUFTensorDescription(name: "a", type: .i8, shape: [0])
      _ = try GGUFWriter(
        path: "/dev/null", metadata: GGUFMetadata(), tensors: [tensor, tensor])
    }
    #expect(reports(names, "two tensors are named 'a'"))
  }

  @Test("An alignment that is none, and shapes that hold no blocks, trap")
  func shapes() async {
    let alignment = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var metadata = GGUFMetadata()
      metadata.set("general.alignment", .int32(32))
      _ = try GGUFWriter(path: "/dev/null", metadata: metadata, tensors: [])
    }
    #expect(reports(alignment, "general.alignment is not a uint32 and a power of two"))
    let rows = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GGUFTensorDescription(name: "a", type: .mxfp4, shape: [32, 33])
    }
    #expect(reports(rows, "tensor 'a' has rows of 33 elements"))
    let rank = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GGUFTensorDescription(name: "a", type: .f32, shape: [1, 1, 1, 1, 1])
    }
    #expect(reports(rank, "tensor 'a' has 5 extents, more than 4"))
  }
  #endif
}

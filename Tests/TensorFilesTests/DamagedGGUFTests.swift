import FormatTestSupport
import Foundation
import Testing

@testable import TensorFiles

@Suite("Damaged GGUF files")
struct DamagedGGUFTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// A small file with every kind of field that decides how the bytes behind it are read.
  private static let small = gguf(
    entries: [
      ggufEntry("general.alignment", 4, little(UInt32(16))),
      ggufArray("s", 8, 2, ggufText("a") + ggufText("é")), ggufArray("n", 3, 2, [1, 2, 3, 4]),
      ggufEntry("b", 7, [1]), ggufEntry("t", 8, ggufText("x")),
    ],
    tensors: [
      ggufTensor("w", [32, 2], type: 39), ggufTensor("v", [3], type: 0, offset: 48),
    ],
    alignment: 16, dataCount: 64)

  @Test("A file cut at any byte is refused, but for the padding of the last tensor")
  func truncated() throws {
    let whole = Self.small
    let headerEnd = whole.count - 64
    let path = try folder.write(whole)
    // Cut further and further, as files that are made anew wait for the disk.
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    for count in whole.indices.reversed() {
      try handle.truncate(atOffset: UInt64(count))
      guard count < headerEnd + 60 else {
        #expect(try GGUFFile(path: path).dataRange == headerEnd..<headerEnd + 60)
        continue
      }
      let error = #expect(throws: TensorFileError.self) { try GGUFFile(path: path) }
      switch (count, error) {
      case (0, .emptyFile(path)): break
      case (1..<headerEnd, .headerTruncated(path, let needed, count)):
        #expect(needed > count && needed <= headerEnd)
      // Between the last entry and the first tensor there is padding.
      case (headerEnd - 16..<headerEnd, .dataTruncated(path, 60, 0)): break
      case (headerEnd..., .dataTruncated(path, 60, count - headerEnd)): break
      default: Issue.record("\(count) bytes: \(error.map(String.init(describing:)) ?? "opened")")
      }
    }
  }

  /// Every byte that differs from this one by a bit, or means something in a header; all others in
  /// deep runs.
  private func replacements(of byte: UInt8) -> [UInt8] {
    if Intensity.isDeep { return (0...255).filter { $0 != byte } }
    let telling: [UInt8] = [0, 1, 9, 0x7f, 0x80, 0xff]
    let flips = (0..<8).map { byte ^ (1 << $0) }
    return flips + telling.filter { $0 != byte && !flips.contains($0) }
  }

  @Test("A file with any byte of its header changed is refused or stays within bounds")
  func changed() throws {
    let whole = Self.small
    let path = try folder.write(whole)
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    func put(_ byte: UInt8, at index: Int) throws {
      try handle.seek(toOffset: UInt64(index))
      try handle.write(contentsOf: [byte])
    }
    var refused = 0
    var opened = 0
    for index in 0..<whole.count - 64 {
      for replacement in replacements(of: whole[index]) {
        try put(replacement, at: index)
        do throws(TensorFileError) {
          let file = try GGUFFile(path: path)
          opened += 1
          try check(file, whole.count)
        } catch {
          refused += 1
          #expect(error.path == path)
          #expect(!error.description.contains { $0.isNewline })
        }
      }
      try put(whole[index], at: index)
    }
    #expect(try folder.read("file") == whole)
    // Other names, keys, texts, numbers and types of the same width are valid, and other padding.
    #expect(opened > 100 && refused > 10 * opened, "\(opened) opened, \(refused) refused")
  }

  /// Reads all that an open file offers.
  private func check(_ file: GGUFFile, _ count: Int) throws(TensorFileError) {
    var end = file.dataRange.lowerBound
    for tensor in file.tensors {
      #expect(tensor.byteRange.lowerBound >= end && tensor.byteRange.upperBound <= count)
      #expect(tensor.elementCount == tensor.shape.reduce(1, *))
      #expect(
        try file.bytes(of: tensor).count == tensor.type.byteCount(ofElements: tensor.elementCount))
      end = tensor.byteRange.upperBound
    }
    #expect(end == file.dataRange.upperBound)
    for entry in file.metadata.entries {
      guard let array = entry.value.elements else { continue }
      for found in [
        array.strings()?.count, array.integers(as: Int128.self)?.count, array.doubles()?.count,
        array.truths()?.count,
      ].compactMap(\.self) {
        #expect(found == array.count)
      }
    }
  }

  @Test("What is valid after a change is written back with the change")
  func changedText() throws {
    var bytes = Self.small
    // The text of the key `t`: the last byte before the first tensor.
    let index = try #require(bytes.firstIndex(of: UInt8(ascii: "x")))
    bytes[index] = UInt8(ascii: "y")
    let file = try GGUFFile(path: folder.write(bytes))
    #expect(file.metadata["t"]?.text == "y")
    var writer = try GGUFWriter(
      path: folder["copy"], metadata: file.metadata,
      tensors: file.tensors.map { GGUFTensorDescription($0) })
    for tensor in file.tensors { try writer.write(file.bytes(of: tensor)) }
    try writer.commit()
    // Padding that was not zero is.
    let padding = [34..<48, 60..<64]
    var expected = bytes
    for index in padding.joined() { expected[bytes.count - 64 + index] = 0 }
    #expect(try folder.read("copy") == expected)
  }
}

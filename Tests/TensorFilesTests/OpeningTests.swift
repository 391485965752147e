import Foundation
import Testing

@testable import TensorFiles

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite("Opening paths")
struct OpeningTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test("Whatever has no bytes to read, or no end of them, is refused")
  func notFiles() throws {
    #expect(symlink(folder["absent"], folder["dangling"]) == 0)
    #expect(symlink(folder["loop"], folder["loop"]) == 0)
    try folder.write([1], as: "file")
    try folder.write([], as: "empty")
    func unreadable(_ path: String, _ reason: String) -> TensorFileError {
      .unreadable(path: path, reason: reason)
    }
    let long = folder[String(repeating: "n", count: 300)]
    let cases: [(String, TensorFileError)] = [
      (folder["absent"], .missing(path: folder["absent"])),
      ("", .missing(path: "")),
      (folder["dangling"], .missing(path: folder["dangling"])),
      (folder.path, .isDirectory(path: folder.path)),
      ("/dev/null", .unsupportedFile(path: "/dev/null")),
      ("/dev/zero", .unsupportedFile(path: "/dev/zero")),
      (folder["empty"], .emptyFile(path: folder["empty"])),
      (folder["loop"], unreadable(folder["loop"], errorText(ELOOP))),
      (folder["file/x"], unreadable(folder["file/x"], errorText(ENOTDIR))),
      (long, unreadable(long, errorText(ENAMETOOLONG))),
      (folder["file\0x"], unreadable(folder["file\0x"], "the path contains a NUL character")),
    ]
    for (path, expected) in cases {
      let safetensors = #expect(throws: TensorFileError.self) { try SafetensorsFile(path: path) }
      let array = #expect(throws: TensorFileError.self) { try NpyFile(path: path) }
      #expect(safetensors == expected)
      #expect(array == expected)
    }
  }

  @Test("A file without read permission is refused", .enabled(if: geteuid() != 0))
  func permission() throws {
    let path = try folder.write([1])
    #expect(chmod(path, 0) == 0)
    let error = #expect(throws: TensorFileError.self) { try SafetensorsFile(path: path) }
    #expect(error == .unreadable(path: path, reason: errorText(EACCES)))
  }

  @Test("A symbolic link to a file is followed")
  func link() throws {
    try folder.write(SafetensorsGoldenTests.fourBit, as: "file")
    #expect(symlink(folder["file"], folder["link"]) == 0)
    let file = try SafetensorsFile(path: folder["link"])
    #expect(file.path == folder["link"])
    #expect(file.tensors.map(\.shape) == [[1, 4]])
  }

  @Test("The name decides a file's type, and the contents where the name does not")
  func types() throws {
    let checkpoint = SafetensorsGoldenTests.fourBit
    let array = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0,), }")
    func isCheckpoint(_ bytes: [UInt8], _ name: String) throws -> Bool {
      try TensorFile(path: folder.write(bytes, as: name)).hasNames
    }
    #expect(try isCheckpoint(checkpoint, "a"))
    #expect(try !isCheckpoint(array, "b"))
    #expect(try !isCheckpoint(array, "X.NPY"))
    let error = #expect(throws: TensorFileError.self) { try isCheckpoint(array, "c.safetensors") }
    #expect(error?.path == folder["c.safetensors"])
    for bytes in [[0], lengthField(2), Array("not tensors".utf8)] {
      let path = try folder.write(bytes)
      let error = #expect(throws: TensorFileError.self) { try TensorFile(path: path) }
      #expect(
        error
          == .unknownType(
            path: path, expected: "a safetensors, NumPy array or NumPy archive file"))
    }
    let missing = #expect(throws: TensorFileError.self) { try TensorFile(path: folder["absent"]) }
    #expect(missing == .missing(path: folder["absent"]))
  }

  @Test("A file is the same whether its format is named or found out")
  func contents() throws {
    let floats: [Float] = [0, 1, 2, 3, 4, 5]
    try SafetensorsWriter.write(
      [TensorData(name: "a", shape: [2, 3], floats)], metadata: ["k": "v"], to: folder["a"])
    try NpyWriter.write(floats: floats, shape: [2, 3], to: folder["b"])
    // The same array, column after column.
    let columns: [Float] = [0, 3, 1, 4, 2, 5]
    try folder.write(
      npy(
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
        data: littleEndianBytes(columns.map(\.bitPattern))), as: "c")
    for (name, tensor, metadata, readsParts) in [
      ("a", "a", ["k": "v"], true), ("b", "array", [:], true), ("c", "array", [:], false),
    ] {
      let file = try TensorFile(path: folder[name])
      #expect(file.path == folder[name])
      #expect(file.tensors.map(\.name) == [tensor])
      #expect(file.tensors.map(\.shape) == [[2, 3]])
      #expect(file.hasNames == (name == "a"))
      #expect(file.metadata == metadata)
      #expect(file.readsParts == readsParts)
      #expect(try file.floats(of: file.tensors[0]) == floats)
      #expect(try file.floats(of: file.tensors[0], in: 1..<4) == [1, 2, 3])
      let bytes = file.tensors[0].byteRange
      #expect(bytes.count == 24)
      #expect(
        bytes.upperBound == FileManager.default.contents(atPath: folder[name])?.count)
    }
  }
}

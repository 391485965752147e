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

@Suite("The bytes of an input")
struct InputFileTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

  @Test("Any part of a file can be read, in any order")
  func parts() throws {
    let file = try InputFile(path: folder.write(bytes))
    #expect(file.count == 1000)
    for range in [990..<1000, 0..<1000, 3..<4, 500..<500, 1000..<1000] {
      #expect(try file.bytes(in: range) == Array(bytes[range]))
    }
  }

  @Test("A file that is replaced is read as it was; one that is cut is an error that names it")
  func changes() throws {
    let path = try folder.write(bytes)
    let file = try InputFile(path: path)
    try AtomicFileWriter.write([1, 2, 3], to: path)
    #expect(try file.bytes() == bytes)

    let cut = try InputFile(path: folder.write(bytes, as: "cut"))
    #expect(truncate(folder["cut"], 600) == 0)
    #expect(try cut.bytes(in: 0..<600) == Array(bytes[..<600]))
    let error = #expect(throws: TensorFileError.self) { try cut.bytes(in: 500..<700) }
    #expect(error == .cutShort(path: folder["cut"], needed: 1000, available: 600))
  }

  @Test("A tensor whose file was cut after it was opened is an error of every reader")
  func cutTensors() throws {
    let values = [Float](repeating: 1, count: 200_000)
    let checkpoint = folder["a.safetensors"]
    try SafetensorsWriter.write([TensorData(name: "a", shape: [200_000], values)], to: checkpoint)
    try NpyWriter.write(floats: values, shape: [200_000], to: folder["a.npy"])
    let integers = folder["b.safetensors"]
    try SafetensorsWriter.write(
      [TensorData(name: "a", shape: [8000], [UInt16](repeating: 1, count: 8000))], to: integers)
    let files = try (
      SafetensorsFile(path: checkpoint), NpyFile(path: folder["a.npy"]),
      SafetensorsFile(path: integers)
    )
    for path in [checkpoint, folder["a.npy"], integers] { #expect(truncate(path, 10_000) == 0) }
    func expectCut(_ path: String, _ read: () throws -> Void) {
      let error = #expect(throws: TensorFileError.self) { try read() }
      guard case .cutShort(path, _, 10_000) = error else {
        Issue.record("\(path): \(String(describing: error))")
        return
      }
    }
    expectCut(checkpoint) { _ = try files.0.floats(of: files.0.tensors[0]) }
    expectCut(checkpoint) { _ = try files.0.bytes(of: files.0.tensors[0]) }
    expectCut(folder["a.npy"]) { _ = try files.1.floats() }
    expectCut(integers) { _ = try files.2.integers(of: files.2.tensors[0], as: UInt16.self) }
  }

  /// A pipe whose bytes another thread writes.
  private func pipe(_ name: String, _ bytes: [UInt8]) -> String {
    let path = folder[name]
    #expect(mkfifo(path, 0o600) == 0)
    Thread.detachNewThread {
      let writer = open(path, O_WRONLY)
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(writer, $0.baseAddress, $0.count) }
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
      }
      close(writer)
    }
    return path
  }

  @Test("A pipe is read to its end, once, and then like a file")
  func pipes() throws {
    // Two chunks, the second short.
    let long = (0..<InputFile.chunkSize + 1000).map { UInt8(truncatingIfNeeded: $0 >> 9) }
    let file = try InputFile(path: pipe("long", long))
    #expect(file.count == long.count)
    let edge = InputFile.chunkSize
    for range in [edge - 3..<edge + 3, edge..<edge + 1000, 5..<9] {
      #expect(try file.bytes(in: range) == Array(long[range]))
    }
    try NpyWriter.write(floats: [1, 2, 3], shape: [3], to: folder["a.npy"])
    let array = try TensorFile(path: pipe("array", folder.read("a.npy")))
    #expect(try array.floats(of: array.tensors[0]) == [1, 2, 3])
  }

  @Test("A pipe without bytes is empty, and one with too many is refused")
  func pipeLimits() throws {
    let empty = pipe("empty", [])
    let error = #expect(throws: TensorFileError.self) { try InputFile(path: empty) }
    #expect(error == .emptyFile(path: empty))

    let descriptor = open(pipe("long", [UInt8](repeating: 1, count: 5000)), O_RDONLY)
    defer { close(descriptor) }
    let tooLong = #expect(throws: TensorFileError.self) {
      try InputFile.chunks(of: descriptor, "p", limit: 4999)
    }
    #expect(tooLong == .streamTooLong(path: "p", limit: 4999))
  }

  @Test("A path that leads to another's file is seen, however it is spelled")
  func sameFile() throws {
    try folder.write([1], as: "a")
    try folder.write([1], as: "b")
    #expect(symlink("a", folder["soft"]) == 0)
    #expect(link(folder["a"], folder["hard"]) == 0)
    let outside = "../\(URL(fileURLWithPath: folder.path).lastPathComponent)/a"
    for name in ["a", "./a", "/a", "soft", "hard", outside] {
      #expect(isSameFile(output: folder[name], input: folder["a"]), "\(name)")
      #expect(isSameFile(output: folder["a"], input: folder[name]), "\(name)")
      #expect(!isSameFile(output: folder["b"], input: folder[name]), "\(name)")
    }
    #expect(!isSameFile(output: folder["new"], input: folder["a"]))
    #expect(!isSameFile(output: folder["new"], input: folder["new"]))
    #expect(!isSameFile(output: "/dev/null", input: "/dev/null"))
  }
}

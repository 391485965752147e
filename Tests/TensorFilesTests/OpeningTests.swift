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

  @Test("A pipe that nobody writes to is refused without waiting for a writer")
  func pipe() throws {
    let path = folder["pipe"]
    #expect(mkfifo(path, 0o600) == 0)
    // An open that does wait is released by a writer, so that the test fails instead of hanging.
    let patience = 20.0
    Thread.detachNewThread {
      Thread.sleep(forTimeInterval: patience)
      let writer = open(path, O_WRONLY | O_NONBLOCK)
      if writer >= 0 { close(writer) }
    }
    let elapsed = ContinuousClock().measure {
      let error = #expect(throws: TensorFileError.self) { try SafetensorsFile(path: path) }
      #expect(error == .notRegularFile(path: path))
    }
    #expect(elapsed < .seconds(patience))
  }

  @Test("Whatever is not a readable regular file is refused")
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
      ("/dev/null", .notRegularFile(path: "/dev/null")),
      ("/dev/zero", .notRegularFile(path: "/dev/zero")),
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
    let array = npy("{}")
    try folder.write(checkpoint, as: "a")
    try folder.write(array, as: "b")
    try folder.write(array, as: "c.safetensors")
    #expect(try TensorFileType.detect(path: folder["a"]) == .safetensors)
    #expect(try TensorFileType.detect(path: folder["b"]) == .npy)
    #expect(try TensorFileType.detect(path: folder["c.safetensors"]) == .safetensors)
    #expect(try TensorFileType.detect(path: "absent/X.NPY") == .npy)
    for bytes in [[0], lengthField(2), Array("not tensors".utf8)] {
      let path = try folder.write(bytes)
      let error = #expect(throws: TensorFileError.self) { try TensorFileType.detect(path: path) }
      #expect(
        error == .unknownType(path: path, expected: "a safetensors or NumPy array file"))
    }
    let error = #expect(throws: TensorFileError.self) {
      try TensorFileType.detect(path: folder["absent"])
    }
    #expect(error == .missing(path: folder["absent"]))
  }
}

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

@Suite("Writing files atomically")
struct AtomicFileWriterTests {
  private let folder: TemporaryFolder
  private var path: String { folder["target"] }

  init() throws {
    folder = try TemporaryFolder()
  }

  private func permissions(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.posixPermissions] as? Int)
  }

  @Test("The target appears with the commit, complete and alone")
  func commit() throws {
    var writer = try AtomicFileWriter(path: path)
    try writer.write("ab")
    try writer.write([0x63, 0x0a])
    #expect(try folder.names().count == 1)
    #expect(!FileManager.default.fileExists(atPath: path))
    try writer.commit()
    #expect(try folder.names() == ["target"])
    #expect(try folder.read("target") == Array("abc\n".utf8))
  }

  @Test("A writer that is dropped leaves the old file and no other")
  func dropped() throws {
    try folder.write([1, 2], as: "target")
    func abandon() throws {
      var writer = try AtomicFileWriter(path: path)
      try writer.write([3])
      #expect(try folder.names().count == 2)
    }
    try abandon()
    #expect(try folder.names() == ["target"])
    #expect(try folder.read("target") == [1, 2])
  }

  @Test("A failing write names its cause and leaves the old file and no other")
  func failingWrite() throws {
    try folder.write([1, 2], as: "target")
    // Puts a descriptor that cannot be written to in the place of the temporary file's.
    #if os(Linux)
    let (device, mode, code) = ("/dev/full", O_WRONLY, ENOSPC)
    #else
    let (device, mode, code) = ("/dev/null", O_RDONLY, EBADF)
    #endif
    let error = #expect(throws: TensorFileError.self) {
      var writer = try AtomicFileWriter(path: path)
      let broken = open(device, mode)
      #expect(dup2(broken, writer.descriptor) >= 0)
      close(broken)
      try writer.write([3])
    }
    #expect(error == .writeFailed(path: path, operation: "write", reason: errorText(code)))
    #expect(try folder.names() == ["target"])
    #expect(try folder.read("target") == [1, 2])
  }

  @Test("A failing rename names its cause and leaves no temporary file")
  func failingRename() throws {
    let error = #expect(throws: TensorFileError.self) {
      var writer = try AtomicFileWriter(path: path)
      try writer.write([3])
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
      try writer.commit()
    }
    #expect(error == .writeFailed(path: path, operation: "replace", reason: errorText(EISDIR)))
    #expect(try folder.names() == ["target"])
  }

  @Test("Targets that a rename must not replace are refused before anything is created")
  func refusedTargets() throws {
    try FileManager.default.createDirectory(
      atPath: folder["folder"], withIntermediateDirectories: false)
    #expect(mkfifo(folder["pipe"], 0o600) == 0)
    for (name, target) in [("to-folder", "folder"), ("to-pipe", "pipe")] {
      #expect(symlink(folder[target], folder[name]) == 0)
    }
    let before = try folder.names()
    let cases: [(String, TensorFileError)] = [
      (folder["folder"], .isDirectory(path: folder["folder"])),
      (folder["to-folder"], .isDirectory(path: folder["to-folder"])),
      (folder["new/"], .isDirectory(path: folder["new/"])),
      (folder["pipe"], .notRegularFile(path: folder["pipe"])),
      (folder["to-pipe"], .notRegularFile(path: folder["to-pipe"])),
      ("/dev/null", .notRegularFile(path: "/dev/null")),
      (
        folder["absent/file"],
        .writeFailed(path: folder["absent/file"], operation: "create", reason: errorText(ENOENT))
      ),
      (
        folder["a\0b"],
        .writeFailed(
          path: folder["a\0b"], operation: "create",
          reason: "the path contains a NUL character")
      ),
    ]
    for (path, expected) in cases {
      let error = #expect(throws: TensorFileError.self, "\(path)") {
        try AtomicFileWriter.write([1], to: path)
      }
      #expect(error == expected)
    }
    #expect(try folder.names() == before)
  }

  @Test("A symbolic link at the target is replaced and the file behind it is not touched")
  func link() throws {
    try folder.write([1, 2], as: "behind")
    #expect(symlink(folder["behind"], path) == 0)
    try AtomicFileWriter.write("new", to: path)
    #expect(try folder.read("behind") == [1, 2])
    #expect(try folder.read("target") == Array("new".utf8))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.type] as? FileAttributeType == .typeRegular)
  }

  @Test("An existing file keeps its permissions, a new one is not executable")
  func permissionBits() throws {
    try AtomicFileWriter.write([1], to: path)
    #expect(try permissions(path) & 0o111 == 0)
    #expect(try permissions(path) & 0o600 == 0o600)
    for mode in [0o640, 0o600, 0o755] {
      #expect(chmod(path, mode_t(mode)) == 0)
      try AtomicFileWriter.write([2], to: path)
      #expect(try permissions(path) == mode)
    }
  }

  @Test("Names as long as the file system allows are written")
  func longName() throws {
    let name = String(repeating: "n", count: 255)
    try AtomicFileWriter.write([1], to: folder[name])
    #expect(try folder.names() == [name])
  }

  @Test("The tensor writers pass a failure on and leave nothing behind")
  func tensorWriters() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let tensor = TensorData(name: "a", shape: [1], [1] as [Float])
    let safetensors = #expect(throws: TensorFileError.self) {
      try SafetensorsWriter.write([tensor], to: path)
    }
    let array = #expect(throws: TensorFileError.self) {
      try NpyWriter.write(floats: [1], shape: [1], to: path)
    }
    #expect(safetensors == .isDirectory(path: path))
    #expect(array == .isDirectory(path: path))
    #expect(try folder.names() == ["target"])
  }
}

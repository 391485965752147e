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
    // Linux keeps the bytes under no name at all, so that nothing is left if the process is killed.
    #if os(Linux)
    #expect(try folder.names() == [])
    #endif
    #expect(!FileManager.default.fileExists(atPath: path))
    try writer.commit()
    #expect(try folder.names() == ["target"])
    #expect(try folder.read("target") == Array("abc\n".utf8))
  }

  @Test(
    "A writer that is dropped leaves the old file and no other",
    arguments: [TemporaryFile.Kind.unnamed, .named])
  func dropped(_ kind: TemporaryFile.Kind) throws {
    try folder.write([1, 2], as: "target")
    func abandon() throws {
      var writer = try AtomicFileWriter(path: path, temporary: kind)
      try writer.write([3])
      if kind == .named { #expect(try folder.names().count == 2) }
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

  @Test("What cannot be written to as a whole is refused before anything is created")
  func refusedTargets() throws {
    try FileManager.default.createDirectory(
      atPath: folder["folder"], withIntermediateDirectories: false)
    #expect(symlink(folder["folder"], folder["to-folder"]) == 0)
    #expect(symlink(folder["circle"], folder["circle"]) == 0)
    let socket = try listeningSocket(folder["socket"])
    defer { close(socket) }
    let before = try folder.names()
    let cases: [(String, TensorFileError)] = [
      (folder["folder"], .isDirectory(path: folder["folder"])),
      (folder["to-folder"], .isDirectory(path: folder["to-folder"])),
      (folder["new/"], .isDirectory(path: folder["new/"])),
      (folder["socket"], .unsupportedFile(path: folder["socket"])),
      (
        folder["circle"],
        .writeFailed(path: folder["circle"], operation: "create", reason: errorText(ELOOP))
      ),
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

  /// A socket with a name in the file system.
  private func listeningSocket(_ path: String) throws -> Int32 {
    #if canImport(Glibc)
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    #else
    let socket = socket(AF_UNIX, Int32(SOCK_STREAM), 0)
    #endif
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    try #require(bytes.count < MemoryLayout.size(ofValue: address.sun_path), "\(path)")
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(code == 0, "\(errorText(errno))")
    return socket
  }

  @Test("Symbolic links stay, and the files they lead to are replaced or created")
  func links() throws {
    try FileManager.default.createDirectory(
      atPath: folder["elsewhere"], withIntermediateDirectories: false)
    try folder.write([1, 2], as: "elsewhere/behind")
    // Relative links begin at their own directory, whatever the working directory is.
    #expect(symlink("elsewhere/hop", folder["relative"]) == 0)
    #expect(symlink("behind", folder["elsewhere/hop"]) == 0)
    #expect(symlink("elsewhere/created", folder["dangling"]) == 0)
    let before = try folder.names()
    for (link, file) in [("relative", "elsewhere/behind"), ("dangling", "elsewhere/created")] {
      try AtomicFileWriter.write("new", to: folder[link])
      #expect(try folder.read(file) == Array("new".utf8))
      let attributes = try FileManager.default.attributesOfItem(atPath: folder[link])
      #expect(attributes[.type] as? FileAttributeType == .typeSymbolicLink)
    }
    #expect(try folder.names() == before)
    let inside = try FileManager.default.contentsOfDirectory(atPath: folder["elsewhere"])
    #expect(inside.sorted() == ["behind", "created", "hop"])
  }

  @Test("Pipes and devices get the bytes and stay what they are")
  func streams() throws {
    let pipe = folder["pipe"]
    #expect(mkfifo(pipe, 0o600) == 0)
    #expect(symlink(pipe, folder["to-pipe"]) == 0)
    for path in [pipe, folder["to-pipe"]] {
      let reader = open(pipe, O_RDONLY | O_NONBLOCK)
      defer { close(reader) }
      try AtomicFileWriter.write("through", to: path)
      var bytes = [UInt8](repeating: 0, count: 20)
      #expect(read(reader, &bytes, bytes.count) == 7)
      #expect(bytes.prefix(7) == Array("through".utf8)[...])
    }
    try AtomicFileWriter.write("nothing", to: "/dev/null")
    #expect(try folder.names() == ["pipe", "to-pipe"])
    #if os(Linux)
    let error = #expect(throws: TensorFileError.self) {
      try AtomicFileWriter.write("too much", to: "/dev/full")
    }
    #expect(
      error == .writeFailed(path: "/dev/full", operation: "write", reason: errorText(ENOSPC)))
    #endif
  }

  @Test("A descriptor of this process is written to where it stands, and its file not replaced")
  func descriptors() throws {
    let descriptor = open(path, O_WRONLY | O_CREAT, 0o600)
    defer { close(descriptor) }
    #expect(symlink("/dev/fd/\(descriptor)", folder["link"]) == 0)
    for output in ["/dev/fd/\(descriptor)", folder["link"]] {
      try AtomicFileWriter.write("a", to: output)
    }
    #expect(write(descriptor, "b", 1) == 1)
    #expect(try folder.read("target") == Array("aab".utf8))
    #expect(try folder.names() == ["link", "target"])
    let closed = "/dev/fd/4095"
    let error = #expect(throws: TensorFileError.self) {
      try AtomicFileWriter.write("a", to: closed)
    }
    #expect(error == .writeFailed(path: closed, operation: "open", reason: errorText(EBADF)))
  }

  @Test("Without unnamed files the target appears complete and alone as well")
  func namedTemporary() throws {
    var writer = try AtomicFileWriter(path: path, temporary: .named)
    try writer.write("ab")
    #expect(try folder.names().count == 1)
    #expect(!FileManager.default.fileExists(atPath: path))
    // A sweep leaves the file of a live writer.
    TemporaryFile.sweep(folder.path + "/")
    try writer.commit()
    #expect(try folder.names() == ["target"])
    #expect(try folder.read("target") == Array("ab".utf8))
  }

  @Test("Files that dead processes left are swept by the next writer, and no others")
  func leftovers() throws {
    for name in [".tensorfile-1abc.tmp", ".tensorfile-.tmp", ".tensorfile-1abc.txt", "a.tmp"] {
      try folder.write([1], as: name)
    }
    #expect(symlink("a.tmp", folder[".tensorfile-link.tmp"]) == 0)
    try AtomicFileWriter.write("new", to: path)
    #expect(
      try folder.names() == [".tensorfile-1abc.txt", ".tensorfile-link.tmp", "a.tmp", "target"])
  }

  @Test("A process that a signal ends removes what it has not completed")
  func removal() throws {
    let writer = try AtomicFileWriter(path: path, temporary: .named)
    let name = try #require(try folder.names().first)
    #expect(TemporaryFile.unfinishedPaths.contains(folder[name]))
    try writer.commit()
    #expect(!TemporaryFile.unfinishedPaths.contains(folder[name]))
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

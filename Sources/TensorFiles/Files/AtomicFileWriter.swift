#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Writes a file that appears under its name complete or not at all.
///
/// Bytes go to a hidden temporary file in the target's directory; `commit()` renames it over the
/// target. A writer that goes out of scope uncommitted, whether by an error or by choice, removes
/// the temporary file and leaves an existing target as it was. Readers that have the old file
/// mapped keep seeing the old bytes.
///
///     var writer = try AtomicFileWriter(path: "table.csv")
///     try writer.write("format,qsnr_db\n")
///     try writer.commit()
///
/// Writes are not buffered and not synchronised to the disk: the promise covers failing processes,
/// not failing power. A process killed by a signal leaves its temporary file behind.
public struct AtomicFileWriter: ~Copyable {
  /// The path the file will have once committed.
  public let path: String
  let temporaryPath: String
  let descriptor: Int32
  private var state = State.open

  private enum State {
    case open
    case closed
    case renamed
  }

  /// Creates the temporary file beside the target.
  ///
  /// The target may exist: it is then replaced on commit, and the new file gets its permissions. A
  /// symbolic link at the path is itself replaced; the file it points to is not touched.
  ///
  /// - Throws: `.isDirectory` or `.notRegularFile` if the target, or what a link there points to,
  ///   is something a rename must not replace; `.writeFailed` if the temporary file cannot be made.
  public init(path: String) throws(TensorFileError) {
    guard !path.utf8.contains(0) else {
      throw .writeFailed(
        path: path, operation: "create", reason: "the path contains a NUL character")
    }
    guard path.utf8.last != UInt8(ascii: "/") else { throw .isDirectory(path: path) }
    var status = stat()
    var permissions: mode_t?
    if stat(path, &status) == 0 {
      switch FileKind(status) {
      case .regular: permissions = status.st_mode & 0o777
      case .directory: throw .isDirectory(path: path)
      case .other: throw .notRegularFile(path: path)
      }
    }
    let (temporaryPath, descriptor) = try Self.createTemporary(beside: path)
    self.path = path
    self.temporaryPath = temporaryPath
    self.descriptor = descriptor
    if let permissions {
      // Best effort: some file systems have no permissions, and the contents matter more.
      _ = fchmod(descriptor, permissions)
    }
  }

  deinit {
    if state == .open { _ = close(descriptor) }
    if state != .renamed { _ = unlink(temporaryPath) }
  }

  /// Appends bytes.
  ///
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    // Some systems refuse a single write of 2 GiB or more.
    let largestWrite = 1 << 30
    var rest = bytes[...]
    while !rest.isEmpty {
      let chunk = UnsafeRawBufferPointer(rebasing: rest.prefix(largestWrite))
      let file = descriptor
      let written = retryingOnInterrupt {
        #if canImport(Glibc)
        Glibc.write(file, chunk.baseAddress, chunk.count)
        #elseif canImport(Musl)
        Musl.write(file, chunk.baseAddress, chunk.count)
        #elseif canImport(Darwin)
        Darwin.write(file, chunk.baseAddress, chunk.count)
        #endif
      }
      guard written >= 0 else {
        throw .writeFailed(path: path, operation: "write", reason: errorText(errno))
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Appends bytes.
  ///
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ bytes: [UInt8]) throws(TensorFileError) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(TensorFileError) in
      try write(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Appends text as UTF-8.
  ///
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ text: String) throws(TensorFileError) {
    try write(Array(text.utf8))
  }

  /// Gives the finished file its name.
  ///
  /// - Throws: `.writeFailed` if closing or renaming fails; the temporary file is then removed.
  public consuming func commit() throws(TensorFileError) {
    // Network file systems report a full disk only here.
    state = .closed
    guard close(descriptor) == 0 || errno == EINTR else {
      throw .writeFailed(path: path, operation: "finish writing", reason: errorText(errno))
    }
    guard rename(temporaryPath, path) == 0 else {
      throw .writeFailed(path: path, operation: "replace", reason: errorText(errno))
    }
    state = .renamed
  }

  /// Writes a whole file in one call.
  ///
  /// - Throws: What `init(path:)`, `write` and `commit` throw; the target is then as it was.
  public static func write(_ bytes: [UInt8], to path: String) throws(TensorFileError) {
    var writer = try AtomicFileWriter(path: path)
    try writer.write(bytes)
    try writer.commit()
  }

  /// Writes a whole text file in UTF-8 in one call.
  ///
  /// - Throws: What `init(path:)`, `write` and `commit` throw; the target is then as it was.
  public static func write(_ text: String, to path: String) throws(TensorFileError) {
    try write(Array(text.utf8), to: path)
  }

  private static func createTemporary(
    beside path: String
  ) throws(TensorFileError) -> (path: String, descriptor: Int32) {
    // The name does not repeat the target's, which may already be as long as a name can be.
    let directory = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[...$0] } ?? ""
    var generator = SystemRandomNumberGenerator()
    // A random 64-bit name is taken only by extreme bad luck or on purpose; a few tries suffice.
    for _ in 0..<16 {
      let suffix = String(generator.next(), radix: 36)
      let candidate = "\(directory).tensorfile-\(suffix).tmp"
      // Plain creation rather than mkstemp, so the process's umask decides the permissions.
      let descriptor = retryingOnInterrupt {
        open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      }
      if descriptor >= 0 { return (candidate, descriptor) }
      let code = errno
      guard code == EEXIST else {
        throw .writeFailed(path: path, operation: "create", reason: errorText(code))
      }
    }
    throw .writeFailed(path: path, operation: "create", reason: errorText(EEXIST))
  }
}

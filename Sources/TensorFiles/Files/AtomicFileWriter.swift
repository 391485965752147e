import CallerChecks

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Writes a file that appears under its name complete or not at all.
///
/// Bytes go to a temporary file in the target's directory; `commit()` renames it over the target. A
/// writer that goes out of scope uncommitted, whether by an error or by choice, leaves nothing, and an
/// existing target as it was. Readers that have the old file open keep seeing the old bytes.
///
///     var writer = try AtomicFileWriter(path: "table.csv")
///     try writer.write("format,qsnr_db\n")
///     try writer.commit()
///
/// Symbolic links are followed: the file behind them is created or replaced, and they stay. Pipes and
/// character devices get the bytes as they are written, and so does standard output for the path `-`
/// (a file of that name is `./-`), and a descriptor of this process for `/dev/stdout` and
/// `/dev/fd/N`; what is written there cannot be taken back.
///
/// Writes are not buffered and not synchronised to the disk: the promise covers failing processes,
/// not failing power. On Linux the temporary file has no name on most file systems, so that even a
/// process that is killed leaves none. Elsewhere it may leave one called `.tensorfile-….tmp`, which
/// the next writer in that directory removes.
public struct AtomicFileWriter: ~Copyable {
  /// The path as it was given.
  public let path: String
  let descriptor: Int32
  /// The file that replaces the target; nil where bytes go to the target at once.
  private let temporary: TemporaryFile?
  /// The path of what the last link points to.
  private let target: String

  /// Creates the temporary file beside the target, or opens the target where that is a stream.
  ///
  /// The target may exist: it is then replaced on commit, and the new file gets its permissions.
  /// Opening a pipe waits for its reader.
  ///
  /// - Throws: `.isDirectory` or `.unsupportedFile` if the target, or what a link there points to,
  ///   cannot be written to as a whole (a directory, a socket, a disk); `.writeFailed` if the
  ///   temporary file cannot be made or the stream cannot be opened.
  public init(path: String) throws(TensorFileError) {
    try self.init(path: path, temporary: .unnamed)
  }

  init(path: String, temporary kind: TemporaryFile.Kind) throws(TensorFileError) {
    let opened: Int32
    switch try OutputTarget(path: path) {
    case .file(let target, let permissions):
      let temporary = try TemporaryFile(beside: target, reportedPath: path, kind: kind)
      if let permissions {
        // Best effort: some file systems have no permissions, and the contents matter more.
        _ = fchmod(temporary.descriptor, permissions)
      }
      self.path = path
      self.temporary = temporary
      self.target = target
      descriptor = temporary.descriptor
      return
    case .stream(let target):
      opened = retryingOnInterrupt { open(target, O_WRONLY | O_NOCTTY | O_CLOEXEC) }
    case .descriptor(let number):
      opened = retryingOnInterrupt { fcntl(number, F_DUPFD_CLOEXEC, 0) }
    }
    guard opened >= 0 else {
      throw .writeFailed(path: path, operation: "open", reason: errorText(errno))
    }
    self.path = path
    temporary = nil
    target = path
    descriptor = opened
  }

  deinit {
    if temporary == nil { _ = close(descriptor) }
  }

  /// Appends bytes.
  ///
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  public mutating func write(_ bytes: RawSpan) throws(TensorFileError) {
    try bytes.withUnsafeBytes { (buffer) throws(TensorFileError) in try write(buffer) }
  }

  /// Whether bytes can be written in any order: not to pipes and devices.
  package var writesAnywhere: Bool { temporary != nil }

  /// Writes bytes in their place, whatever has been written.
  ///
  /// - Throws: `.writeFailed`, after which the only sensible thing is to drop the writer.
  /// - Precondition: `writesAnywhere`.
  package mutating func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int
  ) throws(TensorFileError) {
    require(writesAnywhere, "writing at \(offset) to a stream")
    var done = 0
    while done < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[done...].prefix(Self.largestWrite))
      let file = descriptor
      let written = retryingOnInterrupt {
        pwrite(file, rest.baseAddress, rest.count, off_t(offset + done))
      }
      guard written >= 0 else {
        throw .writeFailed(path: path, operation: "write", reason: errorText(errno))
      }
      done += written
    }
  }

  /// Some systems refuse a single write of 2 GiB or more.
  private static let largestWrite = 1 << 30

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
    let largestWrite = Self.largestWrite
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

  /// Gives the finished file its name; a stream has all its bytes then.
  ///
  /// - Throws: `.writeFailed` if closing or renaming fails; the temporary file is then removed.
  public consuming func commit() throws(TensorFileError) {
    if let temporary {
      try temporary.rename(to: target, reportedPath: path)
    } else if !flushByClosing(descriptor) {
      throw .writeFailed(path: path, operation: "finish writing", reason: errorText(errno))
    }
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
}

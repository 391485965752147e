import CallerChecks

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The bytes of an input, read where they are asked for.
///
/// A regular file stays open and is read in place, so that it may be larger than memory. Replacing it
/// by a rename changes nothing; where others shorten it, reading what is gone is an error and nothing
/// worse. Pipes, terminals and the like can be read only once: they are held in memory, up to
/// `largestStream` bytes.
///
/// The path `-` is standard input; a file of that name is `./-`.
package final class InputFile: ByteSource {
  /// The path as it was given.
  package let path: String
  /// The number of bytes when the file was opened, at least 1.
  package let count: Int

  /// The most bytes that a pipe may deliver: 4 GiB.
  package static let largestStream = 1 << 32

  private let storage: Storage

  private enum Storage: Sendable {
    /// Where the first byte lies in a file that stays open.
    case regular(descriptor: Int32, start: Int)
    /// Chunks of `chunkSize` bytes, of which the last may be shorter.
    case held([[UInt8]])
  }

  /// The bytes of a stream that are held together.
  static let chunkSize = 8 << 20

  /// Opens a file, and reads it where it is a stream.
  ///
  /// - Throws: `.missing`, `.isDirectory`, `.unsupportedFile` for a device or a socket, `.emptyFile`,
  ///   `.streamTooLong`, `.notEnoughMemory` for a stream, or `.unreadable` with the system's reason.
  package init(path: String) throws(TensorFileError) {
    self.path = path
    let (descriptor, kind) = try Self.open(path)
    switch kind {
    case .regular(let size):
      // Standard input may have been read in part by whoever started this process.
      let start = path == standardStreamPath ? max(0, Int(lseek(descriptor, 0, SEEK_CUR))) : 0
      storage = .regular(descriptor: descriptor, start: start)
      count = max(0, size - start)
    case .stream:
      defer { _ = close(descriptor) }
      let chunks = try Self.chunks(of: descriptor, path, limit: Self.largestStream)
      storage = .held(chunks)
      count = chunks.reduce(0) { $0 + $1.count }
    case .directory, .other:
      _ = close(descriptor)
      throw kind == .directory ? .isDirectory(path: path) : .unsupportedFile(path: path)
    }
    // The deinitialiser closes a file that is refused here.
    guard count > 0 else { throw .emptyFile(path: path) }
  }

  deinit {
    if case .regular(let descriptor, _) = storage { _ = close(descriptor) }
  }

  // MARK: Reading

  /// Fills memory with the bytes from an offset on.
  ///
  /// - Throws: `.cutShort` if the file has become shorter than it was, `.unreadable` with the system's
  ///   reason.
  /// - Precondition: The bytes lie within the file.
  package func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int
  ) throws(TensorFileError) {
    require(
      offset >= 0 && offset <= count - buffer.count,
      "\(buffer.count) bytes at \(offset) outside a file of \(count)")
    switch storage {
    case .regular(let descriptor, let start):
      try read(descriptor, into: buffer, at: offset, start: start)
    case .held(let chunks):
      var rest = buffer
      var position = offset
      while !rest.isEmpty {
        let (chunk, first) = position.quotientAndRemainder(dividingBy: Self.chunkSize)
        let part = min(rest.count, chunks[chunk].count - first)
        chunks[chunk].withUnsafeBytes {
          rest.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[first..<first + part]))
        }
        rest = UnsafeMutableRawBufferPointer(rebasing: rest[part...])
        position += part
      }
    }
  }

  private func read(
    _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: Int, start: Int
  ) throws(TensorFileError) {
    // Some systems refuse a single read of 2 GiB or more.
    let largestRead = 1 << 30
    var done = 0
    while done < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...].prefix(largestRead))
      let read = retryingOnInterrupt {
        pread(descriptor, rest.baseAddress, rest.count, off_t(start + offset + done))
      }
      guard read >= 0 else { throw .unreadable(path: path, reason: errorText(errno)) }
      guard read > 0 else { throw .cutShort(path: path, needed: count, available: offset + done) }
      done += read
    }
  }

  // MARK: Opening

  private static func open(
    _ path: String
  ) throws(TensorFileError) -> (descriptor: Int32, kind: FileKind) {
    // A C string would end at the NUL and name another file.
    guard !path.utf8.contains(0) else {
      throw .unreadable(path: path, reason: "the path contains a NUL character")
    }
    func opened(_ flags: Int32) throws(TensorFileError) -> Int32 {
      let descriptor = retryingOnInterrupt {
        path == standardStreamPath
          ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : openFile(path, flags | O_CLOEXEC)
      }
      guard descriptor < 0 else { return descriptor }
      let code = errno
      throw code == ENOENT ? .missing(path: path) : .unreadable(path: path, reason: errorText(code))
    }
    // Reading a pipe waits for its writer only where opening did. Opening a device may wait for ever,
    // and opening a terminal may make it this process's own.
    var status = stat()
    let isPipe = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    let descriptor = try opened(O_RDONLY | O_NOCTTY | (isPipe ? 0 : O_NONBLOCK))
    // Asked of the open descriptor, so the answer is about what will be read.
    guard let kind = FileKind(descriptor: descriptor) else {
      let reason = errorText(errno)
      _ = close(descriptor)
      throw .unreadable(path: path, reason: reason)
    }
    return (descriptor, kind)
  }

  /// Everything that a stream delivers.
  static func chunks(
    of descriptor: Int32, _ path: String, limit: Int
  ) throws(TensorFileError) -> [[UInt8]] {
    var chunks: [[UInt8]] = []
    var total = 0
    while true {
      try TensorFiles.requireMemory(chunkSize, path: path, tensor: nil)
      let chunk = try [UInt8](unsafeUninitializedCapacity: chunkSize) {
        (buffer, count) throws(TensorFileError) in
        while count < chunkSize {
          let rest = UnsafeMutableBufferPointer(rebasing: buffer[count..<chunkSize])
          let read = retryingOnInterrupt { readSome(descriptor, rest) }
          if read < 0, errno == EAGAIN {
            waitUntilReadable(descriptor)
            continue
          }
          guard read >= 0 else { throw .unreadable(path: path, reason: errorText(errno)) }
          guard read > 0 else { return }
          count += read
        }
      }
      if !chunk.isEmpty { chunks.append(chunk) }
      total += chunk.count
      guard total <= limit else {
        throw .streamTooLong(path: path, limit: limit)
      }
      if chunk.count < chunkSize { return chunks }
    }
  }
}

/// Waits for the next bytes of a stream that was opened not to wait, by this process or another.
private func waitUntilReadable(_ descriptor: Int32) {
  var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
  _ = poll(&request, 1, -1)
}

/// The system call, which the methods above hide.
private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags) }

/// The bytes that are there, waiting for the first; as the system call, whose name is hidden too.
private func readSome(_ descriptor: Int32, _ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
  read(descriptor, buffer.baseAddress, buffer.count)
}

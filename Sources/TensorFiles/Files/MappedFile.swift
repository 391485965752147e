import CallerChecks

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The bytes of a regular file, mapped into memory read-only for as long as the instance lives.
///
/// The mapping is private, so nothing written through it could reach the file. Replacing the file
/// by a rename leaves the mapping intact; shortening it in place makes later reads of the lost
/// pages fail with a bus error, as with any mapping.
// Unchecked because of the pointer; the memory is never written and the pointer never changes.
package final class MappedFile: @unchecked Sendable {
  package let path: String
  /// The number of bytes in the file, at least 1.
  package var count: Int { bytes.count }

  private let bytes: UnsafeRawBufferPointer

  package init(path: String) throws(TensorFileError) {
    // A C string would end at the NUL and name another file.
    guard !path.utf8.contains(0) else {
      throw .unreadable(path: path, reason: "the path contains a NUL character")
    }
    // Without O_NONBLOCK, opening a pipe nobody writes to would wait forever.
    let descriptor = retryingOnInterrupt {
      open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
    }
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT
        ? .missing(path: path) : .unreadable(path: path, reason: errorText(code))
    }
    defer { _ = close(descriptor) }

    // Asked of the open descriptor, so the answer is about the file that will be mapped.
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, reason: errorText(errno))
    }
    switch FileKind(status) {
    case .regular: break
    case .directory: throw .isDirectory(path: path)
    case .other: throw .notRegularFile(path: path)
    }
    let count = Int(status.st_size)
    guard count > 0 else { throw .emptyFile(path: path) }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else {
      throw .unreadable(path: path, reason: errorText(errno))
    }
    self.path = path
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  /// Calls a function with a part of the file, which stays mapped during the call.
  ///
  /// - Precondition: `range` lies within the file.
  package func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    in range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    require(
      range.upperBound <= bytes.count, "bytes \(range) outside a file of \(bytes.count)")
    // The pointer alone would not keep this instance, and with it the mapping, alive.
    defer { withExtendedLifetime(self) {} }
    return try body(UnsafeRawBufferPointer(rebasing: bytes[range]))
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }
}

/// What a path or descriptor refers to, as far as tensor files care.
enum FileKind {
  case regular
  case directory
  case other

  init(_ status: stat) {
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .directory
    default: self = .other
    }
  }
}

/// The operating system's sentence for an error number.
func errorText(_ code: Int32) -> String {
  String(cString: strerror(code))
}

/// The result of the call, repeated while a signal interrupts it.
func retryingOnInterrupt<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

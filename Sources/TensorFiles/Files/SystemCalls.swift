internal import SystemResources

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The path that stands for standard input where files are read, for standard output where they are
/// written.
package let standardStreamPath = "-"

/// What a path or descriptor refers to, as far as reading and writing care.
enum FileKind: Equatable {
  /// A file of so many bytes.
  case regular(size: Int)
  case directory
  /// A pipe, a terminal, or a socket that is open already.
  case stream
  /// A device: not even its end can be relied on.
  case other

  /// The kind of an open file; nil, with `errno`, if the system does not tell.
  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .regular(size: Int(status.st_size))
    case S_IFDIR: self = .directory
    case S_IFIFO, S_IFSOCK: self = .stream
    case S_IFCHR where isatty(descriptor) == 1: self = .stream
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

/// Refuses to take more memory than there is.
func requireMemory(_ byteCount: Int, path: String, tensor: String?) throws(TensorFileError) {
  do {
    try MemoryBudget.require(byteCount, for: "")
  } catch {
    throw .notEnoughMemory(path: path, tensor: tensor, amounts: error.amounts)
  }
}

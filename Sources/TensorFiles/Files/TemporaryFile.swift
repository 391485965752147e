internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A file that is written beside its target and then takes the target's name.
///
/// Where the system can (Linux, on most file systems), it has no name before that, and vanishes with
/// its process however that ends. Elsewhere it is called `.tensorfile-….tmp` and locked by its
/// process: `removeLeftovers(in:)` finds those whose process is gone, and a program that a signal ends
/// calls `removeUnfinished()`.
package final class TemporaryFile {
  /// Open for writing.
  let descriptor: Int32
  /// Where the file is before it has its final name; nil while it has none.
  private(set) var path: String?

  /// How a file is hidden before it is complete.
  enum Kind {
    /// Without a name where the system can do that.
    case unnamed
    /// Under a name of its own.
    case named
  }

  /// Creates a file in the directory of a target.
  ///
  /// - Throws: `.writeFailed` about `reportedPath`.
  init(
    beside target: String, reportedPath: String, kind: Kind = .unnamed
  ) throws(TensorFileError) {
    let folder = directory(of: target)
    Self.removeLeftovers(in: folder)
    if kind == .unnamed, let descriptor = Self.unnamedFile(in: folder) {
      self.descriptor = descriptor
      path = nil
      return
    }
    // A name is taken, or swept before it is locked, only by extreme bad luck or on purpose.
    var code = EEXIST
    for _ in 0..<16 {
      let candidate = Self.freshPath(in: folder)
      Self.unfinished.withLock { _ = $0.insert(candidate) }
      // Plain creation rather than mkstemp, so the process's umask decides the permissions.
      let descriptor = retryingOnInterrupt {
        open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      }
      if descriptor >= 0 {
        if Self.holdsLock(descriptor) {
          self.descriptor = descriptor
          path = candidate
          return
        }
        _ = close(descriptor)
      } else {
        code = errno
      }
      Self.unfinished.withLock { _ = $0.remove(candidate) }
      guard descriptor >= 0 || code == EEXIST else { break }
    }
    throw .writeFailed(path: reportedPath, operation: "create", reason: errorText(code))
  }

  /// Closes the file and removes it, unless it has its final name.
  deinit {
    _ = close(descriptor)
    guard let path else { return }
    _ = unlink(path)
    Self.unfinished.withLock { _ = $0.remove(path) }
  }

  /// Gives the file its name, in place of what has it.
  ///
  /// - Throws: `.writeFailed` about `reportedPath`.
  func rename(to target: String, reportedPath: String) throws(TensorFileError) {
    func failure(_ operation: String) -> TensorFileError {
      .writeFailed(path: reportedPath, operation: operation, reason: errorText(errno))
    }
    guard flushByClosing(descriptor) else { throw failure("finish writing") }
    if path == nil {
      // A free name is taken in one step, so that there is no moment to be killed in.
      if link(to: target) { return }
      guard errno == EEXIST else { throw failure("finish writing") }
      let candidate = Self.freshPath(in: directory(of: target))
      Self.unfinished.withLock { _ = $0.insert(candidate) }
      path = candidate
      guard link(to: candidate) else { throw failure("finish writing") }
    }
    guard let source = path else { return }
    guard systemRename(source, target) == 0 else { throw failure("replace") }
    Self.unfinished.withLock { _ = $0.remove(source) }
    path = nil
  }

  // MARK: Without a name

  /// Gives a file without a name a name that is free.
  ///
  /// - Returns: Whether it has it; the reason is in `errno`.
  private func link(to name: String) -> Bool {
    linkat(AT_FDCWD, Self.magicLink(descriptor), AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0
  }

  private static func unnamedFile(in folder: String) -> Int32? {
    #if os(Linux)
    // The flag's definition in C is an expression that Swift does not import.
    let unnamed: Int32 = 0o20_000_000 | O_DIRECTORY
    let descriptor = retryingOnInterrupt {
      open(folder.isEmpty ? "." : folder, unnamed | O_WRONLY | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { return nil }
    // Without /proc it would never get a name.
    guard access(magicLink(descriptor), F_OK) == 0 else {
      _ = close(descriptor)
      return nil
    }
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
    return descriptor
    #else
    return nil
    #endif
  }

  private static func magicLink(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

  // MARK: With a name

  private static let prefix = ".tensorfile-"
  private static let suffix = ".tmp"

  /// A path that does not repeat the target's name, which may already be as long as a name can be.
  private static func freshPath(in folder: String) -> String {
    var generator = SystemRandomNumberGenerator()
    return folder + prefix + String(generator.next(), radix: 36) + suffix
  }

  /// Locks a new file, unless a sweep has taken it in the moment between.
  private static func holdsLock(_ descriptor: Int32) -> Bool {
    // Where the file system knows no locks, nobody can sweep either.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else { return false }
    var status = stat()
    return fstat(descriptor, &status) != 0 || status.st_nlink > 0
  }

  /// The names of files of this process that are not complete.
  private static let unfinished = Mutex<Set<String>>([])

  /// Removes the files of this process that are not complete, when it is about to end.
  package static func removeUnfinished() {
    for path in unfinishedPaths { _ = unlink(path) }
  }

  static var unfinishedPaths: Set<String> { unfinished.withLock(\.self) }

  private static let sweptFolders = Mutex<Set<String>>([])

  /// Removes the files that processes which are gone have left in a folder, once for each folder.
  ///
  /// Only names of this type are looked at, and only files whose lock is free are removed: that of a
  /// process goes with it.
  static func removeLeftovers(in folder: String) {
    guard sweptFolders.withLock({ $0.insert(folder).inserted }) else { return }
    sweep(folder)
  }

  /// Does what `removeLeftovers(in:)` says.
  static func sweep(_ folder: String) {
    guard let entries = opendir(folder.isEmpty ? "." : folder) else { return }
    defer { closedir(entries) }
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { continue }
      let path = folder + name
      let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if case .regular = FileKind(descriptor: descriptor),
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
      {
        _ = unlink(path)
      }
      _ = close(descriptor)
    }
  }
}

/// The system call, whose name a method hides.
private func systemRename(_ source: String, _ target: String) -> Int32 { rename(source, target) }

/// Closes a copy of a descriptor, whose errors are those of closing the descriptor itself: network
/// file systems report a full disk only there.
///
/// - Returns: Whether there was none; the reason is in `errno`.
func flushByClosing(_ descriptor: Int32) -> Bool {
  let copy = dup(descriptor)
  return copy < 0 || close(copy) == 0 || errno == EINTR
}

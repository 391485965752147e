#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Keeps other processes from writing to a folder, until it is released or the process ends.
struct FolderLock: ~Copyable {
  private let descriptor: Int32

  /// Who else may have the lock.
  enum Sharing {
    /// Nobody.
    case exclusive
    /// Others that share it, too: workers that write different files.
    case shared
  }

  /// Makes a folder where there is none, and locks it.
  ///
  /// - Throws: `.folder` where another process has it, or with the system's reason.
  init(_ folder: Folder, _ sharing: Sharing) throws(ModelCheckpointError) {
    try folder.make()
    let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .folder(
        path: folder.path, reason: "cannot be opened: \(String(cString: strerror(errno)))")
    }
    let kind = sharing == .exclusive ? LOCK_EX : LOCK_SH
    guard flock(descriptor, kind | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw .folder(
        path: folder.path,
        reason: code == EWOULDBLOCK
          ? "is being written by another process"
          : "cannot be locked: \(String(cString: strerror(code)))")
    }
    self.descriptor = descriptor
  }

  /// Lets others have the folder.
  borrowing func release() { _ = flock(descriptor, LOCK_UN) }

  deinit { close(descriptor) }
}

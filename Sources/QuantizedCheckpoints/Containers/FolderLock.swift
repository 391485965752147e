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

  /// Makes a folder where there is none, and locks it.
  ///
  /// - Throws: `.folder` where another process has it, or with the system's reason.
  init(_ folder: Folder) throws(ModelCheckpointError) {
    try folder.make()
    let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .folder(
        path: folder.path, reason: "cannot be opened: \(String(cString: strerror(errno)))")
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
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

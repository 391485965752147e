#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a path to write to stands for.
enum OutputTarget: Equatable {
  /// A file to create or replace, at a path whose last component is no symbolic link.
  ///
  /// `permissions` are those of the file that is there already.
  case file(path: String, permissions: mode_t?)
  /// A pipe or a device, to be opened at the path.
  case stream(path: String)
  /// A descriptor of this process, such as that of `-` or `/dev/stdout`.
  case descriptor(Int32)

  /// Follows symbolic links to what they point to, whether it exists or not.
  ///
  /// - Throws: `.isDirectory`, `.unsupportedFile` for a socket or a block device, or `.writeFailed`
  ///   where links go in circles.
  init(path: String) throws(TensorFileError) {
    func failure(_ reason: String) -> TensorFileError {
      .writeFailed(path: path, operation: "create", reason: reason)
    }
    guard path != standardStreamPath else {
      self = .descriptor(STDOUT_FILENO)
      return
    }
    guard !path.utf8.contains(0) else { throw failure("the path contains a NUL character") }
    guard path.utf8.last != UInt8(ascii: "/") else { throw .isDirectory(path: path) }
    var target = path
    // The most links that Linux follows.
    for _ in 0...40 {
      if let descriptor = Self.descriptor(at: target) {
        self = .descriptor(descriptor)
        return
      }
      var status = stat()
      guard lstat(target, &status) == 0 else {
        self = .file(path: target, permissions: nil)
        return
      }
      switch status.st_mode & S_IFMT {
      case S_IFREG:
        self = .file(path: target, permissions: status.st_mode & 0o777)
        return
      case S_IFIFO, S_IFCHR:
        self = .stream(path: target)
        return
      case S_IFDIR: throw .isDirectory(path: path)
      case S_IFLNK: break
      default: throw .unsupportedFile(path: path)
      }
      guard let link = Self.contents(ofLink: target) else { throw failure(errorText(errno)) }
      target = link.utf8.first == UInt8(ascii: "/") ? link : directory(of: target) + link
    }
    throw failure(errorText(ELOOP))
  }

  /// The descriptor of this process that a path such as `/dev/fd/3` names.
  ///
  /// Writing to it continues where it stands; the file that it was opened by, if there is one, must
  /// not be replaced behind its back.
  private static func descriptor(at path: String) -> Int32? {
    let folder = directory(of: path)
    let name = String(decoding: path.utf8.dropFirst(folder.utf8.count), as: UTF8.self)
    guard let number = Int32(name), number >= 0,
      let resolved = realpath(folder.isEmpty ? "." : folder, nil)
    else { return nil }
    defer { free(resolved) }
    return ["/dev/fd", "/proc/\(getpid())/fd"].contains(String(cString: resolved)) ? number : nil
  }

  private static func contents(ofLink path: String) -> String? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX) + 1) { buffer in
      guard let start = buffer.baseAddress else { return nil }
      let count = readlink(path, start, Int(PATH_MAX))
      guard count >= 0 else { return nil }
      start[count] = 0
      return String(cString: start)
    }
  }
}

/// The part of a path up to the last component, `/` included; empty for a name alone.
func directory(of path: String) -> String {
  path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
}

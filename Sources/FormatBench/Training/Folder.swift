import CommandLineToolkit

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Folders by the system's own calls, whose errors are sentences.
enum Folder {
  /// Makes a folder, and those above it, where there is none.
  ///
  /// - Throws: `.input` with the system's reason.
  static func make(_ path: String) throws(CommandError) {
    var code = attempt(path)
    if code == ENOENT, let parent = parent(of: path) {
      try make(parent)
      code = attempt(path)
    }
    guard code == 0 else {
      throw .input("cannot make the folder \(path): \(String(cString: strerror(code)))")
    }
  }

  /// The error of making one folder, 0 where it is there.
  private static func attempt(_ path: String) -> Int32 {
    if mkdir(path, 0o777) == 0 { return 0 }
    let code = errno
    var status = stat()
    let isFolder = stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    return isFolder ? 0 : code
  }

  /// What stands before the last name, if there is something.
  private static func parent(of path: String) -> String? {
    guard let slash = path.lastIndex(where: { $0 == "/" }), slash > path.startIndex else {
      return nil
    }
    return String(path[..<slash])
  }
}

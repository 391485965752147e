#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A folder of the file system.
struct Folder: Sendable {
  /// Its path as the caller gave it, without a slash at its end but for the root.
  let path: String

  init(_ path: String) {
    var path = path
    while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
  }

  /// The folder that holds a file.
  init(of file: String) {
    guard let slash = file.lastIndex(of: "/") else {
      self.init(".")
      return
    }
    self.init(slash == file.startIndex ? "/" : String(file[..<slash]))
  }

  /// Whether a path leads to a folder, through links too.
  static func exists(at path: String) -> Bool { mode(of: path) == S_IFDIR }

  /// The path of a file in it.
  func path(of name: String) -> String {
    path == "." ? name : path == "/" ? "/" + name : path + "/" + name
  }

  /// Whether it holds a regular file of the name.
  func holdsFile(_ name: String) -> Bool { Self.mode(of: path(of: name)) == S_IFREG }

  /// The names of all that it holds, in the order of their bytes.
  func names() throws(ModelCheckpointError) -> [String] {
    guard let stream = opendir(path) else {
      throw .folder(path: path, reason: "cannot be read: \(String(cString: strerror(errno)))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 1) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func mode(of path: String) -> mode_t? {
    // A C string would end at the NUL and name another file.
    guard !path.utf8.contains(0) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}

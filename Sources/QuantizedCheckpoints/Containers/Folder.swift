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

  /// Whether a path names anything, a link that leads nowhere included.
  static func somethingExists(at path: String) -> Bool {
    guard !path.utf8.contains(0) else { return false }
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// The bytes of a file; nil where there is none.
  static func fileSize(at path: String) -> Int? {
    guard !path.utf8.contains(0) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// When a file was last changed, in nanoseconds since 1970; nil where there is none.
  static func changeTime(of path: String) -> Int? {
    guard !path.utf8.contains(0) else { return nil }
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    #if canImport(Darwin)
    let time = status.st_mtimespec
    #else
    let time = status.st_mtim
    #endif
    return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
  }

  /// Makes the folder, which may be there; those above it must be.
  func make() throws(ModelCheckpointError) {
    guard mkdir(path, 0o777) == 0 || errno == EEXIST && Self.exists(at: path) else {
      throw .folder(path: path, reason: "cannot be made: \(String(cString: strerror(errno)))")
    }
  }

  /// Removes a file of the folder.
  func remove(_ name: String) throws(ModelCheckpointError) {
    guard unlink(path(of: name)) == 0 || errno == ENOENT else {
      throw .folder(path: path, reason: "\(name): \(String(cString: strerror(errno)))")
    }
  }

  /// Gives the folder another name, which nothing has.
  func rename(to target: String) throws(ModelCheckpointError) {
    #if canImport(Glibc)
    let result = Glibc.rename(path, target)
    #elseif canImport(Musl)
    let result = Musl.rename(path, target)
    #elseif canImport(Darwin)
    let result = Darwin.rename(path, target)
    #endif
    guard result == 0 else {
      throw .folder(
        path: target, reason: "cannot be named so: \(String(cString: strerror(errno)))")
    }
  }

  private static func mode(of path: String) -> mode_t? {
    // A C string would end at the NUL and name another file.
    guard !path.utf8.contains(0) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}

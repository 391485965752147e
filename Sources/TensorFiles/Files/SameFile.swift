#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Whether writing to one path would change what is read from the other.
///
/// The file system decides, so links of both kinds, `./`, and names that differ in case where that
/// makes no difference are all seen; `-` is standard output and standard input. What a device takes
/// and what it gives are two things. A file that does not exist is not the same as any other.
package func isSameFile(output: String, input: String) -> Bool {
  guard let target = status(of: output, standardStream: STDOUT_FILENO),
    let source = status(of: input, standardStream: STDIN_FILENO)
  else { return false }
  return target.st_dev == source.st_dev && target.st_ino == source.st_ino
    && target.st_mode & S_IFMT != S_IFCHR
}

private func status(of path: String, standardStream: Int32) -> stat? {
  var status = stat()
  let code = path == standardStreamPath ? fstat(standardStream, &status) : stat(path, &status)
  return code == 0 ? status : nil
}

import CommandLineToolkit

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Keeps a folder of runs to one process for as long as the instance lives.
///
/// It is a lock on an open file (`flock`), which the system takes back when the process ends, however
/// it does: nothing is left to be removed after `kill -9`. The file stays, with the number of the last
/// process that had the lock, since removing it would let two processes lock two files of one name.
///
/// Over NFS, Linux and macOS ask the server for the lock, so that it holds between machines; a file
/// system that has no locks is refused.
final class RunLock {
  private let descriptor: Int32

  /// The lock's file in a folder.
  static let fileName = ".lock"

  /// Takes the lock.
  ///
  /// - Parameter folder: exists.
  /// - Throws: `.input` if another process has the lock, or the file cannot be made or locked.
  init(folder: String) throws(CommandError) {
    let path = folder + "/" + Self.fileName
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else {
      throw .input("cannot write to the folder \(folder): \(Self.text(errno))")
    }
    // From here on the lock, or what could have become of it, ends with the descriptor.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      guard code == EWOULDBLOCK else {
        throw .input("cannot lock the folder \(folder): \(Self.text(code))")
      }
      let holder = owner.map { " (process \($0))" } ?? ""
      throw .input("the folder \(folder) is in use by another fmtbench train\(holder)")
    }
    writeOwner()
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// The process that the file names.
  private var owner: Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    let line = bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }
    return Int32(String(decoding: line, as: UTF8.self))
  }

  /// Names this process; what cannot be written only makes a refusal say less.
  private func writeOwner() {
    let text = Array("\(getpid())\n".utf8)
    _ = ftruncate(descriptor, 0)
    _ = pwrite(descriptor, text, text.count, 0)
  }

  private static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}

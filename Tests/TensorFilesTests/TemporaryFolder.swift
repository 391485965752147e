import Foundation

/// A fresh folder for one test, removed with all it holds when the instance goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    // Short: the address of a socket has room for about 100 bytes, of which macOS takes 49 to here.
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("TensorFiles-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a name in the folder.
  subscript(name: String) -> String { "\(path)/\(name)" }

  /// Creates or replaces a file and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], as name: String = "file") throws -> String {
    // Some file systems push a file to the disk when it is truncated and rewritten, which would
    // make tests that write thousands of files wait for the disk.
    try? FileManager.default.removeItem(atPath: self[name])
    try Data(bytes).write(to: URL(fileURLWithPath: self[name]))
    return self[name]
  }

  /// The bytes of a file in the folder.
  func read(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: self[name])))
  }

  /// The names of everything in the folder, hidden files included, sorted.
  func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}

/// A safetensors file of a header text and as many data bytes, counting up from 0.
func safetensors(_ header: String, dataCount: Int = 0) -> [UInt8] {
  safetensors(Array(header.utf8), dataCount: dataCount)
}

/// A safetensors file of the bytes of a header and as many data bytes, counting up from 0.
func safetensors(_ header: [UInt8], dataCount: Int = 0) -> [UInt8] {
  lengthField(UInt64(header.count)) + header
    + (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
}

/// The eight bytes that state a header's length.
func lengthField(_ length: UInt64) -> [UInt8] {
  (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
}

/// A `.npy` file of a dictionary text, unpadded, and data.
func npy(_ dictionary: String, data: [UInt8] = [], version: UInt8 = 1) -> [UInt8] {
  let count = dictionary.utf8.count
  let length =
    version == 1 ? lengthField(UInt64(count)).prefix(2) : lengthField(UInt64(count)).prefix(4)
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(dictionary.utf8) + data
}

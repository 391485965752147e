import Foundation

/// A fresh folder for one test, removed with all it holds when the instance goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent(
      "QuantizedCheckpoints-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }

  /// The path of a name in the folder.
  subscript(name: String) -> String { "\(path)/\(name)" }

  /// Creates or replaces a file, with the folders above it, and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], as name: String) throws -> String {
    let url = URL(fileURLWithPath: self[name])
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? FileManager.default.removeItem(at: url)
    try Data(bytes).write(to: url)
    return self[name]
  }

  /// Creates or replaces a text.
  @discardableResult
  func write(_ text: String, as name: String) throws -> String {
    try write(Array(text.utf8), as: name)
  }

  /// The bytes of a file in the folder.
  func read(_ name: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: self[name])))
  }

  /// The names of everything in a folder of it, hidden files included, sorted.
  func names(in name: String = ".") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: self[name]).sorted()
  }

  /// The path of an empty folder in it.
  func makeFolder(_ name: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: self[name], withIntermediateDirectories: true)
    return self[name]
  }
}

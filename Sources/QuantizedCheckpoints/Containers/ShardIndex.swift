internal import StrictJSON
internal import UntrustedText

/// The index of a checkpoint in several files: `model.safetensors.index.json`.
///
/// Its names of files are attacker data: only plain names of files beside it are accepted.
struct ShardIndex: Sendable {
  /// The path of the index.
  let path: String
  /// The file of each tensor.
  let files: [ExactText: String]

  /// The name of the index.
  static let name = "model.safetensors.index.json"
  /// The most bytes that an index may have.
  static let byteLimit = 256 << 20

  /// The names of the files, each once, in the order of their bytes.
  var fileNames: [String] {
    Set(files.values.map(ExactText.init)).map(\.text)
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Reads an index.
  ///
  /// - Throws: `.folder` where it is none, or names a file elsewhere.
  init(path: String) throws(ModelCheckpointError) {
    let json = try ModelConfiguration.json(at: path, limit: Self.byteLimit)
    guard let map = json["weight_map"]?.members else {
      throw .folder(path: path, reason: "has no object 'weight_map'")
    }
    var files: [ExactText: String] = [:]
    files.reserveCapacity(map.count)
    for member in map {
      guard let file = member.value.text else {
        throw .folder(
          path: path,
          reason: "'\(printable(member.key))' has \(member.value.kind) instead of a file's name")
      }
      guard Self.isPlain(file) else {
        throw .folder(
          path: path,
          reason: "'\(printable(member.key))' lies in '\(printable(file))', "
            + "which is not the name of a file beside the index")
      }
      files[ExactText(member.key)] = file
    }
    self.path = path
    self.files = files
  }

  /// Whether a text names a file of the same folder.
  static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".."
      && !name.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") || $0 == 0 }
  }
}

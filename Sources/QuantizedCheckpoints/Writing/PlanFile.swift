internal import StrictJSON
internal import TensorFiles
internal import UntrustedText

/// A file that names a format for each tensor: version 1 of what `fmtbench plan` writes.
package struct PlanFile: Sendable {
  /// The formats by the names of tensors.
  package let formats: [String: String]

  /// The most bytes that a plan may have.
  private static let byteLimit = 64 << 20

  /// Reads a plan.
  ///
  /// - Throws: `.configuration` where the file is none.
  package init(path: String) throws(ModelCheckpointError) {
    let json = try ModelConfiguration.json(at: path, limit: Self.byteLimit)
    guard json["version"]?.integer == 1 else {
      throw .configuration(path: path, reason: "'version' is not 1")
    }
    guard let tensors = json["tensors"]?.members else {
      throw .configuration(path: path, reason: "has no object 'tensors'")
    }
    var formats: [String: String] = [:]
    for member in tensors {
      guard let format = member.value.text else {
        throw .configuration(
          path: path,
          reason: "'\(printable(member.key))' has \(member.value.kind) instead of a format")
      }
      formats[member.key] = format
    }
    self.formats = formats
  }

  /// Writes a plan.
  package static func write(
    _ formats: [(name: String, format: String)], bitsPerWeight: Double, to path: String
  ) throws(ModelCheckpointError) {
    try ModelCheckpointError.ofFiles { () throws(TensorFileError) in
      try AtomicFileWriter.write(text(formats, bitsPerWeight: bitsPerWeight), to: path)
    }
  }

  /// The text of a plan.
  package static func text(
    _ formats: [(name: String, format: String)], bitsPerWeight: Double
  ) -> String {
    JSONValue.object([
      .init("version", JSONValue(1)), .init("bits_per_weight", JSONValue(bitsPerWeight)),
      .init("tensors", .object(formats.map { .init($0.name, .string($0.format)) })),
    ]).text(.indented(), escaping: .controls) + "\n"
  }
}

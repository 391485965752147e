import CallerChecks
import StrictJSON
import UntrustedText

/// Writes safetensors files in the layout of the reference implementation.
///
/// Tensors are laid out by dtype, widest of the reference order first, then by the bytes of their
/// names; the header is compact JSON, padded with spaces to a multiple of eight bytes. The same
/// tensors and metadata therefore always give the same file. Metadata keys are sorted, which the
/// reference leaves to chance.
public enum SafetensorsWriter {
  /// Writes tensors and metadata to a file that appears complete or not at all.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in any order. There may be none.
  ///   - metadata: Text for the header's `__metadata__`, which is left out if this is empty.
  ///   - path: The file to create or replace.
  /// - Precondition: The names of the tensors differ.
  /// - Throws: What `AtomicFileWriter` throws, or `.headerTooLong` if readers would refuse the
  ///   header. An existing file is then as it was.
  public static func write(
    _ tensors: [TensorData], metadata: [String: String] = [:], to path: String
  ) throws(TensorFileError) {
    let ordered = ordered(tensors)
    let header = header(ordered, metadata)
    guard header.count <= SafetensorsFile.headerLimit else {
      throw .headerTooLong(
        path: path, length: UInt64(header.count), limit: SafetensorsFile.headerLimit)
    }
    var writer = try AtomicFileWriter(path: path)
    try writer.write(littleEndianBytes([UInt64(header.count)]) + header)
    for tensor in ordered { try writer.write(tensor.bytes) }
    try writer.commit()
  }

  private static func ordered(_ tensors: [TensorData]) -> [TensorData] {
    var names: Set<ExactText> = []
    for tensor in tensors {
      require(
        names.insert(ExactText(tensor.name)).inserted, "two tensors are named '\(tensor.name)'")
    }
    let rank = Dictionary(
      uniqueKeysWithValues: zip(TensorDType.allCases.reversed(), 0...))
    return tensors.sorted {
      if $0.dtype != $1.dtype { return rank[$0.dtype, default: 0] < rank[$1.dtype, default: 0] }
      return $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
  }

  private static func header(_ tensors: [TensorData], _ metadata: [String: String]) -> [UInt8] {
    var members: [JSONValue.Member] = []
    if !metadata.isEmpty {
      let texts =
        metadata
        .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        .map { JSONValue.Member($0.key, .string($0.value)) }
      members.append(.init("__metadata__", .object(texts)))
    }
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      members.append(
        .init(
          tensor.name,
          .object([
            .init("dtype", .string(tensor.dtype.rawValue)),
            .init("shape", .array(tensor.shape.map { JSONValue($0) })),
            .init("data_offsets", .array([JSONValue(offset), JSONValue(end)])),
          ])))
      offset = end
    }
    // The reference writer, too, escapes only what JSON demands.
    var header = Array(JSONValue.object(members).text(.compact, escaping: .controls).utf8)
    let padding = (8 - header.count % 8) % 8
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
    return header
  }
}

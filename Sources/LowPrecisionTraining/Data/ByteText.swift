import TensorFiles

/// The bytes of a file, read once, with their checksum.
public struct ByteText: Sendable {
  /// Where they were read.
  public let path: String
  /// All of them, at least one.
  public let bytes: [UInt8]
  /// FNV-1a of 64 bits over all bytes, in hexadecimal.
  public let fingerprint: String

  /// Reads a file.
  ///
  /// - Throws: `.file` if the file cannot be read or is empty.
  public init(path: String) throws(ByteCorpusError) {
    self.path = path
    do {
      bytes = try InputFile(path: path).bytes()
    } catch {
      throw .file(error)
    }
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    fingerprint = String(hash, radix: 16)
  }
}

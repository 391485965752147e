/// A kind of file that people hand to a reader of tensors, known by its first bytes.
///
/// The raw value names the kind in a sentence.
package enum FileSignature: String {
  case npy = "a NumPy array file"
  case safetensors = "a safetensors file"
  case gguf = "a GGUF file"
  case npz = "an archive of NumPy arrays (npz)"
  case torch = "a PyTorch checkpoint"
  case zip = "a zip archive"
  case pickle = "a Python pickle"
  case hdf5 = "an HDF5 file"
  case gzip = "a gzip archive"
  case lfsPointer = "a Git LFS pointer in place of the file"
  case json = "JSON text"
  case html = "an HTML page"

  /// How many of a file's first bytes are looked at.
  static let length = 128

  /// Recognises an open file; nil for one of any other kind.
  static func find(in file: InputFile) throws(TensorFileError) -> FileSignature? {
    let start = try file.bytes(in: 0..<min(file.count, length))
    return start.withUnsafeBytes { FileSignature($0) }
  }

  /// Recognises a file by its first bytes; nil for one of any other kind.
  init?(_ bytes: UnsafeRawBufferPointer) {
    let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.length))
    let start = Self.safetensorsLengthSize
    if bytes.count > start,
      UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)) <= Self.safetensorsHeaderLimit
    {
      // The length of a safetensors header is no magic number, but a header is an object. Magic
      // bytes of other kinds would be the length of a header beyond the limit.
      guard bytes[start] == UInt8(ascii: "{") else { return nil }
      self = .safetensors
    } else if bytes.starts(with: Array("PK\u{3}\u{4}".utf8)) {
      self = Self.archive(bytes)
    } else if let known = Self.magics.first(where: { bytes.starts(with: $0.bytes) }) {
      self = known.kind
    } else {
      return nil
    }
  }

  /// The bytes that NumPy's arrays begin with.
  static let npyMagic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  /// The bytes that GGUF files begin with.
  static let ggufMagic: [UInt8] = Array("GGUF".utf8)
  /// The size of the field before the header of a safetensors file that holds the header's length.
  static let safetensorsLengthSize = 8
  /// The longest header of a safetensors file, in bytes, by its reference implementation.
  static let safetensorsHeaderLimit = 100_000_000

  private static let magics: [(kind: FileSignature, bytes: [UInt8])] = [
    // An archive without members begins with the record that ends all others.
    (.npy, npyMagic), (.zip, Array("PK\u{5}\u{6}".utf8)), (.gguf, ggufMagic),
    (.hdf5, [0x89] + Array("HDF\r\n".utf8)),
    // PyTorch's own number, as a pickled integer of ten bytes, begins its checkpoints before 1.6.
    (.torch, [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20]),
    (.pickle, [0x80, 2]), (.pickle, [0x80, 3]), (.pickle, [0x80, 4]), (.pickle, [0x80, 5]),
    (.gzip, [0x1F, 0x8B]), (.lfsPointer, Array("version https://git-lfs".utf8)),
    (.json, Array("{".utf8)), (.html, Array("<!".utf8)), (.html, Array("<html".utf8)),
  ]

  /// The kind of a zip archive, by the name of the first file in it.
  private static func archive(_ bytes: UnsafeRawBufferPointer) -> FileSignature {
    // The local header of a file: its name's length at byte 26, the name itself at byte 30.
    guard bytes.count >= 30 else { return .zip }
    let length = Int(bytes[26]) | Int(bytes[27]) << 8
    let name = String(decoding: bytes[30...].prefix(length), as: UTF8.self)
    if name.hasSuffix(".npy") { return .npz }
    return name.hasSuffix("/data.pkl") ? .torch : .zip
  }
}

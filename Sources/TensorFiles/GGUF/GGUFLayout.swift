/// The numbers that readers and writers of GGUF files share.
///
/// Source: ggml's description of the format and its reader, gguf.cpp.
enum GGUFLayout {
  /// The version that is written.
  static let version: UInt32 = 3
  /// The versions that are read, which differ in nothing that is stored little-endian.
  static let readableVersions: ClosedRange<UInt32> = 2...3
  /// Magic bytes, version, number of tensors and number of keys.
  static let preambleByteCount = 4 + 4 + 8 + 8
  /// The field before a string that holds its length.
  static let lengthByteCount = 8
  /// The least bytes of a key and its value: the length of the key, the type and a byte of value.
  static let leastEntryByteCount = 8 + 4 + 1
  /// The least bytes of a tensor's entry: the length of the name, rank, type and offset.
  static let leastTensorByteCount = 8 + 4 + 4 + 8
  /// The key of the alignment, whose value is a `uint32`.
  static let alignmentKey = "general.alignment"
  /// The alignment of files that do not state it, in bytes.
  static let defaultAlignment = 32
  /// The largest alignment, in bytes; files have 32.
  static let alignmentLimit = 1 << 20
  /// The most extents of a tensor.
  static let rankLimit = 4
  /// The longest name of a tensor that ggml reads, in bytes.
  static let writtenNameLimit = 63

  /// Whether tensors may start at multiples of a number of bytes.
  static func isAlignment(_ number: Int) -> Bool {
    number > 0 && number <= alignmentLimit && number & (number - 1) == 0
  }

  /// The bytes from an offset to the next multiple of an alignment.
  static func padding(after offset: Int, to alignment: Int) -> Int {
    -offset & (alignment - 1)
  }

  /// Where the tensor after another one starts, or nil if that is beyond an `Int`.
  static func start(after tensor: GGUFTensorDescription, at start: Int, _ alignment: Int) -> Int? {
    let (end, overflow) = start.addingReportingOverflow(tensor.byteCount)
    guard !overflow else { return nil }
    let (next, nextOverflow) = end.addingReportingOverflow(padding(after: end, to: alignment))
    return nextOverflow ? nil : next
  }
}

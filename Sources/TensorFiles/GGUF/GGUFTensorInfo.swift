import UntrustedText

/// What a GGUF file says about one of its tensors.
public struct GGUFTensorInfo: Hashable, Sendable {
  /// The tensor's name, which is unique in its file and may be any text, even empty.
  public let name: String
  /// The element type.
  public let type: GGMLType
  /// The extents, outermost first, which is the reverse of the file's order; empty for a scalar.
  ///
  /// There are at most four, and their product is `elementCount`. The last is a multiple of the
  /// type's block length.
  public let shape: [Int]
  /// The product of the extents: 1 for a scalar, 0 if any extent is.
  public let elementCount: Int
  /// Where the blocks lie in the file, row-major, in bytes from its start.
  public let byteRange: Range<Int>

  init(_ tensor: GGUFTensorDescription, start: Int) {
    name = tensor.name
    type = tensor.type
    shape = tensor.shape
    elementCount = tensor.elementCount
    byteRange = start..<start + tensor.byteCount
  }

  /// The name in a form safe to show to people.
  ///
  /// Control and formatting characters are escaped and long names shortened: names come from the
  /// file, and a raw one may steer a terminal.
  public var printableName: String { printable(name) }
}

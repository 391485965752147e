import UntrustedText

/// What a file's header says about one of its tensors.
public struct TensorInfo: Hashable, Sendable {
  /// The tensor's name, which is unique in its file and may be any text, even empty.
  public let name: String
  /// The stored element type.
  public let dtype: TensorDType
  /// The logical extents, outermost first; empty for a scalar.
  ///
  /// Their product is `elementCount`. Behind a zero they may be as large as an `Int` holds, so that a
  /// product of some of them overflows.
  public let shape: [Int]
  /// The product of the extents: 1 for a scalar, 0 if any extent is.
  public let elementCount: Int
  /// Where the elements lie in the file, in bytes from its start.
  ///
  /// In a safetensors file they lie row-major and little-endian. A compressed member of an archive is
  /// all in this range, as it is stored.
  public let byteRange: Range<Int>

  /// The name in a form safe to show to people.
  ///
  /// Control and formatting characters are escaped and long names shortened: names come from the
  /// file, and a raw one may steer a terminal.
  public var printableName: String { printable(name) }
}

/// The most elements of a tensor: no file comes near, as they are 128 TiB of FP4.
let elementLimit = 1 << 48

/// The number of elements of a shape, or nil if that, or a stride, exceeds the limit.
///
/// The product of all extents but zeros is bounded, so that whoever walks the shape axis by axis,
/// or counts its bits, cannot overflow either.
func checkedElementCount(_ shape: [Int]) -> Int? {
  var product = 1
  for extent in shape where extent != 0 {
    let (next, overflow) = product.multipliedReportingOverflow(by: extent)
    if overflow || next > elementLimit { return nil }
    product = next
  }
  return shape.contains(0) ? 0 : product
}

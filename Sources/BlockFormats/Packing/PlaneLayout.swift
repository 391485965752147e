/// The extent of a plane of packed codes, without the codes; `BitPlane` defines the order of bits.
public struct PlaneLayout: Hashable, Sendable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of codes in a row.
  public let rowLength: Int
  /// The width of a code in bits, 1...32.
  public let bitWidth: Int

  /// The bytes of a row, each of which starts on a byte boundary.
  public var bytesPerRow: Int { BitPlane.bytesPerRow(rowLength: rowLength, bitWidth: bitWidth) }

  /// The bytes of the plane.
  public var byteCount: Int { rowCount * bytesPerRow }

  /// The extents in words.
  var phrase: String { "\(rowCount) rows of \(rowLength) \(bitWidth)-bit codes" }
}

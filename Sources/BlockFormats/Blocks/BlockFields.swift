import CallerChecks

/// The stored fields of one block, unpacked, in the library's scratch memory.
///
/// Fields are counted as in `BlockLayout.fields`. A block's field has as many codes as its extent says;
/// of the whole-tensor block of `BlockShape.tensor` only the codes of a part may be at hand.
public struct BlockFields {
  /// The codes of each field.
  let parts: UnsafeMutablePointer<UnsafeMutableBufferPointer<UInt32>>
  let fieldCount: Int
  /// What a format hands from its scale step to its element step besides stored codes, such as the
  /// exact encode multiplier; never stored.
  public var encodeMultiplier: Float = 1
  /// Events counted while encoding.
  public var tally = EncodingTally()

  /// A code of a field.
  @inline(__always)
  public subscript(field: Int, index: Int) -> UInt32 {
    get { codes(field)[checked(index, field)] }
    nonmutating set { codes(field)[checked(index, field)] = newValue }
  }

  /// The number of codes of a field.
  public func count(of field: Int) -> Int { codes(field).count }

  /// Stores one code in all places of a field.
  public func fill(_ field: Int, with code: UInt32) { codes(field).update(repeating: code) }

  @inline(__always)
  func codes(_ field: Int) -> UnsafeMutableBufferPointer<UInt32> {
    require(field >= 0 && field < fieldCount, "field \(field) of \(fieldCount)")
    return parts[field]
  }

  @inline(__always)
  private func checked(_ index: Int, _ field: Int) -> Int {
    require(
      index >= 0 && index < parts[field].count,
      "code \(index) of \(parts[field].count) in field \(field)")
    return index
  }
}

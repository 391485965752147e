/// The extra fields of a zip member, of which one matters: sizes of 64 bits.
///
/// Source: APPNOTE of the zip format, 4.5.
struct ZipExtraFields {
  struct Fault: Error {
    let reason: String
  }

  /// The contents of the field of sizes; nil if there is none.
  let zip64: ArraySlice<UInt8>?

  /// Reads fields that fill the bytes exactly.
  init(_ bytes: ArraySlice<UInt8>) throws(Fault) {
    var rest = bytes
    var zip64: ArraySlice<UInt8>?
    while !rest.isEmpty {
      guard rest.count >= 4 else {
        throw Fault(reason: "has an extra field of \(rest.count) bytes")
      }
      let fields = LittleEndianFields(bytes: rest)
      let (kind, count) = (fields.uint16(0), Int(fields.uint16(2)))
      rest = rest.dropFirst(4)
      guard rest.count >= count else {
        throw Fault(
          reason: "has an extra field of \(count) bytes, of which \(rest.count) are there")
      }
      if kind == 1 {
        guard zip64 == nil else { throw Fault(reason: "has two zip64 fields") }
        zip64 = rest.prefix(count)
      }
      rest = rest.dropFirst(count)
    }
    self.zip64 = zip64
  }

  /// The numbers of a directory entry, of which those that are all ones are in the zip64 field.
  ///
  /// - Parameter part: The number of the archive's part, which follows them there if it is all ones.
  /// - Returns: nil if the field does not hold exactly those, or the part is not the first.
  func wide(_ numbers: [UInt32], part: UInt16) -> [UInt64]? {
    var rest = zip64 ?? []
    var result: [UInt64] = []
    for number in numbers {
      if number == .max {
        guard rest.count >= 8 else { return nil }
        result.append(LittleEndianFields(bytes: rest).uint64(0))
        rest = rest.dropFirst(8)
      } else {
        result.append(UInt64(number))
      }
    }
    if part == .max {
      guard rest.count >= 4, LittleEndianFields(bytes: rest).uint32(0) == 0 else { return nil }
      rest = rest.dropFirst(4)
    } else if part != 0 {
      return nil
    }
    return rest.isEmpty ? result : nil
  }
}

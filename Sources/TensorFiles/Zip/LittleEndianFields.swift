/// The fields of a record, which lie at fixed offsets in it.
struct LittleEndianFields {
  let bytes: ArraySlice<UInt8>

  /// The integer at an offset, which has to be inside.
  func integer<Integer: FixedWidthInteger & UnsignedInteger>(
    _ type: Integer.Type, at offset: Int
  ) -> Integer {
    let start = bytes.startIndex + offset
    return bytes[start..<start + MemoryLayout<Integer>.size].reversed()
      .reduce(0) { $0 << 8 | Integer($1) }
  }

  func uint16(_ offset: Int) -> UInt16 { integer(UInt16.self, at: offset) }
  func uint32(_ offset: Int) -> UInt32 { integer(UInt32.self, at: offset) }
  func uint64(_ offset: Int) -> UInt64 { integer(UInt64.self, at: offset) }
}

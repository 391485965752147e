/// The CRC-32 of bytes, as zip archives state it.
///
/// The polynomial is 0x04c11db7, its bits reversed; the register starts with all ones and is inverted
/// at the end. Source: APPNOTE of the zip format, 4.4.7.
struct CRC32 {
  private var register: UInt32 = .max

  /// The checksum of all bytes so far.
  var value: UInt32 { ~register }

  /// Adds bytes that follow those before.
  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress else { return }
    var register = register
    let tables = Self.tables.span
    let wordEnd = bytes.count & ~7
    for offset in stride(from: 0, to: wordEnd, by: 8) {
      let word = UInt64(littleEndian: (start + offset).loadUnaligned(as: UInt64.self))
      let low = UInt32(truncatingIfNeeded: word) ^ register
      let high = UInt32(truncatingIfNeeded: word >> 32)
      // The table at 256 * n moves a byte past n others.
      let first = tables[1792 + Int(low & 255)] ^ tables[1536 + Int(low >> 8 & 255)]
      let second = tables[1280 + Int(low >> 16 & 255)] ^ tables[1024 + Int(low >> 24)]
      let third = tables[768 + Int(high & 255)] ^ tables[512 + Int(high >> 8 & 255)]
      let fourth = tables[256 + Int(high >> 16 & 255)] ^ tables[Int(high >> 24)]
      register = first ^ second ^ third ^ fourth
    }
    for byte in bytes[wordEnd...] {
      register = register >> 8 ^ tables[Int((register ^ UInt32(byte)) & 255)]
    }
    self.register = register
  }

  /// The checksum of bytes that are all there.
  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var checksum = CRC32()
    checksum.update(bytes)
    return checksum.value
  }

  /// What a byte does to the register, and after it seven tables for bytes that others follow.
  private static let tables: [UInt32] = {
    let polynomial: UInt32 = 0xedb8_8320
    var tables = (0..<256).map { byte in
      (0..<8).reduce(UInt32(byte)) { register, _ in
        register >> 1 ^ (register & 1 == 0 ? 0 : polynomial)
      }
    }
    for index in 256..<2048 {
      let before = tables[index - 256]
      tables.append(before >> 8 ^ tables[Int(before & 255)])
    }
    return tables
  }()
}

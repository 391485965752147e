import CallerChecks

/// Rows of equally wide codes, packed.
///
/// Code i of a row occupies bits i·w ..< (i+1)·w of the row, counted from the least significant
/// bit of the row's first byte; codes may straddle bytes. Every row starts on a byte boundary and
/// unused bits of its last byte are zero. For four-bit codes the even element is thus the low
/// nibble; four six-bit codes fill three bytes; 16- and 32-bit codes are little-endian.
public struct BitPlane: Hashable, Sendable {
  /// The number of rows.
  public let rowCount: Int
  /// The number of codes in a row.
  public let rowLength: Int
  /// The width of a code in bits, 1...32.
  public let bitWidth: Int
  /// The packed bytes, `rowCount * bytesPerRow` of them.
  public internal(set) var bytes: [UInt8]

  /// The bytes of a row.
  public var bytesPerRow: Int { BitPlane.bytesPerRow(rowLength: rowLength, bitWidth: bitWidth) }

  static func bytesPerRow(rowLength: Int, bitWidth: Int) -> Int {
    (rowLength * bitWidth + 7) / 8
  }

  /// A plane of zero codes.
  ///
  /// - Precondition: `bitWidth` is in 1...32.
  public init(rowCount: Int, rowLength: Int, bitWidth: Int) {
    require((1...32).contains(bitWidth), "\(bitWidth)-bit codes are outside 1...32")
    self.rowCount = rowCount
    self.rowLength = rowLength
    self.bitWidth = bitWidth
    let rowBytes = BitPlane.bytesPerRow(rowLength: rowLength, bitWidth: bitWidth)
    bytes = [UInt8](repeating: 0, count: rowCount * rowBytes)
  }

  /// A plane with the extents of another and without bytes, for its numbers alone.
  init(extentsOf other: BitPlane) {
    (rowCount, rowLength, bitWidth) = (other.rowCount, other.rowLength, other.bitWidth)
    bytes = []
  }

  /// A plane over packed bytes.
  ///
  /// - Precondition: `bytes` holds `rowCount * bytesPerRow` bytes.
  public init(rowCount: Int, rowLength: Int, bitWidth: Int, bytes: [UInt8]) {
    self.init(rowCount: rowCount, rowLength: rowLength, bitWidth: bitWidth)
    require(
      bytes.count == self.bytes.count,
      "\(bytes.count) bytes for \(rowCount) rows of \(rowLength) \(bitWidth)-bit codes")
    self.bytes = bytes
  }

  /// A plane of codes given in row-major order.
  ///
  /// - Precondition: `rowCount * rowLength` codes, each below 2^bitWidth.
  public init(rowCount: Int, rowLength: Int, bitWidth: Int, codes: [UInt32]) {
    self.init(rowCount: rowCount, rowLength: rowLength, bitWidth: bitWidth)
    require(
      codes.count == rowCount * rowLength,
      "\(codes.count) codes for \(rowCount) rows of \(rowLength)")
    if let wide = codes.first(where: { UInt64($0) >> UInt64(bitWidth) != 0 }) {
      refuse("code \(wide) does not fit in \(bitWidth) bits")
    }
    let rowBytes = bytesPerRow
    codes.withUnsafeBufferPointer { codes in
      bytes.withUnsafeMutableBufferPointer { bytes in
        for row in 0..<rowCount {
          BitPacking.pack(
            UnsafeBufferPointer(rebasing: codes[row * rowLength..<(row + 1) * rowLength]),
            bitWidth: bitWidth,
            into: UnsafeMutableBufferPointer(
              rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes]))
        }
      }
    }
  }

  /// All codes in row-major order.
  public func unpacked() -> [UInt32] {
    let (rowBytes, rowLength) = (bytesPerRow, rowLength)
    return [UInt32](unsafeUninitializedCapacity: rowCount * rowLength) { codes, count in
      bytes.withUnsafeBufferPointer { bytes in
        for row in 0..<rowCount {
          BitPacking.unpack(
            UnsafeBufferPointer(rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes]),
            bitWidth: bitWidth,
            into: UnsafeMutableBufferPointer(
              rebasing: codes[row * rowLength..<(row + 1) * rowLength]))
        }
      }
      count = rowCount * rowLength
    }
  }
}

/// Packs and unpacks runs of codes that start on a byte boundary: the reference bit order.
enum BitPacking {
  /// Packs codes from the least significant bit of the first byte on; pads the last byte with 0.
  ///
  /// - Precondition: `bytes` holds ceil(codes.count * bitWidth / 8) bytes and every code fits.
  static func pack(
    _ codes: UnsafeBufferPointer<UInt32>, bitWidth: Int,
    into bytes: UnsafeMutableBufferPointer<UInt8>
  ) {
    var pending: UInt64 = 0
    var pendingBits = 0
    var position = 0
    for code in codes {
      require(UInt64(code) >> UInt64(bitWidth) == 0, "code \(code) exceeds \(bitWidth) bits")
      pending |= UInt64(code) << UInt64(pendingBits)
      pendingBits += bitWidth
      while pendingBits >= 8 {
        bytes[position] = UInt8(truncatingIfNeeded: pending)
        position += 1
        pending >>= 8
        pendingBits -= 8
      }
    }
    if pendingBits > 0 { bytes[position] = UInt8(truncatingIfNeeded: pending) }
  }

  /// The inverse of `pack`.
  static func unpack(
    _ bytes: UnsafeBufferPointer<UInt8>, bitWidth: Int,
    into codes: UnsafeMutableBufferPointer<UInt32>
  ) {
    let mask = (UInt64(1) << UInt64(bitWidth)) - 1
    var pending: UInt64 = 0
    var pendingBits = 0
    var position = 0
    for index in codes.indices {
      while pendingBits < bitWidth {
        pending |= UInt64(bytes[position]) << UInt64(pendingBits)
        position += 1
        pendingBits += 8
      }
      codes[index] = UInt32(truncatingIfNeeded: pending & mask)
      pending >>= UInt64(bitWidth)
      pendingBits -= bitWidth
    }
  }
}

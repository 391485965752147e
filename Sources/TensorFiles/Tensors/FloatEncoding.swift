/// The order of an element's bytes in a file.
package enum ByteOrder: Sendable {
  case little
  case big
}

/// A stored floating-point type that is read as `Float`: exactly, but for binary64.
package enum FloatEncoding: Sendable {
  case binary64
  case binary32
  case binary16
  case bfloat16

  /// The encoding of a dtype's elements; nil for a dtype that is not read as floats.
  package init?(_ dtype: TensorDType) {
    switch dtype {
    case .f64: self = .binary64
    case .f32: self = .binary32
    case .f16: self = .binary16
    case .bf16: self = .bfloat16
    default: return nil
    }
  }

  /// The bytes that an element takes in a file.
  package var byteCount: Int {
    switch self {
    case .binary64: 8
    case .binary32: 4
    case .binary16, .bfloat16: 2
    }
  }

  /// Decodes the elements stored in the bytes, which may be unaligned, into as many floats.
  package func decode(
    _ bytes: UnsafeRawBufferPointer, byteOrder: ByteOrder, into result: UnsafeMutableRawPointer
  ) {
    switch (self, byteOrder) {
    case (.binary64, .little): map(bytes, UInt64.self, result) { rounded(UInt64(littleEndian: $0)) }
    case (.binary64, .big): map(bytes, UInt64.self, result) { rounded(UInt64(bigEndian: $0)) }
    case (.binary32, .little): map(bytes, UInt32.self, result) { UInt32(littleEndian: $0) }
    case (.binary32, .big): map(bytes, UInt32.self, result) { UInt32(bigEndian: $0) }
    case (.binary16, .little):
      map(bytes, UInt16.self, result) { widenedBinary16(UInt16(littleEndian: $0)) }
    case (.binary16, .big):
      map(bytes, UInt16.self, result) { widenedBinary16(UInt16(bigEndian: $0)) }
    case (.bfloat16, .little):
      map(bytes, UInt16.self, result) { UInt32(UInt16(littleEndian: $0)) << 16 }
    case (.bfloat16, .big):
      map(bytes, UInt16.self, result) { UInt32(UInt16(bigEndian: $0)) << 16 }
    }
  }

  /// Stores the binary32 pattern that `transform` makes of each stored element.
  ///
  /// Patterns are stored as integers, because moving a signalling NaN as a `Float` may quiet it.
  @inline(__always)
  private func map<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _: Stored.Type, _ target: UnsafeMutableRawPointer,
    _ transform: (Stored) -> UInt32
  ) {
    let stride = MemoryLayout<Stored>.size
    guard let source = bytes.baseAddress else { return }
    for index in 0..<bytes.count / stride {
      let stored = (source + index * stride).loadUnaligned(as: Stored.self)
      target.storeBytes(of: transform(stored), toByteOffset: index * 4, as: UInt32.self)
    }
  }
}

/// The bytes that are read at a time before they are decoded.
private let pieceSize = 1 << 18

extension ByteSource {
  /// Floats that are stored one after the other.
  ///
  /// - Parameters:
  ///   - elements: Which of them.
  ///   - dataStart: The offset in the source of the first of all.
  package func floats(
    _ elements: Range<Int>, as encoding: FloatEncoding, byteOrder: ByteOrder, dataStart: Int
  ) throws(TensorFileError) -> [Float] {
    try [Float](unsafeUninitializedCapacity: elements.count) {
      (result, initialisedCount) throws(TensorFileError) in
      guard let target = UnsafeMutableRawBufferPointer(result).baseAddress else { return }
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceSize, alignment: 16)
      defer { piece.deallocate() }
      let pieceCount = pieceSize / encoding.byteCount
      var done = 0
      while done < elements.count {
        let count = min(pieceCount, elements.count - done)
        let stored = UnsafeMutableRawBufferPointer(rebasing: piece[..<(count * encoding.byteCount)])
        try read(
          into: stored, at: dataStart + (elements.lowerBound + done) * encoding.byteCount)
        encoding.decode(
          UnsafeRawBufferPointer(stored), byteOrder: byteOrder, into: target + 4 * done)
        done += count
      }
      initialisedCount = elements.count
    }
  }

  /// Little-endian integers that are stored one after the other from an offset on.
  func integers<Integer: FixedWidthInteger>(
    _ count: Int, at offset: Int
  ) throws(TensorFileError) -> [Integer] {
    try [Integer](unsafeUninitializedCapacity: count) {
      (result, initialisedCount) throws(TensorFileError) in
      let stored = UnsafeMutableBufferPointer(rebasing: result[..<count])
      try read(into: UnsafeMutableRawBufferPointer(stored), at: offset)
      #if _endian(big)
      for index in 0..<count { stored[index] = Integer(littleEndian: stored[index]) }
      #endif
      initialisedCount = count
    }
  }
}

/// The binary32 pattern nearest to the value of a binary64 pattern, ties to even.
///
/// Values of half an ulp or more beyond the largest become infinite. NaNs keep their sign.
@inline(__always)
private func rounded(_ pattern: UInt64) -> UInt32 {
  Float(Double(bitPattern: pattern)).bitPattern
}

/// The binary32 pattern of the value that a binary16 pattern stands for.
///
/// NaNs keep sign and payload, and become quiet. Integer arithmetic with selects instead of
/// branches, so that loops vectorise and no `Float16` is needed, which macOS on x86-64 lacks.
@inline(__always)
func widenedBinary16(_ pattern: UInt16) -> UInt32 {
  let magnitude = UInt32(pattern & 0x7fff)
  let sign = UInt32(pattern & 0x8000) << 16
  // The exponent's bias grows by 127 - 15; the all-ones exponent of Inf and NaN by twice that.
  let rebias: UInt32 = (127 - 15) << 23
  let normal = magnitude << 13 + rebias
  let special = normal + rebias | (magnitude > 0x7c00 ? 0x0040_0000 : 0)
  // A subnormal is its fraction times 2^-24. Both factors and the product are exact.
  let subnormal = (Float(Int32(truncatingIfNeeded: magnitude)) * 0x1p-24).bitPattern
  let finite = magnitude < 0x0400 ? subnormal : normal
  return sign | (magnitude >= 0x7c00 ? special : finite)
}

/// The bytes of the integers, little-endian.
func littleEndianBytes<Integer: FixedWidthInteger>(_ values: [Integer]) -> [UInt8] {
  #if _endian(big)
  let values = values.map(\.littleEndian)
  #endif
  return values.withUnsafeBytes { Array($0) }
}

/// The bytes of the floats' bit patterns, little-endian.
func littleEndianBytes(_ values: [Float]) -> [UInt8] {
  #if _endian(big)
  return littleEndianBytes(values.map(\.bitPattern))
  #else
  return values.withUnsafeBytes { Array($0) }
  #endif
}

/// The order of an element's bytes in a file.
enum ByteOrder: Sendable {
  case little
  case big
}

/// A stored floating-point type that is read as `Float`: exactly, but for binary64.
enum FloatEncoding: Sendable {
  case binary64
  case binary32
  case binary16
  case bfloat16

  /// The encoding of a dtype's elements; nil for a dtype that is not read as floats.
  init?(_ dtype: TensorDType) {
    switch dtype {
    case .f64: self = .binary64
    case .f32: self = .binary32
    case .f16: self = .binary16
    case .bf16: self = .bfloat16
    default: return nil
    }
  }

  /// The elements stored in the bytes, which may be unaligned.
  func decode(_ bytes: UnsafeRawBufferPointer, byteOrder: ByteOrder) -> [Float] {
    switch (self, byteOrder) {
    case (.binary64, .little): map(bytes, UInt64.self) { rounded(UInt64(littleEndian: $0)) }
    case (.binary64, .big): map(bytes, UInt64.self) { rounded(UInt64(bigEndian: $0)) }
    case (.binary32, .little): map(bytes, UInt32.self) { UInt32(littleEndian: $0) }
    case (.binary32, .big): map(bytes, UInt32.self) { UInt32(bigEndian: $0) }
    case (.binary16, .little): map(bytes, UInt16.self) { widenedBinary16(UInt16(littleEndian: $0)) }
    case (.binary16, .big): map(bytes, UInt16.self) { widenedBinary16(UInt16(bigEndian: $0)) }
    case (.bfloat16, .little): map(bytes, UInt16.self) { UInt32(UInt16(littleEndian: $0)) << 16 }
    case (.bfloat16, .big): map(bytes, UInt16.self) { UInt32(UInt16(bigEndian: $0)) << 16 }
    }
  }

  /// Stores the binary32 pattern that `transform` makes of each stored element.
  ///
  /// Patterns are stored as integers, because moving a signalling NaN as a `Float` may quiet it.
  @inline(__always)
  private func map<Stored: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _: Stored.Type, _ transform: (Stored) -> UInt32
  ) -> [Float] {
    let stride = MemoryLayout<Stored>.size
    let count = bytes.count / stride
    return [Float](unsafeUninitializedCapacity: count) { result, initialisedCount in
      let target = UnsafeMutableRawBufferPointer(result)
      if let source = bytes.baseAddress, let target = target.baseAddress {
        for index in 0..<count {
          let stored = (source + index * stride).loadUnaligned(as: Stored.self)
          target.storeBytes(of: transform(stored), toByteOffset: index * 4, as: UInt32.self)
        }
      }
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

/// The little-endian integers stored in the bytes, which may be unaligned.
func littleEndianIntegers<Integer: FixedWidthInteger>(
  _ bytes: UnsafeRawBufferPointer
) -> [Integer] {
  let count = bytes.count / MemoryLayout<Integer>.size
  return [Integer](unsafeUninitializedCapacity: count) { result, initialisedCount in
    UnsafeMutableRawBufferPointer(result).copyMemory(from: bytes)
    #if _endian(big)
    for index in 0..<count { result[index] = Integer(littleEndian: result[index]) }
    #endif
    initialisedCount = count
  }
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

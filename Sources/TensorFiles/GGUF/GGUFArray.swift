import CallerChecks

/// An array among the metadata of a GGUF file, kept as its bytes.
///
/// A vocabulary has some 260,000 strings. They are checked when the file is opened, which takes
/// milliseconds, and become strings only when somebody asks for them, anew at every call.
public struct GGUFArray: Hashable, Sendable {
  /// The type of all elements, which is not `.array`.
  public let elementKind: GGUFValueKind
  /// The number of elements.
  public let count: Int
  /// The elements as stored: little-endian, a string as its length in eight bytes and its bytes.
  public let bytes: [UInt8]

  /// An array of bytes that have been checked.
  init(checked bytes: [UInt8], elementKind: GGUFValueKind, count: Int) {
    self.elementKind = elementKind
    self.count = count
    self.bytes = bytes
  }

  // MARK: Making

  /// An array of strings.
  public init(_ strings: [String]) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(strings.reduce(0) { $0 + 8 + $1.utf8.count })
    for string in strings { bytes.appendGGUF(string) }
    self.init(checked: bytes, elementKind: .string, count: strings.count)
  }

  /// An array of integers, of the type that has the width and sign of `Integer`.
  ///
  /// - Precondition: `Integer` has 8, 16, 32 or 64 bits.
  public init<Integer: FixedWidthInteger>(_ integers: [Integer]) {
    guard let kind = GGUFValueKind(integer: Integer.self) else {
      refuse("integers of \(Integer.bitWidth) bits in an array of a GGUF file")
    }
    self.init(checked: littleEndianBytes(integers), elementKind: kind, count: integers.count)
  }

  /// An array of binary32 floats, whose bit patterns are stored as they are.
  public init(_ floats: [Float]) {
    self.init(
      checked: littleEndianBytes(floats), elementKind: .float32, count: floats.count)
  }

  /// An array of binary64 floats, whose bit patterns are stored as they are.
  public init(_ doubles: [Double]) {
    self.init(
      checked: littleEndianBytes(doubles.map(\.bitPattern)), elementKind: .float64,
      count: doubles.count)
  }

  /// An array of truth values.
  public init(_ truths: [Bool]) {
    self.init(checked: truths.map { $0 ? 1 : 0 }, elementKind: .bool, count: truths.count)
  }

  // MARK: Reading

  /// The elements of an array of strings, or nil for an array of another type.
  ///
  /// What is not UTF-8 in them becomes U+FFFD: vocabularies may hold pieces of characters.
  /// `byteStrings()` has every byte.
  public func strings() -> [String]? {
    mapStrings { String(decoding: $0, as: UTF8.self) }
  }

  /// The bytes of the elements of an array of strings, or nil for an array of another type.
  public func byteStrings() -> [[UInt8]]? {
    mapStrings { Array($0) }
  }

  /// The elements of an array of integers of any width, or nil for an array of another type and where
  /// an element is beyond `Integer`.
  public func integers<Integer: FixedWidthInteger>(as type: Integer.Type = Int.self) -> [Integer]? {
    switch elementKind {
    case .uint8: map(UInt8.self) { Integer(exactly: $0) }
    case .int8: map(Int8.self) { Integer(exactly: $0) }
    case .uint16: map(UInt16.self) { Integer(exactly: $0) }
    case .int16: map(Int16.self) { Integer(exactly: $0) }
    case .uint32: map(UInt32.self) { Integer(exactly: $0) }
    case .int32: map(Int32.self) { Integer(exactly: $0) }
    case .uint64: map(UInt64.self) { Integer(exactly: $0) }
    case .int64: map(Int64.self) { Integer(exactly: $0) }
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// The elements of an array of binary32 floats, or nil for an array of another type.
  public func floats() -> [Float]? {
    elementKind == .float32 ? map(UInt32.self) { Float(bitPattern: $0) } : nil
  }

  /// The elements of an array of floats of either width, or nil for an array of another type.
  public func doubles() -> [Double]? {
    switch elementKind {
    case .float32: map(UInt32.self) { Double(Float(bitPattern: $0)) }
    case .float64: map(UInt64.self) { Double(bitPattern: $0) }
    default: nil
    }
  }

  /// The elements of an array of truth values, or nil for an array of another type.
  public func truths() -> [Bool]? {
    elementKind == .bool ? bytes.map { $0 != 0 } : nil
  }

  /// What `transform` makes of each stored number, or nil if it makes nothing of one.
  private func map<Stored: FixedWidthInteger, Element>(
    _: Stored.Type, _ transform: (Stored) -> Element?
  ) -> [Element]? {
    bytes.withUnsafeBytes { bytes in
      var result: [Element] = []
      result.reserveCapacity(count)
      for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<Stored>.size) {
        let stored = bytes.loadUnaligned(fromByteOffset: offset, as: Stored.self)
        guard let element = transform(Stored(littleEndian: stored)) else { return nil }
        result.append(element)
      }
      return result
    }
  }

  private func mapStrings<Element>(
    _ transform: (UnsafeRawBufferPointer) -> Element
  ) -> [Element]? {
    guard elementKind == .string else { return nil }
    return bytes.withUnsafeBytes { bytes in
      var result: [Element] = []
      result.reserveCapacity(count)
      var offset = 0
      while offset < bytes.count {
        let length = Int(
          UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        let start = offset + GGUFLayout.lengthByteCount
        offset = start + length
        result.append(transform(UnsafeRawBufferPointer(rebasing: bytes[start..<offset])))
      }
      return result
    }
  }
}

extension GGUFValueKind {
  /// The type of integers of a width and sign, or nil if there is none.
  fileprivate init?<Integer: FixedWidthInteger>(integer: Integer.Type) {
    switch (Integer.bitWidth, Integer.isSigned) {
    case (8, false): self = .uint8
    case (8, true): self = .int8
    case (16, false): self = .uint16
    case (16, true): self = .int16
    case (32, false): self = .uint32
    case (32, true): self = .int32
    case (64, false): self = .uint64
    case (64, true): self = .int64
    default: return nil
    }
  }
}

// The bytes of numbers, strings and metadata in a GGUF file.

extension [UInt8] {
  /// Appends the bytes of an integer, little-endian.
  mutating func appendGGUF<Integer: FixedWidthInteger>(_ integer: Integer) {
    Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends a string behind its length.
  mutating func appendGGUF(_ string: String) {
    appendGGUF(UInt64(string.utf8.count))
    append(contentsOf: string.utf8)
  }

  /// Appends a value without its type.
  mutating func appendGGUF(_ value: GGUFValue) {
    switch value {
    case .uint8(let value): appendGGUF(value)
    case .int8(let value): appendGGUF(value)
    case .uint16(let value): appendGGUF(value)
    case .int16(let value): appendGGUF(value)
    case .uint32(let value): appendGGUF(value)
    case .int32(let value): appendGGUF(value)
    case .float32(let value): appendGGUF(value.bitPattern)
    case .bool(let value): append(value ? 1 : 0)
    case .string(let value): appendGGUF(value)
    case .array(let array):
      appendGGUF(array.elementKind.rawValue)
      appendGGUF(UInt64(array.count))
      append(contentsOf: array.bytes)
    case .uint64(let value): appendGGUF(value)
    case .int64(let value): appendGGUF(value)
    case .float64(let value): appendGGUF(value.bitPattern)
    }
  }

  /// Appends keys, types and values.
  mutating func appendGGUF(_ metadata: GGUFMetadata) {
    for entry in metadata.entries {
      appendGGUF(entry.key)
      appendGGUF(entry.value.kind.rawValue)
      appendGGUF(entry.value)
    }
  }

  /// Appends a tensor's entry.
  ///
  /// - Parameter offset: Where the tensor starts, in bytes from the first one's start.
  mutating func appendGGUF(_ tensor: GGUFTensorDescription, offset: Int) {
    appendGGUF(tensor.name)
    appendGGUF(UInt32(tensor.shape.count))
    for extent in tensor.shape.reversed() { appendGGUF(Int64(extent)) }
    appendGGUF(tensor.type.id)
    appendGGUF(UInt64(offset))
  }
}

@testable import TensorFiles

// Pieces of GGUF files, from the description of the format and not from the writer.

/// The bytes of an integer, least significant first.
func little<Integer: FixedWidthInteger>(_ integer: Integer) -> [UInt8] {
  (0..<Integer.bitWidth / 8).map { UInt8(truncatingIfNeeded: integer >> (8 * $0)) }
}

/// A string behind its length.
func ggufText(_ text: String) -> [UInt8] { ggufText(Array(text.utf8)) }

/// The bytes of a string behind their number.
func ggufText(_ bytes: [UInt8]) -> [UInt8] { little(UInt64(bytes.count)) + bytes }

/// A key, the number of a type, and the bytes of a value.
func ggufEntry(_ key: String, _ type: UInt32, _ value: [UInt8]) -> [UInt8] {
  ggufText(key) + little(type) + value
}

/// A key with an array of the elements' type, number and bytes.
func ggufArray(_ key: String, _ type: UInt32, _ count: UInt64, _ bytes: [UInt8]) -> [UInt8] {
  ggufEntry(key, 9, little(type) + little(count) + bytes)
}

/// The entry of a tensor, with its extents in the order of the file: innermost first.
func ggufTensor(
  _ name: String, _ extents: [Int64], type: UInt32 = 24, offset: UInt64 = 0
) -> [UInt8] {
  ggufText(name) + little(UInt32(extents.count)) + extents.flatMap { little($0) } + little(type)
    + little(offset)
}

/// A file of such pieces, padded to the alignment, and of data bytes that count up from 0.
func gguf(
  version: UInt32 = 3, entries: [[UInt8]] = [], tensors: [[UInt8]] = [], alignment: Int = 32,
  dataCount: Int = 0
) -> [UInt8] {
  let header =
    Array("GGUF".utf8) + little(version) + little(UInt64(tensors.count))
    + little(UInt64(entries.count)) + entries.joined() + tensors.joined()
  let padding = (alignment - header.count % alignment) % alignment
  return header + [UInt8](repeating: 0, count: padding)
    + (0..<dataCount).map { UInt8(truncatingIfNeeded: $0) }
}

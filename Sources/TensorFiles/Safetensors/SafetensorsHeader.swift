import StrictJSON
import UntrustedText

/// The contents of a safetensors header, each entry checked by itself.
struct SafetensorsHeader {
  /// The most extents a shape may have.
  ///
  /// The format sets no limit; array libraries stop at 64. Without one, a header made of a single
  /// shape would take many times its size in memory.
  static let rankLimit = 64
  /// The deepest nesting accepted.
  ///
  /// A tensor entry needs three levels; the rest is for unknown keys.
  static let depthLimit = 8
  /// The most unknown keys of an entry, and the most keys of an object below one.
  static let unknownKeyLimit = 64

  private(set) var metadata: [String: String] = [:]
  /// The tensors in the order of the text.
  ///
  /// Byte ranges are as claimed and may exceed the file.
  private(set) var tensors: [TensorInfo] = []

  private typealias Scanner = JSONScanner<TensorFileError>

  private let path: String
  private let dataStart: Int
  private let textStart: Int

  /// Reads the text of a header.
  ///
  /// - Parameters:
  ///   - text: The header without its length field.
  ///   - dataStart: The offset in the file that data offsets count from.
  init(_ text: [UInt8], path: String, dataStart: Int) throws(TensorFileError) {
    self.path = path
    self.dataStart = dataStart
    textStart = dataStart - text.count
    var scanner = JSONScanner(text, depthLimit: Self.depthLimit) { [textStart] in
      TensorFileError($0, path: path, textStart: textStart)
    }
    var hasMetadata = false
    var names: Set<ExactText> = []
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      if key == "__metadata__" {
        guard !hasMetadata else { throw duplicateKey(key, scanner) }
        hasMetadata = true
        try readMetadata(&scanner)
      } else {
        guard names.insert(ExactText(key)).inserted else {
          throw .duplicateTensor(path: path, tensor: key)
        }
        tensors.append(try readEntry(key, &scanner))
      }
    }
    try scanner.finish()
  }

  /// The tensors in the order of their bytes, which must follow each other exactly.
  ///
  /// - Parameter dataCount: The number of bytes after the header.
  func checkedLayout(dataCount: Int) throws(TensorFileError) -> [TensorInfo] {
    // Zero-size tensors share their start with a neighbour, hence the second criterion; the sort is
    // stable, so the header's order decides between equals.
    let ordered = tensors.sorted {
      let (first, second) = ($0.byteRange, $1.byteRange)
      return first.lowerBound != second.lowerBound
        ? first.lowerBound < second.lowerBound : first.upperBound < second.upperBound
    }
    var end = dataStart
    for tensor in ordered {
      let start = tensor.byteRange.lowerBound
      guard start >= end else {
        throw .overlap(path: path, tensor: tensor.name, start: start, previousEnd: end)
      }
      guard start == end else {
        throw .hole(path: path, tensor: tensor.name, start: start, previousEnd: end)
      }
      end = tensor.byteRange.upperBound
    }
    let needed = end - dataStart
    guard needed <= dataCount else {
      throw .dataTruncated(path: path, needed: needed, available: dataCount)
    }
    guard needed == dataCount else {
      throw .trailingBytes(path: path, count: dataCount - needed)
    }
    return ordered
  }

  // MARK: Members

  private mutating func readMetadata(
    _ scanner: inout Scanner
  ) throws(TensorFileError) {
    switch try scanner.peekKind() {
    case .null: try scanner.null()
    case .object:
      try scanner.beginObject()
      while let key = try scanner.nextKey() {
        guard try scanner.peekKind() == .string else {
          throw .badHeader(path: path, reason: "metadata value of '\(key)' is not a string")
        }
        let value = try scanner.string()
        if let index = metadata.index(forKey: key) {
          // A dictionary holds one spelling of a text only, so the second cannot be kept.
          guard ExactText(metadata[index].key) == ExactText(key) else {
            throw .badHeader(
              path: path, reason: "two keys of the metadata are spellings of '\(key)'")
          }
          throw duplicateKey(key, scanner)
        }
        metadata[key] = value
      }
    default: throw .badHeader(path: path, reason: "metadata is not an object")
    }
  }

  private func readEntry(
    _ name: String, _ scanner: inout Scanner
  ) throws(TensorFileError) -> TensorInfo {
    guard try scanner.peekKind() == .object else { throw badEntry(name, "is not an object") }
    var dtype: TensorDType?
    var shape: [Int]?
    var offsets: [Int]?
    var unknownKeys: Set<ExactText> = []
    try scanner.beginObject()
    while let key = try scanner.nextKey() {
      let isNew: Bool
      switch key {
      case "dtype":
        isNew = dtype == nil
        dtype = try readDType(of: name, &scanner)
      case "shape":
        isNew = shape == nil
        shape = try readNaturals("shape", of: name, &scanner)
      case "data_offsets":
        isNew = offsets == nil
        offsets = try readNaturals("data_offsets", of: name, &scanner)
      default:
        isNew = unknownKeys.insert(ExactText(key)).inserted
        guard unknownKeys.count <= Self.unknownKeyLimit else {
          throw badEntry(name, "has more than \(Self.unknownKeyLimit) unknown keys")
        }
        try scanner.skipValue(keyLimit: Self.unknownKeyLimit)
      }
      guard isNew else { throw duplicateKey(key, scanner) }
    }
    guard let dtype else { throw badEntry(name, "has no dtype") }
    guard let shape else { throw badEntry(name, "has no shape") }
    guard let offsets else { throw badEntry(name, "has no data_offsets") }
    return try makeInfo(name, dtype, shape, offsets)
  }

  private func makeInfo(
    _ name: String, _ dtype: TensorDType, _ shape: [Int], _ offsets: [Int]
  ) throws(TensorFileError) -> TensorInfo {
    guard offsets.count == 2 else {
      throw badEntry(name, "data_offsets has \(offsets.count) numbers instead of 2")
    }
    let (begin, end) = (offsets[0], offsets[1])
    guard begin <= end else { throw badEntry(name, "data_offsets run from \(begin) to \(end)") }
    guard end <= Int.max - dataStart else {
      throw badEntry(name, "data offset \(end) is out of range")
    }
    guard let count = Self.elementCount(shape),
      case let (bits, overflow) = count.multipliedReportingOverflow(by: dtype.bitWidth), !overflow
    else {
      throw .shapeOverflow(path: path, tensor: name)
    }
    guard bits % 8 == 0 else {
      throw badEntry(name, "\(count) elements of \(dtype.rawValue) do not fill whole bytes")
    }
    guard end - begin == bits / 8 else {
      throw .sizeMismatch(path: path, tensor: name, expected: bits / 8, found: end - begin)
    }
    return TensorInfo(
      name: name, dtype: dtype, shape: shape, elementCount: count,
      byteRange: dataStart + begin..<dataStart + end)
  }

  /// The number of elements of a shape, or nil if it, or a number on the way to it, is too large.
  ///
  /// As in the reference implementation, extents are multiplied from the first on: behind a zero any
  /// others may follow, but not before it.
  private static func elementCount(_ shape: [Int]) -> Int? {
    var product = 1
    for extent in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow { return nil }
      product = next
    }
    return product <= elementLimit ? product : nil
  }

  private func readDType(
    of name: String, _ scanner: inout Scanner
  ) throws(TensorFileError) -> TensorDType {
    guard try scanner.peekKind() == .string else { throw badEntry(name, "dtype is not a string") }
    let text = try scanner.string()
    guard let dtype = TensorDType(rawValue: text) else {
      throw .unknownDType(path: path, tensor: name, dtype: text)
    }
    return dtype
  }

  private func readNaturals(
    _ field: String, of name: String, _ scanner: inout Scanner
  ) throws(TensorFileError) -> [Int] {
    guard try scanner.peekKind() == .array else { throw badEntry(name, "\(field) is not an array") }
    var result: [Int] = []
    try scanner.beginArray()
    while try scanner.nextElement() {
      guard try scanner.peekKind() == .number else {
        throw badEntry(name, "\(field) holds something other than numbers")
      }
      let number = try scanner.number()
      guard let value = number.natural else {
        let text = scanner.text(of: number, limit: 24)
        throw badEntry(name, "\(field) holds \(text), not a whole number from 0 to \(Int.max)")
      }
      guard result.count < Self.rankLimit else {
        throw badEntry(name, "\(field) holds more than \(Self.rankLimit) numbers")
      }
      result.append(value)
    }
    return result
  }

  /// The error about a key of which the scanner has passed the second.
  private func duplicateKey(_ key: String, _ scanner: Scanner) -> TensorFileError {
    .duplicateKey(path: path, key: key, offset: textStart + scanner.position)
  }

  private func badEntry(_ name: String, _ reason: String) -> TensorFileError {
    .badEntry(path: path, tensor: name, reason: reason)
  }
}

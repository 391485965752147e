import UntrustedText

/// The contents of a GGUF header, checked against each other and the size of the file.
struct GGUFHeader {
  let version: Int
  private(set) var alignment = GGUFLayout.defaultAlignment
  private(set) var metadata = GGUFMetadata()
  private(set) var tensors: [GGUFTensorInfo] = []
  /// The places of tensors by their names.
  private(set) var indices: [ExactText: Int] = [:]
  /// From the first byte of the first tensor to the last of the last.
  private(set) var dataRange = 0..<0

  private let path: String

  /// Reads the header of a file.
  init(_ file: InputFile) throws(TensorFileError) {
    path = file.path
    try Self.requireMagic(file)
    var cursor = GGUFCursor(file)
    try cursor.requireRoom(for: UInt64(GGUFLayout.preambleByteCount))
    _ = try cursor.integer(UInt32.self)
    version = try Self.checkedVersion(try cursor.integer(), path)
    let tensorCount = try cursor.integer(UInt64.self)
    let entryCount = try cursor.integer(UInt64.self)
    try cursor.requireRoom(for: tensorCount, of: GGUFLayout.leastTensorByteCount)
    try cursor.requireRoom(for: entryCount, of: GGUFLayout.leastEntryByteCount)
    for (count, items) in [(tensorCount, "tensors"), (entryCount, "metadata keys")]
    where count > UInt64(GGUFFile.countLimit) {
      throw .badHeader(path: path, reason: "\(count) \(items), more than \(GGUFFile.countLimit)")
    }
    for _ in 0..<entryCount { try readEntry(&cursor) }
    alignment = try checkedAlignment()
    var descriptions: [GGUFTensorDescription] = []
    var offsets: [UInt64] = []
    for index in 0..<Int(tensorCount) {
      let tensor = try readTensor(&cursor)
      guard indices.updateValue(index, forKey: ExactText(tensor.name)) == nil else {
        throw .duplicateTensor(path: path, tensor: tensor.name)
      }
      descriptions.append(tensor)
      offsets.append(try cursor.integer())
    }
    try layOut(descriptions, offsets, headerEnd: cursor.position, fileEnd: file.count)
  }

  // MARK: Preamble

  private static func requireMagic(_ file: InputFile) throws(TensorFileError) {
    let magic = FileSignature.ggufMagic
    let start = try file.bytes(in: 0..<min(file.count, magic.count))
    guard magic.starts(with: start) else {
      throw .unknownType(
        path: file.path, expected: "a GGUF file",
        found: try FileSignature.find(in: file)?.rawValue)
    }
  }

  private static func checkedVersion(
    _ version: UInt32, _ path: String
  ) throws(TensorFileError) -> Int {
    if GGUFLayout.readableVersions.contains(version) { return Int(version) }
    if version == 1 {
      throw .badHeader(path: path, reason: "version 1, which counts in 32 bits, is not supported")
    }
    // A small number whose bytes are swapped.
    if version != 0, version & 0xffff == 0 {
      throw .badHeader(
        path: path,
        reason: "big-endian files are not supported (version \(version.byteSwapped))")
    }
    throw .unsupportedVersion(path: path, major: Int(version), minor: 0)
  }

  // MARK: Metadata

  private mutating func readEntry(_ cursor: inout GGUFCursor) throws(TensorFileError) {
    let start = cursor.position
    let key = try cursor.name("metadata key")
    guard !key.isEmpty else {
      throw .headerSyntax(path: path, offset: start, reason: "metadata key of no bytes")
    }
    guard !metadata.contains(key) else {
      throw .duplicateKey(path: path, key: key, offset: start)
    }
    let kind = try readKind(of: key, &cursor)
    metadata.append(key, try readValue(kind, of: key, &cursor))
  }

  private func readKind(
    of key: String, _ cursor: inout GGUFCursor
  ) throws(TensorFileError) -> GGUFValueKind {
    let start = cursor.position
    let number = try cursor.integer(UInt32.self)
    guard let kind = GGUFValueKind(rawValue: number) else {
      throw .headerSyntax(
        path: path, offset: start, reason: "unknown value type \(number) of key '\(key)'")
    }
    return kind
  }

  private func readValue(
    _ kind: GGUFValueKind, of key: String, _ cursor: inout GGUFCursor
  ) throws(TensorFileError) -> GGUFValue {
    switch kind {
    case .uint8: .uint8(try cursor.integer())
    case .int8: .int8(try cursor.integer())
    case .uint16: .uint16(try cursor.integer())
    case .int16: .int16(try cursor.integer())
    case .uint32: .uint32(try cursor.integer())
    case .int32: .int32(try cursor.integer())
    case .float32: .float32(Float(bitPattern: try cursor.integer()))
    case .bool: .bool(try readTruths(1, of: key, &cursor) == [1])
    case .string: .string(try cursor.string())
    case .array: .array(try readArray(of: key, &cursor))
    case .uint64: .uint64(try cursor.integer())
    case .int64: .int64(try cursor.integer())
    case .float64: .float64(Double(bitPattern: try cursor.integer()))
    }
  }

  private func readArray(
    of key: String, _ cursor: inout GGUFCursor
  ) throws(TensorFileError) -> GGUFArray {
    let start = cursor.position
    let kind = try readKind(of: key, &cursor)
    // The format's description allows it, its reference reader does not.
    guard kind != .array else {
      throw .headerSyntax(path: path, offset: start, reason: "array of arrays for key '\(key)'")
    }
    let claim = try cursor.integer(UInt64.self)
    let byteCount = try cursor.requireRoom(
      for: claim, of: kind.byteCount ?? GGUFLayout.lengthByteCount)
    let count = Int(claim)
    let bytes =
      switch kind {
      case .string: try cursor.strings(count)
      case .bool: try readTruths(count, of: key, &cursor)
      default: try cursor.bytes(byteCount)
      }
    return GGUFArray(checked: bytes, elementKind: kind, count: count)
  }

  private func readTruths(
    _ count: Int, of key: String, _ cursor: inout GGUFCursor
  ) throws(TensorFileError) -> [UInt8] {
    let start = cursor.position
    let bytes = try cursor.bytes(count)
    if let index = bytes.firstIndex(where: { $0 > 1 }) {
      throw .headerSyntax(
        path: path, offset: start + index,
        reason: "truth value \(bytes[index]), which is neither 0 nor 1, of key '\(key)'")
    }
    return bytes
  }

  private func checkedAlignment() throws(TensorFileError) -> Int {
    let key = GGUFLayout.alignmentKey
    guard let value = metadata[key] else { return GGUFLayout.defaultAlignment }
    guard case .uint32(let number) = value else {
      throw .badHeader(path: path, reason: "\(key) is of type \(value.kind), not uint32")
    }
    guard GGUFLayout.isAlignment(Int(number)) else {
      throw .badHeader(
        path: path,
        reason: "\(key) is \(number), not a power of two up to \(GGUFLayout.alignmentLimit)")
    }
    return Int(number)
  }

  // MARK: Tensors

  private func readTensor(
    _ cursor: inout GGUFCursor
  ) throws(TensorFileError) -> GGUFTensorDescription {
    let name = try cursor.name("tensor name")
    let rank = try cursor.integer(UInt32.self)
    guard rank <= GGUFLayout.rankLimit else {
      throw badEntry(name, "has \(rank) extents, more than \(GGUFLayout.rankLimit)")
    }
    var extents: [Int] = []
    for _ in 0..<rank { extents.append(Int(try cursor.integer(Int64.self))) }
    let number = try cursor.integer(UInt32.self)
    guard let type = GGMLType(id: number) else {
      throw .unknownDType(path: path, tensor: name, dtype: "\(number)")
    }
    do throws(GGUFTensorDescription.Fault) {
      return try GGUFTensorDescription(checking: name, type: type, shape: extents.reversed())
    } catch {
      throw switch error {
      case .overflow: .shapeOverflow(path: path, tensor: name)
      case .other(let reason): badEntry(name, reason)
      }
    }
  }

  /// Finds the places of the tensors, which must follow each other exactly, padded.
  private mutating func layOut(
    _ descriptions: [GGUFTensorDescription], _ offsets: [UInt64], headerEnd: Int, fileEnd: Int
  ) throws(TensorFileError) {
    guard !descriptions.isEmpty else {
      // Nothing follows that would have to be aligned.
      dataRange = headerEnd..<headerEnd
      return
    }
    let dataStart = headerEnd + GGUFLayout.padding(after: headerEnd, to: alignment)
    var next = dataStart
    var end = dataStart
    for (tensor, offset) in zip(descriptions, offsets) {
      guard offset <= UInt64(Int.max - dataStart) else {
        throw badEntry(tensor.name, "offset \(offset) is out of range")
      }
      let start = dataStart + Int(offset)
      guard start >= next else {
        throw .overlap(path: path, tensor: tensor.name, start: start, previousEnd: next)
      }
      guard start == next else {
        throw .hole(path: path, tensor: tensor.name, start: start, previousEnd: next)
      }
      guard let following = GGUFLayout.start(after: tensor, at: start, alignment) else {
        throw .shapeOverflow(path: path, tensor: tensor.name)
      }
      tensors.append(GGUFTensorInfo(tensor, start: start))
      (next, end) = (following, start + tensor.byteCount)
    }
    guard end <= fileEnd else {
      throw .dataTruncated(
        path: path, needed: end - dataStart, available: max(0, fileEnd - dataStart))
    }
    dataRange = dataStart..<end
  }

  private func badEntry(_ name: String, _ reason: String) -> TensorFileError {
    .badEntry(path: path, tensor: name, reason: reason)
  }
}

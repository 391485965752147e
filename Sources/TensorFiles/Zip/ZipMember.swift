/// A member of a zip archive, whose bytes are read when they are asked for.
struct ZipMember: Sendable {
  /// The name, which is unique in its archive.
  let name: String
  let method: ZipMethod
  /// The bytes that it holds.
  let byteCount: Int
  /// The CRC-32 of the bytes that it holds, as claimed.
  let checksum: UInt32
  /// The bytes as they are stored.
  let stored: FilePart

  private var path: String { stored.path }

  /// The first bytes, as many as are asked for and there.
  ///
  /// - Throws: `.badMember` if they cannot be inflated, `.notEnoughMemory`, or why they cannot be
  ///   read. The checksum is not checked.
  func start(_ count: Int) throws(TensorFileError) -> [UInt8] {
    let count = min(count, byteCount)
    switch method {
    case .stored: return try stored.bytes(in: 0..<count)
    case .deflated: return try inflated(count, .start)
    }
  }

  /// All bytes in memory, with their checksum checked; the caller has asked for the memory.
  ///
  /// - Throws: `.badMember`, or why they cannot be read.
  func contents() throws(TensorFileError) -> HeldBytes {
    let bytes =
      switch method {
      case .stored: try stored.bytes(in: 0..<byteCount)
      case .deflated: try inflated(byteCount, .whole)
      }
    try check(bytes.withUnsafeBytes { CRC32.of($0) })
    return HeldBytes(path: path, bytes: bytes)
  }

  /// Checks the checksum, with the bytes in memory in pieces where they are stored.
  ///
  /// - Throws: What `contents()` throws, and `.notEnoughMemory`.
  func verify() throws(TensorFileError) {
    guard method == .stored else {
      try requireMemory(byteCount, path: path, tensor: nil)
      _ = try contents()
      return
    }
    let piece = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(byteCount, 1 << 18), alignment: 16)
    defer { piece.deallocate() }
    var checksum = CRC32()
    var done = 0
    while done < byteCount {
      let part = UnsafeMutableRawBufferPointer(rebasing: piece.prefix(byteCount - done))
      try stored.read(into: part, at: done)
      checksum.update(UnsafeRawBufferPointer(part))
      done += part.count
    }
    try check(checksum.value)
  }

  private func check(_ found: UInt32) throws(TensorFileError) {
    guard found == checksum else {
      throw .badMember(
        path: path, member: name,
        reason: "CRC-32 is \(hexadecimal(found)), not \(hexadecimal(checksum))")
    }
  }

  private func inflated(
    _ count: Int, _ extent: Inflater<TensorFileError>.Extent
  ) throws(TensorFileError) -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) {
      (buffer, initialisedCount) throws(TensorFileError) in
      let output = UnsafeMutableRawBufferPointer(
        UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      var offset = 0
      try Inflater.inflate(
        byteCount: stored.count, into: output, extent,
        pieceSize: extent == .whole ? 1 << 16 : 1 << 12,
        read: { (piece) throws(TensorFileError) in
          try stored.read(into: piece, at: offset)
          offset += piece.count
        },
        failure: { .badMember(path: path, member: name, reason: $0.reason) })
      initialisedCount = count
    }
  }
}

private func hexadecimal(_ number: UInt32) -> String {
  let digits = String(number, radix: 16)
  return String(repeating: "0", count: 8 - digits.count) + digits
}

import UntrustedText

/// Reads the header of a GGUF file from its first byte on, in pieces.
///
/// The file may hold data of any size behind its header, whose end is known only when it is read.
/// Every count is compared with what is left of the file, and with the limit of a header, before
/// memory is taken for it.
struct GGUFCursor {
  /// The bytes that are read from the file at a time.
  static let windowSize = 1 << 16

  let file: InputFile
  /// The offset in the file of the next byte.
  private(set) var position = 0
  /// Bytes of the file from `windowStart` on.
  private var window: [UInt8] = []
  private var windowStart = 0

  init(_ file: InputFile) { self.file = file }

  // MARK: Reading

  /// The next integer, little-endian.
  mutating func integer<Integer: FixedWidthInteger>(
    _: Integer.Type = Integer.self
  ) throws(TensorFileError) -> Integer {
    let integer: Integer = try peekInteger()
    position += MemoryLayout<Integer>.size
    return integer
  }

  /// As many of the next bytes.
  mutating func bytes(_ count: Int) throws(TensorFileError) -> [UInt8] {
    try requireRoom(for: UInt64(count))
    try file.requireMemory(count, for: nil)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    try append(count, to: &bytes)
    return bytes
  }

  /// The next string, which has to be UTF-8.
  mutating func string() throws(TensorFileError) -> String {
    let length = try integer(UInt64.self)
    let bytes = try bytes(try requireRoom(for: length))
    return try text(bytes)
  }

  /// The next string where it is a name, of limited length.
  ///
  /// - Parameter role: What the name is, for an error.
  mutating func name(_ role: String) throws(TensorFileError) -> String {
    let start = position
    let length = try integer(UInt64.self)
    guard length <= UInt64(GGUFFile.nameLimit) else {
      throw .headerSyntax(
        path: file.path, offset: start,
        reason: "\(role) of \(length) bytes, more than \(GGUFFile.nameLimit)")
    }
    let bytes = try bytes(Int(length))
    return try text(bytes)
  }

  /// The next strings with their lengths, as stored.
  mutating func strings(_ count: Int) throws(TensorFileError) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<count {
      let length: UInt64 = try peekInteger()
      let (size, overflow) = length.addingReportingOverflow(UInt64(GGUFLayout.lengthByteCount))
      try append(try requireRoom(for: overflow ? .max : size), to: &bytes)
    }
    return bytes
  }

  // MARK: Checking

  /// Refuses a number of items that cannot follow.
  ///
  /// - Parameters:
  ///   - count: The number, as the file claims it.
  ///   - byteCount: The least bytes that an item takes.
  /// - Returns: The bytes that the items take at least.
  @discardableResult
  func requireRoom(for count: UInt64, of byteCount: Int = 1) throws(TensorFileError) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: UInt64(byteCount))
    let (end, endOverflow) = bytes.addingReportingOverflow(UInt64(position))
    let needed = Int(clamping: overflow || endOverflow ? .max : end)
    guard needed <= file.count else {
      throw .headerTruncated(path: file.path, needed: needed, available: file.count)
    }
    guard needed <= GGUFFile.headerLimit else {
      throw .headerTooLong(
        path: file.path, length: UInt64(needed), limit: GGUFFile.headerLimit)
    }
    return needed - position
  }

  // MARK: The window

  private mutating func peekInteger<Integer: FixedWidthInteger>() throws(TensorFileError) -> Integer
  {
    let size = MemoryLayout<Integer>.size
    try requireRoom(for: UInt64(size))
    if position + size > windowStart + window.count { try moveWindow() }
    let start = position - windowStart
    return window.withUnsafeBytes {
      Integer(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Integer.self))
    }
  }

  /// Passes bytes, for which there is room, on to the end of others.
  private mutating func append(_ count: Int, to bytes: inout [UInt8]) throws(TensorFileError) {
    var rest = count
    while rest > 0 {
      if position == windowStart + window.count { try moveWindow() }
      let start = position - windowStart
      let part = min(rest, window.count - start)
      bytes.append(contentsOf: window[start..<start + part])
      position += part
      rest -= part
    }
  }

  /// Reads on from the position.
  private mutating func moveWindow() throws(TensorFileError) {
    window = try file.bytes(
      in: position..<position + min(Self.windowSize, file.count - position))
    windowStart = position
  }

  /// The text of the bytes that were passed last.
  private func text(_ bytes: [UInt8]) throws(TensorFileError) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    do throws(UTF8.ValidationError) {
      _ = try UTF8Span(validating: bytes.span)
      return String(decoding: bytes, as: UTF8.self)
    } catch {
      throw .headerNotUTF8(
        path: file.path, offset: position - bytes.count + error.byteOffsets.lowerBound)
    }
  }
}

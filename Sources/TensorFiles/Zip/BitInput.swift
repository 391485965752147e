/// The bits of a deflate stream, whose bytes are read piece by piece.
struct BitInput<Failure: Error>: ~Copyable {
  /// The bytes at hand, of which those before `position` are in `bits` or used up.
  let piece: UnsafeMutableRawBufferPointer
  var position = 0
  private(set) var end = 0
  /// The next bits, from the lowest on.
  ///
  /// Above `bitCount` there may be bits of the byte at `position`, which is added once more later.
  var bits: UInt64 = 0
  var bitCount = 0

  private var unreadCount: Int
  private let read: (UnsafeMutableRawBufferPointer) throws(Failure) -> Void

  /// - Parameters:
  ///   - byteCount: The length of the stream.
  ///   - pieceSize: The most bytes that are read at a time, at least 1.
  ///   - read: Fills memory with the next bytes.
  init(
    byteCount: Int, pieceSize: Int,
    read: @escaping (UnsafeMutableRawBufferPointer) throws(Failure) -> Void
  ) {
    piece = .allocate(byteCount: max(1, min(byteCount, pieceSize)), alignment: 16)
    unreadCount = byteCount
    self.read = read
  }

  deinit { piece.deallocate() }

  /// The bytes that no bit was taken of.
  var byteCountLeft: Int { bitCount / 8 + (end - position) + unreadCount }

  /// Takes bytes into `bits` up to 57 bits or more, or to the end of the stream.
  mutating func refill() throws(Failure) {
    while bitCount <= 56 {
      if position == end {
        guard unreadCount > 0 else { return }
        try readPiece()
      }
      bits |= UInt64(piece[position]) << UInt64(bitCount)
      position += 1
      bitCount += 8
    }
  }

  /// Drops bits that are there.
  mutating func drop(_ count: Int) {
    bits >>= UInt64(count)
    bitCount -= count
  }

  /// The next bits as a number, up to 16 of them; nil if the stream ends before.
  mutating func take(_ count: Int) throws(Failure) -> Int? {
    if bitCount < count { try refill() }
    guard bitCount >= count else { return nil }
    defer { drop(count) }
    return Int(bits & (1 << UInt64(count) - 1))
  }

  /// Skips to the start of the next byte.
  mutating func alignToByte() { drop(bitCount % 8) }

  /// Copies bytes of a stream that stands at the start of one.
  ///
  /// - Returns: Whether there are as many.
  mutating func copy(into target: UnsafeMutableRawBufferPointer) throws(Failure) -> Bool {
    guard target.count <= byteCountLeft else { return false }
    var done = 0
    while done < target.count, bitCount > 0 {
      target[done] = UInt8(truncatingIfNeeded: bits)
      drop(8)
      done += 1
    }
    guard done < target.count else { return true }
    // What is left of a byte that is copied whole below.
    bits = 0
    while done < target.count {
      if position == end { try readPiece() }
      let count = min(target.count - done, end - position)
      UnsafeMutableRawBufferPointer(rebasing: target[done..<done + count])
        .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[position..<position + count]))
      position += count
      done += count
    }
    return true
  }

  /// Replaces the piece, which is used up, by the next, of which there is one.
  private mutating func readPiece() throws(Failure) {
    let count = min(piece.count, unreadCount)
    try read(UnsafeMutableRawBufferPointer(rebasing: piece[..<count]))
    unreadCount -= count
    position = 0
    end = count
  }
}

/// The bytes of a fast step: a match may be stored in words of eight bytes, after literals.
private let outputMargin = 2 + 258 + 7
/// The bytes that a fast step reads: a word twice.
private let inputMargin = 16

extension Inflater {
  /// Makes what the symbols of a block stand for, up to its end.
  mutating func decodeBlock(
    _ literals: borrowing PrefixCode, _ distances: borrowing PrefixCode
  ) throws(Failure) {
    while true {
      if try decodeFast(literals, distances) { return }
      if try decodeOne(literals, distances) { return }
    }
  }

  // MARK: One symbol

  /// Makes what the next symbol stands for, with every check.
  ///
  /// - Returns: Whether it was the last.
  private mutating func decodeOne(
    _ literals: borrowing PrefixCode, _ distances: borrowing PrefixCode
  ) throws(Failure) -> Bool {
    let entry = try next(literals, .literals)
    if entry.isEndOfBlock { return true }
    if entry.isLiteral {
      guard try room(for: 1) == 1 else { return true }
      output[written] = UInt8(truncatingIfNeeded: entry.value)
      written += 1
    } else {
      let length = try number(entry)
      let distance = try number(next(distances, .distances))
      guard distance <= written else {
        throw failure(.distanceTooFar(distance, written: written))
      }
      let count = try room(for: length)
      for index in written..<written + count { output[index] = output[index - distance] }
      written += count
    }
    return extent == .start && written == output.count
  }

  /// The entry of the next code, whose bits are dropped.
  private mutating func next(
    _ code: borrowing PrefixCode, _ kind: InflateFault.Code
  ) throws(Failure) -> PrefixEntry {
    try input.refill()
    let entry = code.entry(for: input.bits)
    guard !entry.isUnused else { throw failure(.unusedCode(kind)) }
    guard entry.length <= input.bitCount else { throw failure(.endOfInput) }
    input.drop(entry.length)
    return entry
  }

  /// A length or a distance, whose last bits follow its code.
  private mutating func number(_ entry: PrefixEntry) throws(Failure) -> Int {
    guard let extra = try input.take(entry.extraBits) else { throw failure(.endOfInput) }
    return entry.value + extra
  }

  // MARK: Many symbols

  /// Makes what symbols stand for, as long as no step can reach the end of a piece or of the output.
  ///
  /// - Returns: Whether the block has ended.
  private mutating func decodeFast(
    _ literals: borrowing PrefixCode, _ distances: borrowing PrefixCode
  ) throws(Failure) -> Bool {
    guard let target = output.baseAddress, let source = input.piece.baseAddress else {
      return false
    }
    // Copies, which stay in registers.
    var (bits, bitCount, position, written) = (input.bits, input.bitCount, input.position, written)
    let lastPosition = input.end - inputMargin
    let lastWritten = output.count - outputMargin
    defer {
      (input.bits, input.bitCount, input.position) = (bits, bitCount, position)
      self.written = written
    }

    /// Takes bytes up to 56 bits or more; those that are in `bits` already, above the count, are the
    /// same.
    func refill() {
      let word = UInt64(littleEndian: (source + position).loadUnaligned(as: UInt64.self))
      bits |= word &<< UInt64(truncatingIfNeeded: bitCount)
      position &+= (63 &- bitCount) &>> 3
      bitCount |= 56
    }
    func drop(_ count: Int) {
      bits &>>= UInt64(truncatingIfNeeded: count)
      bitCount &-= count
    }
    func store(_ literal: PrefixEntry) {
      target.storeBytes(of: literal.byte, toByteOffset: written, as: UInt8.self)
      written &+= 1
      drop(literal.length)
    }
    func number(_ entry: PrefixEntry) -> Int {
      let extra = Int(truncatingIfNeeded: bits & (1 &<< UInt64(entry.extraBits) &- 1))
      drop(entry.extraBits)
      return entry.value + extra
    }

    while position <= lastPosition, written <= lastWritten {
      refill()
      var entry = literals.firstEntry(for: bits)
      // Literals of the first table take 10 bits at most, so that three leave enough for a length.
      if entry.isLiteral {
        store(entry)
        entry = literals.firstEntry(for: bits)
        if entry.isLiteral {
          store(entry)
          entry = literals.firstEntry(for: bits)
          if entry.isLiteral {
            store(entry)
            continue
          }
        }
      }
      if entry.isTable { entry = literals.entry(for: bits) }
      guard entry.isBase else {
        if entry.isLiteral {
          store(entry)
          continue
        }
        guard entry.isEndOfBlock else { throw failure(.unusedCode(.literals)) }
        drop(entry.length)
        return true
      }
      drop(entry.length)
      let length = number(entry)
      refill()
      let reach = distances.entry(for: bits)
      guard reach.isBase else { throw failure(.unusedCode(.distances)) }
      drop(reach.length)
      let distance = number(reach)
      guard distance <= written else {
        throw failure(.distanceTooFar(distance, written: written))
      }
      copyMatch(target + written, length: length, distance: distance)
      written += length
    }
    return false
  }
}

/// Repeats bytes that end `distance` before the target; up to 7 bytes behind the target are changed.
@inline(__always)
private func copyMatch(_ target: UnsafeMutableRawPointer, length: Int, distance: Int) {
  let source = UnsafeRawPointer(target) - distance
  switch distance {
  case 8...:
    for offset in stride(from: 0, to: length, by: 8) {
      let word = (source + offset).loadUnaligned(as: UInt64.self)
      target.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
    }
  case 1:
    target.initializeMemory(as: UInt8.self, repeating: source.load(as: UInt8.self), count: length)
  default:
    for offset in 0..<length {
      let byte = (source + offset).load(as: UInt8.self)
      target.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }
  }
}

/// A reader of deflate streams, which makes the bytes that a stream was made of.
///
/// Memory is that of the output, a piece of the input and the tables of a block. What zlib refuses is
/// refused, and so is a stream that makes more or fewer bytes than were claimed, or that ends before
/// its input does. Source: RFC 1951.
struct Inflater<Failure: Error>: ~Copyable {
  /// How much of a stream is made.
  enum Extent {
    /// All of it, which must be as long as the output.
    case whole
    /// The first bytes: as many as the output has room for. What follows is not looked at.
    case start
  }

  var input: BitInput<Failure>
  let output: UnsafeMutableRawBufferPointer
  var written = 0
  let extent: Extent
  let failure: (InflateFault) -> Failure

  /// Fills memory with what a stream makes.
  ///
  /// - Parameters:
  ///   - byteCount: The length of the stream.
  ///   - output: As many bytes as the stream is to make.
  ///   - extent: Whether the stream has to end with the output.
  ///   - pieceSize: The most bytes of the stream that are in memory.
  ///   - read: Fills memory with the next bytes of the stream.
  ///   - failure: The error to throw for a fault.
  static func inflate(
    byteCount: Int, into output: UnsafeMutableRawBufferPointer, _ extent: Extent, pieceSize: Int,
    read: @escaping (UnsafeMutableRawBufferPointer) throws(Failure) -> Void,
    failure: @escaping (InflateFault) -> Failure
  ) throws(Failure) {
    var inflater = Inflater(
      input: BitInput(byteCount: byteCount, pieceSize: pieceSize, read: read), output: output,
      extent: extent, failure: failure)
    try inflater.run()
  }

  /// Whether all is made that was asked for.
  private var isComplete: Bool {
    switch extent {
    case .whole: false
    case .start: written == output.count
    }
  }

  private mutating func run() throws(Failure) {
    var literals = PrefixCode(.literals)
    var distances = PrefixCode(.distances)
    var isLast = false
    while !isLast, !isComplete {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try copyStored()
      case 1: try decodeBlock(.fixedLiterals, .fixedDistances)
      case 2:
        try readCodes(&literals, &distances)
        try decodeBlock(literals, distances)
      default: throw failure(.unknownBlockType)
      }
    }
    guard !isComplete else { return }
    guard written == output.count else {
      throw failure(.outputTooShort(written, expected: output.count))
    }
    let left = input.byteCountLeft
    guard extent == .start || left == 0 else { throw failure(.inputLeft(left)) }
  }

  /// The next bits, which have to be there.
  private mutating func bits(_ count: Int) throws(Failure) -> Int {
    guard let value = try input.take(count) else { throw failure(.endOfInput) }
    return value
  }

  // MARK: Blocks

  private mutating func copyStored() throws(Failure) {
    input.alignToByte()
    let length = UInt16(try bits(16))
    let complement = UInt16(try bits(16))
    guard length == ~complement else {
      throw failure(.storedLength(length, complement: complement))
    }
    let count = try room(for: Int(length))
    let target = UnsafeMutableRawBufferPointer(rebasing: output[written..<written + count])
    guard try input.copy(into: target) else { throw failure(.endOfInput) }
    written += count
  }

  /// How many of so many bytes are made: all of them, but at the end of a start.
  func room(for count: Int) throws(Failure) -> Int {
    let room = output.count - written
    guard count > room else { return count }
    switch extent {
    case .whole: throw failure(.outputTooLong(limit: output.count))
    case .start: return room
    }
  }

  private func make(_ code: inout PrefixCode, _ lengths: ArraySlice<UInt8>) throws(Failure) {
    do {
      try code.make(lengths: lengths)
    } catch {
      throw failure(error)
    }
  }

  /// Reads the codes that a block begins with.
  private mutating func readCodes(
    _ literals: inout PrefixCode, _ distances: inout PrefixCode
  ) throws(Failure) {
    let literalCount = try bits(5) + 257
    let distanceCount = try bits(5) + 1
    guard literalCount <= 286, distanceCount <= 30 else {
      throw failure(.tooManySymbols(literals: literalCount, distances: distanceCount))
    }
    let lengths = try readLengths(literalCount + distanceCount)
    guard lengths[256] > 0 else { throw failure(.noEndOfBlock) }
    try make(&literals, lengths[..<literalCount])
    try make(&distances, lengths[literalCount...])
  }

  /// Reads the lengths of codes, which are themselves written in a code.
  private mutating func readLengths(_ count: Int) throws(Failure) -> [UInt8] {
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    var codeLengths = [UInt8](repeating: 0, count: order.count)
    for symbol in order.prefix(try bits(4) + 4) { codeLengths[symbol] = UInt8(try bits(3)) }
    var code = PrefixCode(.lengths)
    try make(&code, codeLengths[...])

    var lengths: [UInt8] = []
    lengths.reserveCapacity(count)
    while lengths.count < count {
      try input.refill()
      let entry = code.entries[Int(input.bits & (1 << UInt64(code.indexBits) - 1))]
      guard entry.length <= input.bitCount else { throw failure(.endOfInput) }
      input.drop(entry.length)
      let (length, times): (UInt8, Int)
      switch entry.value {
      case 16:
        guard let last = lengths.last else { throw failure(.repeatWithoutLength) }
        (length, times) = (last, 3 + (try bits(2)))
      case 17: (length, times) = (0, 3 + (try bits(3)))
      case 18: (length, times) = (0, 11 + (try bits(7)))
      default: (length, times) = (UInt8(entry.value), 1)
      }
      guard times <= count - lengths.count else { throw failure(.repeatTooLong) }
      lengths.append(contentsOf: repeatElement(length, count: times))
    }
    return lengths
  }
}

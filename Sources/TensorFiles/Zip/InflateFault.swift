/// Why bytes are no deflate stream, or not one of the size that was claimed.
enum InflateFault: Error, Equatable {
  /// The three codes of a block.
  enum Code: String {
    case lengths = "code lengths"
    case literals = "literals and lengths"
    case distances = "distances"
  }

  /// The stream goes on where its bytes end.
  case endOfInput
  /// A block is of the type 3, which is none.
  case unknownBlockType
  /// The length of a stored block and its complement do not agree.
  case storedLength(UInt16, complement: UInt16)
  /// A block has more symbols than there are.
  case tooManySymbols(literals: Int, distances: Int)
  /// More codes than fit in their lengths.
  case overSubscribed(Code)
  /// Fewer codes than fill their lengths.
  case incomplete(Code)
  /// A length is repeated where there is none yet.
  case repeatWithoutLength
  /// Repeated lengths go on past the last symbol.
  case repeatTooLong
  /// A block that cannot end.
  case noEndOfBlock
  /// A code that stands for no symbol.
  case unusedCode(Code)
  /// A distance reaches back beyond the first byte.
  case distanceTooFar(Int, written: Int)
  /// The stream makes more bytes than were claimed.
  case outputTooLong(limit: Int)
  /// The stream makes fewer bytes than were claimed.
  case outputTooShort(Int, expected: Int)
  /// Bytes follow the end of the stream.
  case inputLeft(Int)

  /// The fault as the end of a sentence.
  var reason: String {
    switch self {
    case .endOfInput: "compressed data ends early"
    case .unknownBlockType: "block of unknown type 3"
    case .storedLength(let length, let complement):
      "stored block of length \(length), whose complement says \(~complement)"
    case .tooManySymbols(let literals, let distances):
      "block of \(literals) literals and lengths and \(distances) distances"
    case .overSubscribed(let code): "more codes for \(code.rawValue) than fit"
    case .incomplete(let code): "incomplete codes for \(code.rawValue)"
    case .repeatWithoutLength: "repeated code length without one before"
    case .repeatTooLong: "repeated code length past the last symbol"
    case .noEndOfBlock: "block without a code for its end"
    case .unusedCode(let code): "unused code for \(code.rawValue)"
    case .distanceTooFar(let distance, let written):
      "copy from \(distance) bytes back, where \(written) are written"
    case .outputTooLong(let limit): "holds more than the \(limit) bytes it claims"
    case .outputTooShort(let count, let expected):
      "holds \(count) bytes, not the \(expected) it claims"
    case .inputLeft(let count): "\(count) bytes follow its compressed data"
    }
  }
}

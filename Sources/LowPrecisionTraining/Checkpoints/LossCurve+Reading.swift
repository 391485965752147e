public import TensorFiles
import UntrustedText

extension LossCurve {
  /// Reads the CSV that `writeCSV(to:)` wrote.
  ///
  /// - Throws: `.file` if the file cannot be read or is empty, otherwise the first line that is
  ///   not as written.
  public init(csvPath path: String) throws(LossCurveError) {
    let bytes: [UInt8]
    do { bytes = try InputFile(path: path).bytes() } catch { throw .file(error) }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(path: path) }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.removeFirst() == Self.keys.joined(separator: ",") else {
      throw .malformed(path: path, line: 1, reason: "is not the heading of a loss curve")
    }
    guard lines.popLast() == "" else {
      throw .malformed(path: path, line: lines.count + 2, reason: "does not end")
    }
    self.init()
    for (index, line) in lines.enumerated() {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      guard fields.count == Self.keys.count else {
        throw .malformed(
          path: path, line: index + 2, reason: "has \(fields.count) fields, not \(Self.keys.count)")
      }
      // The parser also takes other spellings; nothing but a number is one of them.
      let numbers = fields.map { Double($0) }
      guard let step = Int(fields[0]), let trainingLoss = numbers[1],
        numbers[2] != nil || fields[2].isEmpty, let learningRate = numbers[3],
        let gradientNorm = numbers[4], let tokensPerSecond = numbers[5]
      else {
        throw .malformed(path: path, line: index + 2, reason: "has a field that is no number")
      }
      guard step > rows.last?.step ?? -1 else {
        throw .malformed(path: path, line: index + 2, reason: "is not in the order of steps")
      }
      append(
        Row(
          step: step, trainingLoss: trainingLoss, validationLoss: numbers[2],
          learningRate: learningRate, gradientNorm: gradientNorm, tokensPerSecond: tokensPerSecond))
    }
  }
}

/// Why a file is not a loss curve.
public enum LossCurveError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be read, or is empty.
  case file(TensorFileError)
  /// The file is no text.
  case notUTF8(path: String)
  /// A line, counted from 1, is not as written.
  case malformed(path: String, line: Int, reason: String)

  /// One line that names the file and the cause.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .notUTF8(let path): "\(printable(path, limit: nil)): is not UTF-8"
    case .malformed(let path, let line, let reason):
      "\(printable(path, limit: nil)): line \(line) \(reason)"
    }
  }
}

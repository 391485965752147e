import CallerChecks
import Foundation
public import TensorFiles
import UntrustedText

/// The bytes of a file as tokens of a vocabulary of 256.
///
/// The file is split in two contiguous parts, training first. A training batch takes windows that
/// start anywhere in the training part, each start equally likely. Validation batches walk through
/// the validation part in windows side by side, and start over at its end. Windows of T + 1 bytes
/// never cross from one part to the other.
///
/// The bytes are read before the first batch and kept, so that nothing that becomes of the file can
/// stop or change a run. Corpora of one text share them.
public struct ByteCorpus: TokenSource {
  /// The number of sequences of a batch.
  public let batchCount: Int
  /// The number of tokens of a sequence.
  public let contextCount: Int
  /// The bytes of the file that training uses.
  public let trainingBytes: Range<Int>
  /// The bytes of the file that validation uses.
  public let validationBytes: Range<Int>

  private let text: ByteText
  private let seed: UInt64

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file, of any kind of text or none.
  ///   - plan: Sizes and seed.
  ///   - validationFraction: The share of the file kept for validation, raised to one window where
  ///     it is less.
  /// - Throws: `.file` if the file cannot be read or is empty, `.tooShort` if one of the parts
  ///   would hold no window.
  /// - Precondition: The fraction is above 0 and below 1.
  public init(
    path: String, plan: BatchPlan = BatchPlan(), validationFraction: Double = 0.1
  ) throws(ByteCorpusError) {
    try self.init(ByteText(path: path), plan: plan, validationFraction: validationFraction)
  }

  /// Splits a text that has been read.
  ///
  /// - Parameters:
  ///   - text: The bytes of a file.
  ///   - plan: Sizes and seed.
  ///   - validationFraction: The share of the text kept for validation, raised to one window where
  ///     it is less.
  /// - Throws: `.tooShort` if one of the parts would hold no window.
  /// - Precondition: The fraction is above 0 and below 1.
  public init(
    _ text: ByteText, plan: BatchPlan = BatchPlan(), validationFraction: Double = 0.1
  ) throws(ByteCorpusError) {
    require(
      validationFraction > 0 && validationFraction < 1,
      "\(validationFraction) of a text for validation")
    let (count, window) = (text.bytes.count, plan.contextCount + 1)
    let share = Int((Double(count) * validationFraction).rounded())
    let start = count - max(share, window)
    guard start >= window else {
      throw .tooShort(path: text.path, needed: 2 * window, available: count)
    }
    self.text = text
    batchCount = plan.batchCount
    contextCount = plan.contextCount
    seed = plan.seed
    trainingBytes = 0..<start
    validationBytes = start..<count
  }

  /// The checksum of the text.
  public var fingerprint: String { text.fingerprint }

  /// 256.
  public var vocabularyCount: Int { 256 }
  /// Nil: nobody knows the entropy of a text.
  public var lossFloor: Double? { nil }
  /// ln 256.
  public var chanceLoss: Double { log(256) }
  /// The number of windows that validation batches walk through.
  public var validationWindowCount: Int { (validationBytes.count - 1) / contextCount }

  /// Windows of the training part.
  public func trainingBatch(step: Int) -> TokenBatch {
    batch { row in
      var stream = SampleStream(seed: seed, purpose: .training, batch: step, row: row)
      return stream.below(trainingBytes.count - contextCount)
    }
  }

  /// The numbers of validation batches: with a plan's counts, windows are far from overflow.
  private static let validationIndices = 0..<1 << 32

  /// The next windows of the validation part after those of the batch before.
  public func validationBatch(index: Int) -> TokenBatch {
    require(Self.validationIndices.contains(index), "validation batch \(index)")
    return batch { row in
      let window = (index * batchCount + row) % validationWindowCount
      return validationBytes.lowerBound + window * contextCount
    }
  }

  private func batch(start: (_ row: Int) -> Int) -> TokenBatch {
    TokenBatch(batchCount: batchCount, contextCount: contextCount) { row, tokens, targets, mask in
      let start = start(row)
      for position in 0..<contextCount {
        tokens[position] = Int32(text.bytes[start + position])
        targets[position] = Int32(text.bytes[start + position + 1])
        mask[position] = 1
      }
    }
  }
}

/// Why a file cannot serve as a corpus.
public enum ByteCorpusError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be read, or is empty.
  case file(TensorFileError)
  /// Training and validation need a window of context and one more byte each.
  case tooShort(path: String, needed: Int, available: Int)

  /// One line that names the file and the cause.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .tooShort(let path, let needed, let available):
      "\(printable(path, limit: nil)): too short for the context: needs \(needed) bytes, has "
        + "\(available)"
    }
  }
}

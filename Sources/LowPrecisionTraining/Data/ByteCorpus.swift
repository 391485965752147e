import CallerChecks
import Foundation
public import TensorFiles

/// The bytes of a file as tokens of a vocabulary of 256.
///
/// The file is split in two contiguous parts, training first. A training batch takes windows that
/// start anywhere in the training part, each start equally likely. Validation batches walk through
/// the validation part in windows side by side, and start over at its end. Windows of T + 1 bytes
/// never cross from one part to the other.
///
/// The file is mapped, not read, so it may be larger than memory. It must not be changed in place
/// while the corpus is in use; replacing it by a rename is safe.
public struct ByteCorpus: TokenSource {
  /// The number of sequences of a batch.
  public let batchCount: Int
  /// The number of tokens of a sequence.
  public let contextCount: Int
  /// The bytes of the file that training uses.
  public let trainingBytes: Range<Int>
  /// The bytes of the file that validation uses.
  public let validationBytes: Range<Int>

  private let file: MappedFile
  private let seed: UInt64

  /// Opens a file.
  ///
  /// - Parameters:
  ///   - path: The file, of any kind of text or none.
  ///   - plan: Sizes and seed.
  ///   - validationFraction: The share of the file kept for validation, raised to one window where
  ///     it is less.
  /// - Throws: `.file` if the file cannot be opened or is empty, `.tooShort` if one of the parts
  ///   would hold no window.
  /// - Precondition: The fraction is above 0 and below 1.
  public init(
    path: String, plan: BatchPlan = BatchPlan(), validationFraction: Double = 0.1
  ) throws(ByteCorpusError) {
    require(
      validationFraction > 0 && validationFraction < 1,
      "\(validationFraction) of a text for validation")
    do { file = try MappedFile(path: path) } catch { throw .file(error) }
    let window = plan.contextCount + 1
    let share = Int((Double(file.count) * validationFraction).rounded())
    let start = file.count - max(share, window)
    guard start >= window else {
      throw .tooShort(path: path, needed: 2 * window, available: file.count)
    }
    batchCount = plan.batchCount
    contextCount = plan.contextCount
    seed = plan.seed
    trainingBytes = 0..<start
    validationBytes = start..<file.count
  }

  /// A checksum of all bytes: FNV-1a of 64 bits, in hexadecimal.
  public var fingerprint: String {
    let hash = file.withUnsafeBytes(in: 0..<file.count) { bytes in
      bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
    return String(hash, radix: 16)
  }

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

  /// The next windows of the validation part after those of the batch before.
  public func validationBatch(index: Int) -> TokenBatch {
    require((0..<1 << 32).contains(index), "validation batch \(index)")
    return batch { row in
      let window = (index * batchCount + row) % validationWindowCount
      return validationBytes.lowerBound + window * contextCount
    }
  }

  private func batch(start: (_ row: Int) -> Int) -> TokenBatch {
    TokenBatch(batchCount: batchCount, contextCount: contextCount) { row, tokens, targets, mask in
      let start = start(row)
      file.withUnsafeBytes(in: start..<start + contextCount + 1) { bytes in
        for position in 0..<contextCount {
          tokens[position] = Int32(bytes[position])
          targets[position] = Int32(bytes[position + 1])
          mask[position] = 1
        }
      }
    }
  }
}

/// Why a file cannot serve as a corpus.
public enum ByteCorpusError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file cannot be opened, is no regular file, or is empty.
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

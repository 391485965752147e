import UntrustedText

/// The GGUF files of one model: one, or the parts that it is split over.
///
/// Each part has its number and the number of all in its metadata, and in its name, such as
/// `NAME-00001-of-00003.gguf`. Only the first has the other metadata.
///
/// Source: the split files of llama.cpp.
public struct GGUFModel: Sendable {
  /// The most parts of a model: as many as their 16-bit number counts.
  public static let partLimit = 65_535

  /// A tensor and the part that holds it.
  public struct Tensor: Hashable, Sendable {
    /// The place of the part among `parts`.
    public let part: Int
    /// What the part says about the tensor.
    public let info: GGUFTensorInfo
  }

  /// The files in order.
  public let parts: [GGUFFile]
  /// The tensors of all files, in order; no two have one name.
  public let tensors: [Tensor]
  /// The keys and values of the first file.
  public var metadata: GGUFMetadata { parts[0].metadata }

  private let indices: [ExactText: Int]

  /// Opens a file and, if it is the first of several, the others beside it.
  ///
  /// - Parameter path: The one file, or the first; `-` is standard input, which must be the only one.
  /// - Throws: What `GGUFFile` throws, with the path of the file it is about; `.badHeader` where a file
  ///   is not the part that it should be, the name of the first does not end as it must, or the number
  ///   of tensors is not the one stated; `.duplicateTensor` where two files have a tensor of one name.
  public init(path: String) throws(TensorFileError) {
    let first = try GGUFFile(path: path)
    let split = try Split(of: first)
    guard split.index == 0 else {
      throw .badHeader(path: path, reason: "is \(split), which is not the first")
    }
    var parts = [first]
    if split.count > 1 {
      guard let name = GGUFPartName(path: path, index: 0, count: split.count) else {
        let ending = GGUFPartName(prefix: "NAME", index: 0, count: split.count).path
        throw .badHeader(path: path, reason: "is \(split), but not named like \(ending)")
      }
      for index in 1..<split.count {
        let expected = Split(index: index, count: split.count)
        let part = try GGUFFile(
          path: GGUFPartName(prefix: name.prefix, index: index, count: split.count).path)
        let found = try Split(of: part)
        guard found == expected else {
          throw .badHeader(path: part.path, reason: "is \(found), not \(expected)")
        }
        parts.append(part)
      }
    }
    self.parts = parts
    (tensors, indices) = try Self.tensors(of: parts)
    if split.count > 1 { try requireTensorCount() }
  }

  /// The tensor whose name has the bytes of this one, or nil.
  public func tensor(named name: String) -> Tensor? {
    indices[ExactText(name)].map { tensors[$0] }
  }

  /// A part of the stored blocks of a tensor; see `GGUFFile.bytes(of:in:)`.
  ///
  /// - Parameters:
  ///   - tensor: One of `tensors`.
  ///   - range: Which of its bytes, counted from its first; nil for all.
  /// - Precondition: The tensor has these bytes.
  /// - Throws: `.notEnoughMemory`, or why the bytes cannot be read.
  public func bytes(
    of tensor: Tensor, in range: Range<Int>? = nil
  ) throws(TensorFileError) -> [UInt8] {
    try parts[tensor.part].bytes(
      of: tensor.info, in: range ?? 0..<tensor.info.byteRange.count)
  }

  // MARK: Checking

  private static func tensors(
    of parts: [GGUFFile]
  ) throws(TensorFileError) -> ([Tensor], [ExactText: Int]) {
    var tensors: [Tensor] = []
    var indices: [ExactText: Int] = [:]
    for (number, part) in parts.enumerated() {
      for info in part.tensors {
        guard indices.updateValue(tensors.count, forKey: ExactText(info.name)) == nil else {
          throw .duplicateTensor(path: part.path, tensor: info.name)
        }
        tensors.append(Tensor(part: number, info: info))
      }
    }
    return (tensors, indices)
  }

  private func requireTensorCount() throws(TensorFileError) {
    let key = "split.tensors.count"
    guard let value = metadata[key] else { return }
    guard let stated = value.integer, stated == tensors.count else {
      throw .badHeader(
        path: parts[0].path,
        reason: "\(key) is \(value.integer.map(String.init) ?? "no integer"), "
          + "but the \(parts.count) files have \(tensors.count) tensors")
    }
  }

  /// Which part of how many a file is.
  private struct Split: Equatable, CustomStringConvertible {
    let index: Int
    let count: Int

    init(index: Int, count: Int) {
      self.index = index
      self.count = count
    }

    /// What a file says it is; the only one if it says nothing.
    init(of file: GGUFFile) throws(TensorFileError) {
      index = try Self.number("split.no", of: file, in: 0...partLimit - 1) ?? 0
      count = try Self.number("split.count", of: file, in: 1...partLimit) ?? 1
      guard index < count else {
        throw .badHeader(
          path: file.path, reason: "split.no is \(index), but split.count is \(count)")
      }
    }

    private static func number(
      _ key: String, of file: GGUFFile, in range: ClosedRange<Int>
    ) throws(TensorFileError) -> Int? {
      guard let value = file.metadata[key] else { return nil }
      guard let number = value.integer, range.contains(number) else {
        throw .badHeader(
          path: file.path,
          reason: "\(key) is \(value.integer.map(String.init) ?? "no integer"), "
            + "not from \(range.lowerBound) to \(range.upperBound)")
      }
      return number
    }

    var description: String { "part \(index + 1) of \(count)" }
  }
}

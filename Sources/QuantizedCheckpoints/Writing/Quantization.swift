public import BlockFormats
internal import StrictJSON
internal import Synchronization
public import TensorFiles

extension ModelCheckpoint {
  /// Quantizes tensors as planned and writes all of them.
  ///
  /// Tensors are read, encoded and written in pieces, so that neither a model nor a tensor need fit in
  /// memory.
  ///
  /// - Parameters:
  ///   - plan: what becomes of each tensor of this checkpoint.
  ///   - path: as for `writeValues(to:as:parallelism:progress:)`; a folder's configuration tells loaders of
  ///     the dialect what was done. A name that ends in `.gguf` is for the dialect ggml, and the other way
  ///     round.
  ///   - keys: the keys and values of a GGUF file; this checkpoint's own if `nil`, where it is one.
  ///   - folder: how a folder is cut into files, and which of them to write.
  ///   - progress: is told of every tensor.
  /// - Returns: how far values are from what they were.
  /// - Throws: what reading and writing throw. A file is then as it was; a folder's beginning is kept
  ///   under the name with `.partial`, and the next call goes on.
  @discardableResult
  public func write(
    _ plan: QuantizationPlan, to path: String, keys: GGUFMetadata? = nil,
    folder: FolderWork = FolderWork(), progress: (WritingProgress) -> Void = { _ in }
  ) throws(ModelCheckpointError) -> [QuantizationQuality] {
    let qualities = QualityCollector()
    let groups = SharedStatistics(plan)
    let tensors = plan.decisions.map { decision in
      guard let form = decision.form else {
        return decision.tensor.output(as: nil, parallelism: plan.request.parallelism)
      }
      return decision.tensor.output(form, groups, qualities, plan.request.parallelism)
    }
    let report = DialectReport(
      dialect: plan.request.dialect, forms: plan.decisions.map { ($0.tensor, $0.form) })
    try write(
      tensors, report, to: path, keys: keys, work: plan.description, folder: folder,
      progress: progress)
    return qualities.all
  }
}

/// How far the values of a quantized tensor are from what they were.
public struct QuantizationQuality: Sendable {
  /// The tensor's name.
  public let name: String
  /// The format.
  public let format: any BlockFormat
  /// The number of elements.
  public let elementCount: Int
  /// The sum of squared values, of finite ones.
  public let signal: Double
  /// The sum of squared errors, of finite ones.
  public let noise: Double
  /// The values that were clipped.
  public let saturatedCount: Int
}

/// Gathers the quality of tensors, whichever thread has it.
final class QualityCollector: Sendable {
  private let qualities = Mutex<[QuantizationQuality]>([])

  var all: [QuantizationQuality] { qualities.withLock { $0 } }

  func add(_ quality: QuantizationQuality) { qualities.withLock { $0.append(quality) } }
}

extension CheckpointTensor {
  /// The tensor in a dialect's form on its way to a file.
  func output(
    _ form: DialectForm, _ shared: SharedStatistics, _ qualities: QualityCollector,
    _ parallelism: Parallelism
  ) -> OutputTensor {
    OutputTensor(
      name: name, sourceByteCount: byteCount, parts: form.parts.map(\.description)
    ) { writer throws(ModelCheckpointError) in
      let format = form.format
      let pieces = TensorPieces(ofPlanes: format, shape: form.shape, limit: Self.pieceLimit)
      let statistics =
        PieceQuantizer.needsStatistics(format)
        ? try shared.statistics(of: self, parallelism) : nil
      var quantizer = PieceQuantizer(
        format: format, policy: format.defaultPolicy, pieces: pieces, statistics: statistics,
        parallelism: parallelism)
      var source = ValueStream(self, parallelism, orientation: form.orientation)
      var error = ErrorSums()
      for piece in pieces.ranges {
        let values = try source.next(piece.count)
        let encoded = values.withUnsafeBytes { quantizer.encode($0, of: piece) }
        error.add(
          values, encoded.dequantized(parallelism: parallelism).elements, parallelism)
        try form.write(encoded, piece, to: &writer)
      }
      try form.writeConstants(to: &writer)
      qualities.add(
        QuantizationQuality(
          name: name, format: format, elementCount: elementCount, signal: error.signal,
          noise: error.noise, saturatedCount: quantizer.tally.saturatedCount))
    }
  }
}

/// The largest magnitudes that scales of tensors follow from.
///
/// Layers that read the same activations share the scale of the tensor in ModelOpt's checkpoints, so that
/// they can be multiplied as one: q, k and v, gate and up.
struct SharedStatistics: Sendable {
  private let groups: [String: [CheckpointTensor]]
  private let found = FoundStatistics()

  private final class FoundStatistics: Sendable {
    let all = Mutex<[String: ValueStatistics]>([:])
  }

  private static let layers: [String: String] = [
    "q_proj": "qkv", "k_proj": "qkv", "v_proj": "qkv", "gate_proj": "gate_up", "up_proj": "gate_up",
  ]

  init(_ plan: QuantizationPlan) {
    guard plan.request.dialect == .modelOpt else {
      groups = [:]
      return
    }
    let quantized = plan.decisions.filter { $0.form != nil }.map(\.tensor)
    groups = Dictionary(grouping: quantized) { Self.group(of: $0.name) ?? $0.name }
  }

  /// The layers that one of them shares a scale with; nil for one that shares none.
  private static func group(of name: String) -> String? {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard parts.count >= 2, parts.last == "weight", let group = layers[parts[parts.count - 2]]
    else { return nil }
    parts.removeLast(2)
    return (parts + [group]).joined(separator: ".")
  }

  func statistics(
    of tensor: CheckpointTensor, _ parallelism: Parallelism
  ) throws(ModelCheckpointError) -> ValueStatistics {
    let group = groups.isEmpty ? tensor.name : Self.group(of: tensor.name) ?? tensor.name
    if let known = found.all.withLock({ $0[group] }) { return known }
    var sum = ValueStatistics()
    for member in groups[group] ?? [tensor] {
      try member.forEachPiece(parallelism: parallelism) { (values, _) in
        sum.merge(
          values.withUnsafeBufferPointer { ValueStatistics($0, parallelism: parallelism) })
      }
    }
    let result = sum
    found.all.withLock { $0[group] = result }
    return result
  }
}

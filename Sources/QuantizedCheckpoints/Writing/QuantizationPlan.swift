public import BlockFormats
internal import StrictJSON
internal import TensorFiles
internal import UntrustedText

/// What becomes of each tensor of a checkpoint, before any of it is done.
public struct QuantizationPlan: Sendable {
  /// What becomes of the tensors, in the order of the checkpoint.
  public let decisions: [Decision]
  let request: QuantizationRequest

  /// What becomes of one tensor.
  public struct Decision: Sendable {
    /// The tensor.
    public let tensor: CheckpointTensor
    /// What it becomes.
    public let outcome: Outcome
    let form: DialectForm?

    /// What becomes of a tensor.
    public enum Outcome: Sendable {
      /// Codes of a format.
      case quantized(any BlockFormat)
      /// Its values as they are, for a reason.
      case kept(reason: String)
    }

    /// The bytes that it will take.
    public var byteCount: Int {
      form?.parts.reduce(0) { $0 + $1.description.byteCount } ?? tensor.valueByteCount
    }
  }

  /// The bytes of all tensors.
  public var byteCount: Int { decisions.reduce(0) { $0 + $1.byteCount } }

  /// Stored bits for an element of the tensors that are quantized; NaN where none is.
  public var bitsPerQuantizedElement: Double {
    let quantized = decisions.filter { $0.form != nil }
    let count = quantized.reduce(0) { $0 + $1.tensor.elementCount }
    return count == 0 ? .nan : 8 * Double(quantized.reduce(0) { $0 + $1.byteCount }) / Double(count)
  }

  /// Stored bits for an element of all tensors; NaN without any.
  public var bitsPerElement: Double {
    let count = decisions.reduce(0) { $0 + $1.tensor.elementCount }
    return count == 0 ? .nan : 8 * Double(byteCount) / Double(count)
  }
}

extension ModelCheckpoint {
  /// Decides what becomes of each tensor.
  ///
  /// A tensor that the dialect cannot store, such as one whose rows are no whole blocks, is kept, and the
  /// plan says why.
  ///
  /// - Throws: `.request` where a tensor is quantized already and the request refuses that, or where
  ///   nothing is left to quantize; `.tensor` where the checkpoint is incomplete.
  public func plan(_ request: QuantizationRequest) throws(ModelCheckpointError) -> QuantizationPlan
  {
    try requireComplete()
    var decisions: [QuantizationPlan.Decision] = []
    for tensor in tensors { decisions.append(try decision(tensor, request)) }
    guard decisions.contains(where: { $0.form != nil }) else {
      // What is kept though it would be quantized by default says most.
      let told = decisions.first { $0.tensor.isQuantizedByDefault } ?? decisions.first
      let reason = told.flatMap { decision -> String? in
        guard case .kept(let reason) = decision.outcome else { return nil }
        return "'\(printable(decision.tensor.name))' is kept: \(reason)"
      }
      throw .request(
        path: path, reason: "no tensor is left to quantize" + (reason.map { "; \($0)" } ?? ""))
    }
    return QuantizationPlan(decisions: decisions, request: request)
  }

  private func decision(
    _ tensor: CheckpointTensor, _ request: QuantizationRequest
  ) throws(ModelCheckpointError) -> QuantizationPlan.Decision {
    func kept(_ reason: String) -> QuantizationPlan.Decision {
      .init(tensor: tensor, outcome: .kept(reason: reason), form: nil)
    }
    let chosen: Bool?
    let format: (any BlockFormat)?
    do {
      chosen = try request.isChosen(tensor.name)
      guard chosen ?? tensor.isQuantizedByDefault else {
        return kept(chosen == nil ? "by default" : "as asked")
      }
      format = try request.format(tensor.name)
    } catch {
      throw (error as? ModelCheckpointError) ?? .request(path: path, reason: "\(error)")
    }
    guard let format else { return kept("as planned") }
    guard tensor.hasValues else { return kept("holds no floating-point values") }
    guard tensor.quantizedStorage == nil || request.requantization == .allowed else {
      throw .request(
        path: path,
        reason: "tensor '\(printable(tensor.name))' is quantized already "
          + "(\(tensor.quantizedStorage?.format.id ?? "")); what it lost would be lost twice")
    }
    let shape = QuantizedStorage.shape(tensor.shape, in: request.dialect.orientation)
    switch request.dialect.form(format, name: WeightName(tensor.name), shape: shape) {
    case .success(let form):
      return .init(tensor: tensor, outcome: .quantized(format), form: form)
    case .failure(let refusal): return kept(refusal.reason)
    }
  }
}

extension CheckpointTensor {
  /// The bytes of its values in the type that they are kept in.
  var valueByteCount: Int {
    switch contents {
    case .plain(let stored): stored.byteCount
    case .quantized: 4 * elementCount
    }
  }
}

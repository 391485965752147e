public import BlockFormats
internal import UntrustedText

/// Two checkpoints, tensor by tensor.
public struct CheckpointComparison: Sendable {
  /// What holds for all of them.
  public let verdict: Verdict
  /// The pairs of tensors, in the order of the first checkpoint.
  public let tensors: [TensorComparison]
  /// The names of tensors that the second one lacks.
  public let missing: [String]
  /// The names of tensors that the first one lacks.
  public let additional: [String]

  /// How equal two checkpoints or tensors are.
  public enum Verdict: String, CaseIterable, Sendable {
    /// The same stored bytes under the same names, companions included, which are read alike.
    case identical
    /// Other bytes, names or formats with the same values.
    case equivalent
    /// Other values, or a tensor that only one has.
    case different
  }
}

/// A tensor of two checkpoints.
public struct TensorComparison: Sendable {
  /// The tensor's name.
  public let name: String
  /// How equal the two are.
  public let verdict: CheckpointComparison.Verdict
  /// Why they cannot be compared by value; nil where they can.
  public let obstacle: String?
  /// The number of elements with other values.
  public let differingCount: Int
  /// The first element with another value, counted row-major; nil where there is none.
  public let firstDifference: Int?
  /// The values of the first such element.
  public let firstValues: (first: Float, second: Float)?
  /// The largest distance of two values; NaN beside a number is infinitely far.
  public let worstDistance: Double
}

extension ModelCheckpoint {
  /// Compares the tensors of this checkpoint with those of another.
  ///
  /// Tensors pair up by their names; those of GGUF and of transformers are mapped where the two differ.
  /// Values are equal as FP32 numbers, to which F64 is rounded: zeros of either sign are, and so are all NaN.
  /// Stored tensors that nothing reads, such as codes without a scale, are compared by their bytes.
  ///
  /// - Throws: what reading either one throws.
  public func compared(
    to other: ModelCheckpoint, parallelism: Parallelism = .allCores
  ) throws(ModelCheckpointError) -> CheckpointComparison {
    // Under the names of this one, where both follow a scheme.
    let other = nameScheme == .keep ? other : try other.renamed(nameScheme)
    let (unread, othersUnread) = (unread, other.unread)
    let unreadByName = Dictionary(
      uniqueKeysWithValues: othersUnread.map { (ExactText($0.name), $0) })
    var pairs: [TensorComparison] = []
    var missing: [String] = []
    for tensor in tensors + unread {
      guard let second = other.tensor(named: tensor.name) ?? unreadByName[ExactText(tensor.name)]
      else {
        missing.append(tensor.name)
        continue
      }
      pairs.append(try tensor.compared(to: second, parallelism: parallelism))
    }
    let own = Set((tensors + unread).map { ExactText($0.name) })
    let additional = (other.tensors + othersUnread).map(\.name)
      .filter { !own.contains(ExactText($0)) }
    let verdicts = pairs.map(\.verdict)
    let verdict: CheckpointComparison.Verdict =
      !missing.isEmpty || !additional.isEmpty || verdicts.contains(.different)
      ? .different : verdicts.contains(.equivalent) ? .equivalent : .identical
    return CheckpointComparison(
      verdict: verdict, tensors: pairs, missing: missing, additional: additional)
  }
}

extension ModelCheckpoint {
  /// What findings are about, as tensors without values.
  private var unread: [CheckpointTensor] {
    let names = Set(inventory.findings.map { ExactText($0.name) })
    return files.stored.filter { names.contains(ExactText($0.name)) }.map { stored in
      CheckpointTensor(
        name: stored.name, shape: stored.shape, contents: .plain(stored), reason: "")
    }
  }
}

extension CheckpointTensor {
  /// The stored tensors that belong to it.
  var storedParts: [StoredTensor] {
    switch contents {
    case .plain(let stored): [stored]
    case .quantized(let storage): storage.parts + storage.companions
    }
  }

  /// Whether values are read from what is stored.
  var hasValues: Bool {
    switch contents {
    case .plain(let stored): stored.type.floatEncoding != nil
    case .quantized: true
    }
  }

  /// Compares the tensor with one of the same name.
  func compared(
    to other: CheckpointTensor, parallelism: Parallelism
  ) throws(ModelCheckpointError) -> TensorComparison {
    if try storesTheSame(as: other) { return TensorComparison(name: name, .identical) }
    guard shape == other.shape else {
      return TensorComparison(
        name: name, .different, obstacle: "shape \(shape) and \(other.shape)")
    }
    guard hasValues, other.hasValues else {
      let obstacle =
        if case .array = storedParts[0].source {
          "arrays of \(storedParts[0].type) are not compared"
        } else { "other bytes" }
      return TensorComparison(name: name, .different, obstacle: obstacle)
    }
    var tally = DifferenceTally()
    var rest = ValueStream(other, parallelism)
    try forEachPiece(parallelism: parallelism) { (piece, first) throws(ModelCheckpointError) in
      let second = try rest.next(piece.count)
      tally.add(piece, second, from: first)
    }
    return TensorComparison(
      name: name, verdict: tally.count == 0 ? .equivalent : .different, obstacle: nil,
      differingCount: tally.count, firstDifference: tally.first, firstValues: tally.firstValues,
      worstDistance: tally.worst)
  }

  /// Whether both store the same bytes in tensors of the same names, types and shapes, and read them alike.
  private func storesTheSame(as other: CheckpointTensor) throws(ModelCheckpointError) -> Bool {
    let (own, others) = (storedParts, other.storedParts)
    guard quantizedStorage?.rowOrder == other.quantizedStorage?.rowOrder else { return false }
    guard own.count == others.count, isRead(like: other) else { return false }
    for (first, second) in zip(own, others) {
      guard first.rowOrder == second.rowOrder, first.name == second.name, first.type == second.type,
        first.shape == second.shape,
        try first.holdsTheSame(as: second)
      else { return false }
    }
    return true
  }
}

extension CheckpointTensor {
  /// Whether the same bytes would be the same values in both: a configuration may tell them apart.
  private func isRead(like other: CheckpointTensor) -> Bool {
    guard shape == other.shape else { return false }
    switch (quantizedStorage, other.quantizedStorage) {
    case (nil, nil): return true
    case (let own?, let other?):
      return own.format.isSame(as: other.format) && own.dialect == other.dialect
        && own.shape == other.shape && own.codings == other.codings
    default: return false
    }
  }
}

extension QuantizedStorage {
  /// How the codes of each field lie in its part; none for parts that hold all fields.
  fileprivate var codings: [PartCoding] {
    if case .fields(let parts) = contents { parts.map(\.coding) } else { [] }
  }
}

extension StoredTensor {
  /// Whether both have the same bytes.
  fileprivate func holdsTheSame(as other: StoredTensor) throws(ModelCheckpointError) -> Bool {
    guard byteCount == other.byteCount else { return false }
    if case .array = source { return false }
    if case .array = other.source { return false }
    let step = 1 << 22
    for start in stride(from: 0, to: byteCount, by: step) {
      let range = start..<min(start + step, byteCount)
      guard try bytes(in: range) == other.bytes(in: range) else { return false }
    }
    return true
  }
}

extension TensorComparison {
  fileprivate init(
    name: String, _ verdict: CheckpointComparison.Verdict, obstacle: String? = nil
  ) {
    self.init(
      name: name, verdict: verdict, obstacle: obstacle, differingCount: 0, firstDifference: nil,
      firstValues: nil, worstDistance: 0)
  }
}

/// Counts values that differ.
private struct DifferenceTally {
  var count = 0
  var first: Int?
  var firstValues: (Float, Float)?
  var worst = 0.0

  mutating func add(_ own: [Float], _ others: [Float], from position: Int) {
    for (index, (a, b)) in zip(own, others).enumerated() where a != b && !(a.isNaN && b.isNaN) {
      if count == 0 {
        first = position + index
        firstValues = (a, b)
      }
      count += 1
      worst = max(worst, a.isNaN || b.isNaN ? .infinity : abs(Double(a) - Double(b)))
    }
  }
}

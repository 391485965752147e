public import BlockFormats
internal import StrictJSON
internal import UntrustedText

/// A format for each tensor of a checkpoint under which the total error is small within a budget of bits.
public struct BudgetPlan: Sendable {
  /// The tensors with their formats, in the order of the checkpoint.
  public let choices: [Choice]
  /// Stored bits for an element of the tensors chosen for.
  public let bitsPerWeight: Double
  /// The total cost.
  public let cost: Double
  /// What no plan of these formats within the budget can be below.
  public let bound: Double

  /// A tensor with its format.
  public struct Choice: Sendable {
    /// The tensor's name.
    public let name: String
    /// The number of its elements.
    public let elementCount: Int
    /// The format.
    public let format: any BlockFormat
    /// The bytes that it takes.
    public let byteCount: Int
    /// What it costs.
    public let cost: Double
  }

  /// How far the cost may be above the least one, as a share of that; 0 for a plan that is best, infinite
  /// where the bound is 0 and the cost is not.
  public var gap: Double { cost > bound ? (cost - bound) / bound : 0 }
}

/// What errors of tensors cost: version 1 of a file `{"version": 1, "tensors": {NAME: ...}}`.
public struct TensorWeights: Sendable {
  /// What the error of one tensor costs.
  public enum Weight: Sendable {
    /// So much for each squared error.
    case factor(Double)
    /// So much under each format, by its id.
    case costs([String: Double])
  }

  /// The weights by the names of tensors; others have the factor 1.
  public let weights: [String: Weight]

  /// The most bytes that a file may have.
  private static let byteLimit = 64 << 20
  /// The most that a factor or a cost may be, so that no sum of costs leaves the range of numbers.
  private static let costLimit = 1e100

  /// No weights: every squared error costs the same.
  public init() { weights = [:] }

  /// Reads a file.
  ///
  /// - Throws: `.configuration` where it is none.
  public init(path: String) throws(ModelCheckpointError) {
    func failure(_ reason: String) -> ModelCheckpointError {
      .configuration(path: path, reason: reason)
    }
    func number(_ value: JSONValue, _ name: String) throws(ModelCheckpointError) -> Double {
      guard let number = value.double, (0...Self.costLimit).contains(number) else {
        throw failure(
          "'\(printable(name))' has \(value.kind) that is no number from 0 to \(Self.costLimit)")
      }
      return number
    }
    let json = try ModelConfiguration.json(at: path, limit: Self.byteLimit)
    guard json["version"]?.integer == 1 else { throw failure("'version' is not 1") }
    guard let tensors = json["tensors"]?.members else { throw failure("has no object 'tensors'") }
    var weights: [String: Weight] = [:]
    for member in tensors {
      if let costs = member.value.members {
        var byFormat: [String: Double] = [:]
        for cost in costs { byFormat[cost.key] = try number(cost.value, member.key) }
        weights[member.key] = .costs(byFormat)
      } else {
        weights[member.key] = .factor(try number(member.value, member.key))
      }
    }
    self.weights = weights
  }
}

extension ModelCheckpoint {
  /// Finds formats whose total error is small within a budget.
  ///
  /// The tensors are those that are quantized by default and whose rows are whole blocks of a format.
  /// Every format is tried on every tensor, under its default policy.
  ///
  /// - Parameters:
  ///   - formats: the formats to choose from.
  ///   - bitsPerWeight: stored bits for an element, over the tensors chosen for.
  ///   - weights: what errors cost; each squared error the same by default.
  ///   - progress: is told of every tensor.
  /// - Throws: `.request` where the budget is below what the formats need, or no tensor is left;
  ///   `.configuration` from weights that name a tensor which is not there, or lack a format.
  public func budgetPlan(
    formats: [any BlockFormat], bitsPerWeight: Double, weights: TensorWeights = TensorWeights(),
    parallelism: Parallelism = .allCores, progress: (WritingProgress) -> Void = { _ in }
  ) throws(ModelCheckpointError) -> BudgetPlan {
    try requireComplete()
    if let stranger = weights.weights.keys.sorted().first(where: { tensor(named: $0) == nil }) {
      throw .request(
        path: path, reason: "weights name tensor '\(printable(stranger))', which is not there")
    }
    let chosen = tensors.filter { $0.isQuantizedByDefault && $0.hasValues && $0.elementCount > 0 }
    let total = chosen.reduce(0) { $0 + $1.byteCount }
    var (items, names): ([[BudgetSolver.Option]], [(CheckpointTensor, [any BlockFormat])]) = (
      [], []
    )
    var done = 0
    for tensor in chosen {
      progress(
        WritingProgress(doneByteCount: done, totalByteCount: total, tensor: tensor.name))
      let fitting = formats.filter { $0.fits(rows: tensor.shape.last ?? 0) }
      guard !fitting.isEmpty else { continue }
      let errors = try tensor.squaredErrors(fitting, parallelism)
      var options: [BudgetSolver.Option] = []
      for (format, error) in zip(fitting, errors) {
        options.append(
          BudgetSolver.Option(
            byteCount: StorageLayout(of: format.layout, shape: tensor.shape).byteCount,
            cost: try weights.cost(of: error, tensor.name, format, path)))
      }
      items.append(options)
      names.append((tensor, fitting))
      done += tensor.byteCount
    }
    guard !items.isEmpty else {
      throw .request(path: path, reason: "no tensor is left to choose a format for")
    }
    let elements = names.reduce(0) { $0 + $1.0.elementCount }
    let budget = bitsPerWeight * Double(elements) / 8
    guard budget >= 0, let solved = BudgetSolver(items, budget: Int(min(budget, 0x1p62))) else {
      let least = items.reduce(0) { $0 + ($1.map(\.byteCount).min() ?? 0) }
      throw .request(
        path: path,
        reason: "\(bitsPerWeight) bits a weight are below the "
          + "\(8 * Double(least) / Double(elements)) that the smallest formats take")
    }
    let choices = solved.choices.enumerated().map { index, choice in
      let (tensor, fitting) = names[index]
      return BudgetPlan.Choice(
        name: tensor.name, elementCount: tensor.elementCount, format: fitting[choice],
        byteCount: items[index][choice].byteCount, cost: items[index][choice].cost)
    }
    return BudgetPlan(
      choices: choices, bitsPerWeight: 8 * Double(solved.byteCount) / Double(elements),
      cost: solved.cost, bound: solved.bound)
  }
}

extension BudgetPlan {
  /// The plan as the text of a file that `fmtbench quantize --plan` takes.
  public var text: String {
    PlanFile.text(
      choices.map { (name: $0.name, format: $0.format.id) }, bitsPerWeight: bitsPerWeight)
  }
}

extension BlockFormat {
  /// Whether rows are whole blocks, as dialects want them.
  fileprivate func fits(rows length: Int) -> Bool {
    guard case .vector(let block) = layout.block else { return length > 0 }
    return length > 0 && length % block == 0
  }
}

extension TensorWeights {
  fileprivate func cost(
    of error: Double, _ name: String, _ format: any BlockFormat, _ path: String
  ) throws(ModelCheckpointError) -> Double {
    switch weights[name] {
    case nil: return error
    case .factor(let factor): return factor * error
    case .costs(let costs):
      guard let cost = costs[format.id] else {
        throw .request(
          path: path,
          reason: "the weights of '\(printable(name))' have no cost under \(format.id)")
      }
      return cost
    }
  }
}

extension CheckpointTensor {
  /// The sum of squared errors under each format, over finite values.
  func squaredErrors(
    _ formats: [any BlockFormat], _ parallelism: Parallelism
  ) throws(ModelCheckpointError) -> [Double] {
    var statistics: ValueStatistics?
    if formats.contains(where: PieceQuantizer.needsStatistics) {
      var sum = ValueStatistics()
      try forEachPiece(parallelism: parallelism) { (values, _) in
        sum.merge(
          values.withUnsafeBufferPointer { ValueStatistics($0, parallelism: parallelism) })
      }
      statistics = sum
    }
    let pieces = TensorPieces(
      shape: shape, axis: -1, formats: formats.map { ($0, $0.defaultPolicy) },
      limit: Self.pieceLimit)
    var quantizers = formats.map {
      PieceQuantizer(
        format: $0, policy: $0.defaultPolicy, pieces: pieces, statistics: statistics,
        parallelism: parallelism)
    }
    var errors = [Double](repeating: 0, count: formats.count)
    var source = ValueStream(self, parallelism)
    for piece in pieces.ranges {
      let values = try source.next(piece.count)
      var decoded = [Float](repeating: 0, count: values.count)
      for index in formats.indices {
        values.withUnsafeBytes { original in
          decoded.withUnsafeMutableBytes {
            quantizers[index].reconstruct(original, of: piece, into: $0)
          }
        }
        errors[index] += squaredDistance(values, decoded)
      }
    }
    return errors
  }
}

/// The sum of squared differences, of finite ones.
private func squaredDistance(_ a: [Float], _ b: [Float]) -> Double {
  var sum = 0.0
  for index in a.indices {
    let difference = Double(a[index]) - Double(b[index])
    if difference.isFinite { sum += difference * difference }
  }
  return sum
}

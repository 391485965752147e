import CallerChecks
import StrictJSON
public import TensorFiles

/// What a training run measured, row by row.
///
/// Numbers are written with the fewest digits that give the same bits back, so that a curve that was
/// written and read is equal to the one in memory. (Only the payload of a NaN is lost.)
public struct LossCurve: Hashable, Sendable {
  /// The measurements of one step.
  public struct Row: Hashable, Sendable {
    /// The number of the step, from 0.
    public var step: Int
    /// The loss of the step's batch before its update, in nats.
    public var trainingLoss: Double
    /// The validation loss after the update, in nats, or nil at steps that do not measure it.
    public var validationLoss: Double?
    /// The learning rate of the update.
    public var learningRate: Double
    /// The norm of all gradients together, before clipping.
    public var gradientNorm: Double
    /// The speed since the row before.
    public var tokensPerSecond: Double

    /// Gathers a row.
    public init(
      step: Int, trainingLoss: Double, validationLoss: Double? = nil, learningRate: Double,
      gradientNorm: Double, tokensPerSecond: Double
    ) {
      self.step = step
      self.trainingLoss = trainingLoss
      self.validationLoss = validationLoss
      self.learningRate = learningRate
      self.gradientNorm = gradientNorm
      self.tokensPerSecond = tokensPerSecond
    }
  }

  /// The rows in ascending order of their steps.
  public private(set) var rows: [Row] = []

  /// Starts without rows.
  public init() {}

  /// Adds a row.
  ///
  /// - Precondition: Its step is not negative and above the last row's.
  public mutating func append(_ row: Row) {
    require(row.step > rows.last?.step ?? -1, "step \(row.step) after \(rows.last?.step ?? -1)")
    rows.append(row)
  }

  /// Drops all rows from a step on, which a run resumed there will measure again.
  public mutating func removeRows(from step: Int) {
    rows.removeAll { $0.step >= step }
  }

  /// The curve as comma-separated values with a heading; no validation loss is an empty field.
  public var csv: String {
    let lines =
      [Self.keys.joined(separator: ",")]
      + rows.map { row in
        ([String(row.step)] + row.values.map { $0.map(Self.text) ?? "" }).joined(separator: ",")
      }
    return lines.map { $0 + "\n" }.joined()
  }

  /// The curve as a JSON array of objects with the CSV's keys, one a line.
  ///
  /// Numbers that are not finite are the texts `NaN`, `Infinity` and `-Infinity`; no validation loss
  /// is `null`.
  public var json: String {
    let objects = rows.map { row in
      let values = [JSONValue(row.step)] + row.values.map { $0.map(JSONValue.init) ?? .null }
      return JSONValue.object(zip(Self.keys, values).map(JSONValue.Member.init))
    }
    return JSONValue.array(objects).text(.indented(levels: 1), escaping: .controls) + "\n"
  }

  /// Writes the CSV to a file that appears complete or not at all.
  public func writeCSV(to path: String) throws(TensorFileError) {
    try AtomicFileWriter.write(csv, to: path)
  }

  /// Writes the JSON to a file that appears complete or not at all.
  public func writeJSON(to path: String) throws(TensorFileError) {
    try AtomicFileWriter.write(json, to: path)
  }

  /// The columns of the CSV and the keys of the JSON.
  static let keys = [
    "step", "training_loss", "validation_loss", "learning_rate", "gradient_norm",
    "tokens_per_second",
  ]

  private static func text(_ value: Double) -> String {
    JSONValue.nonFiniteName(value) ?? value.description
  }
}

extension LossCurve.Row {
  /// All but the step, in the order of the columns.
  var values: [Double?] {
    [trainingLoss, validationLoss, learningRate, gradientNorm, tokensPerSecond]
  }
}

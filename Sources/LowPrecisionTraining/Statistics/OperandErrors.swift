public import FormatMetrics
public import TrainingRecipes

/// How well the operands of a step were represented: a row for each use of each tensor.
///
/// Errors are of what encoders got: rotated and scaled, where the recipe does that.
public struct OperandErrors: Sendable {
  /// One use of one tensor.
  public struct Row: Sendable {
    /// The step.
    public let step: Int
    /// The layer's name.
    public let layer: String
    /// The operand.
    public let tensor: TensorRole
    /// The product that read it.
    public let product: ProductRole
    /// The id of its format.
    public let format: String
    /// The errors, with the number of values that saturated.
    public let errors: ErrorStatistics
  }

  /// In the order of use.
  public private(set) var rows: [Row] = []

  /// Starts without rows.
  public init() {}

  mutating func append(_ row: Row) { rows.append(row) }

  /// The columns of the CSV.
  public static let heading =
    "step,layer,tensor,product,format,count,qsnr_db,gain,max_absolute_error,"
    + "underflow_percent,saturation_percent\n"

  /// The rows as comma-separated values without a heading.
  ///
  /// Names of layers and formats that hold a comma are in quotation marks.
  public var csv: String {
    rows.map { row in
      let errors = row.errors
      let texts =
        [
          "\(row.step)", Self.field(row.layer), row.tensor.rawValue, row.product.rawValue,
          Self.field(row.format), "\(errors.count)",
        ]
        + [
          errors.qsnr, errors.gain, errors.maxAbsoluteError, errors.underflowPercent,
          errors.saturationPercent,
        ].map { "\($0)" }
      return texts.joined(separator: ",") + "\n"
    }.joined()
  }

  private static func field(_ text: String) -> String {
    text.contains { ",\"".contains($0) } ? "\"\(text.replacing("\"", with: "\"\""))\"" : text
  }
}

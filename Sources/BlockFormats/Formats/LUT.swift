/// Blocks of a table of the user's own values: AF4, SF4, any4, IQ4_NL's grid under another scale, and so on.
///
/// With FP32 scales, the largest magnitude of each block meets that of the table (`AbsmaxFormat`). Other
/// scale formats give `SharedExponentFormat` and `TwoLevelFormat` with the table as element: as for all
/// their elements, scales follow from the largest value, so a table should not reach further below zero
/// than above.
///
/// Values may come in any order and number of 2...256; see `ElementFormat.table(_:)`.
extension BlockFormat where Self == AbsmaxFormat {
  /// A table with an FP32 scale for each block.
  ///
  /// - Parameters:
  ///   - values: the value of each code; the largest magnitude within
  ///     `AbsmaxFormat.greatestMagnitudes`, else as for `ElementFormat.table(_:)`.
  ///   - block: the elements that share a scale.
  public static func lut(values: [Float], block: BlockShape) -> Self {
    AbsmaxFormat(
      id: FormatFamily.lutID(values, block, scale: .fp32), source: "a table of the user's own",
      element: .table(values), block: block)
  }
}

extension FormatFamily {
  fileprivate static func lutID(
    _ values: [Float], _ block: BlockShape, scale: ElementFormat
  ) -> String {
    "lut(values=\(ElementFormat.valuesText(values)),block=\(block.id)"
      + (scale == .fp32 ? ")" : ",scale=\(scale))")
  }

  static let lut: [FormatFamily] = [
    FormatFamily("lut", parameters: ["values", "block", "scale=fp32"], role: .parametrised) {
      arguments throws(FormatNameError) in
      let values = try arguments.tableValues()
      let block = try arguments.blockShape()
      let scale = try arguments.element("scale", default: .fp32)
      guard scale == .fp32 else {
        return try composed(
          .table(values), block, scale, hasTensorScale: false,
          id: lutID(values, block, scale: scale), source: "a table of the user's own")
      }
      let greatest = values.map(\.magnitude).max() ?? 0
      guard AbsmaxFormat.greatestMagnitudes.contains(Double(greatest)) else {
        throw .badValue(
          "\(greatest)", of: "the largest magnitude of values", expected: "one in 2^-64...2^64")
      }
      return AbsmaxFormat.lut(values: values, block: block)
    }
  ]
}

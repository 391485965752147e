extension CastFormat: ExplainedFormat {
  /// The formulas of the definition, with this format's numbers.
  public var steps: [String] { ["code    = \(element.name) of x, rounded", "decoded = q"] }

  /// The value itself.
  public func scaledValue(at position: Int, in block: ExplainedBlock) -> Double {
    Double(block.values[position])
  }
}

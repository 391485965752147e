extension FormatArguments {
  /// An element format; the default where none is given.
  public func element(
    _ key: String, default fallback: ElementFormat? = nil
  ) throws(FormatNameError) -> ElementFormat {
    guard let text = values[key] else {
      guard let fallback else { throw .missingParameter(key, of: name) }
      return fallback
    }
    return try ElementFormat(parsing: text)
  }

  /// The block length, the parameter that most families share.
  public func block(default fallback: Int) throws(FormatNameError) -> Int {
    try integer("block", default: fallback, in: BlockShape.extents)
  }

  /// A block of any shape.
  public func blockShape(
    default fallback: BlockShape? = nil
  ) throws(FormatNameError) -> BlockShape {
    guard let text = values["block"] else {
      guard let fallback else { throw .missingParameter("block", of: name) }
      return fallback
    }
    guard let shape = BlockShape(id: text) else {
      throw .badValue(
        text, of: "block", expected: "a length, runLENGTH, ROWSxCOLUMNS, row or tensor")
    }
    return shape
  }
}

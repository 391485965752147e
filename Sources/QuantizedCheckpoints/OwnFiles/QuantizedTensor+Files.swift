public import BlockFormats

extension QuantizedTensor {
  /// Writes the tensor to a safetensors file in this library's own layout, which every format has.
  ///
  /// The file appears complete or not at all. It holds a tensor for each field of the format, in as many
  /// bits as the format has, and metadata that names format, shape, axis and choices; `fmtbench encode`
  /// writes the same.
  ///
  /// - Parameter path: the file to create or replace.
  /// - Throws: `.file` with the reason; an existing file is then as it was.
  public func write(to path: String) throws(ModelCheckpointError) {
    try QuantizedTensorFile.write(self, .packed, to: path)
  }

  /// Reads a tensor that `write(to:)` or `fmtbench encode` wrote.
  ///
  /// Everything that the file says of itself is checked. Formats are looked up in the current catalog.
  ///
  /// - Throws: `.file` where it is no safetensors file, `.configuration` where it holds anything else.
  public init(contentsOf path: String) throws(ModelCheckpointError) {
    self = try QuantizedTensorReader(path: path).tensor()
  }
}

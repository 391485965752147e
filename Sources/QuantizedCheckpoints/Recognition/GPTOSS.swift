internal import BlockFormats
internal import TensorFiles

extension Recognition {
  /// gpt-oss: `X_blocks` of sixteen bytes each beside `X_scales`, one of each for 32 elements.
  ///
  /// OpenAI's own files have a point where transformers' have the line. What transformers makes of them has
  /// the last two axes exchanged, since its experts multiply from the other side.
  mutating func readGPTOSS() throws(ModelCheckpointError) {
    for codes in rest where codes.type == .plain(.u8) {
      for separator in ["_", "."] where codes.name.hasSuffix(separator + "blocks") {
        let name = String(codes.name.dropLast((separator + "blocks").count))
        guard let scales = stored(name + separator + "scales") else {
          note(.incomplete, codes, "MXFP4 blocks without '\(name)\(separator)scales'")
          break
        }
        guard codes.shape.count >= 3, codes.shape.last == 16,
          Array(codes.shape.dropLast()) == scales.shape, scales.type == .plain(.u8)
        else {
          throw .tensor(
            path: scales.path, name: scales.name,
            reason: "\(scales.type) of shape \(scales.shape) beside blocks of shape \(codes.shape)")
        }
        let shape = Self.widened(Array(codes.shape.dropLast()), by: 32)
        try take(
          name, .gptOSS, SharedExponentFormat.mxfp4, shape: shape,
          [StoredPart(codes, .plane), StoredPart(scales, .plane)],
          orientation: shape.count == 3 && separator == "_" ? .lastAxesExchanged : .stored,
          because: "'blocks' of 16 bytes beside 'scales'")
        break
      }
    }
  }
}

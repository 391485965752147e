internal import BlockFormats
internal import TensorFiles
internal import UntrustedText

extension Recognition {
  /// Files that `QuantizedTensor.write(to:)` wrote: the metadata names format, shape and axis.
  ///
  /// The tensor has no name of its own and gets that of its file.
  mutating func readOwnFiles() throws(ModelCheckpointError) {
    for path in files.filePaths {
      guard QuantizedTensorFile.isAuthor(of: files.metadata(of: path)),
        let file = files.safetensors(at: path)
      else { continue }
      let tensor = try QuantizedTensorReader(file).tensor()
      let own = files.stored.filter { $0.path == path }
      let name = String(
        (path.split(separator: "/").last ?? "tensor").split(separator: ".").first ?? "tensor")
      take(
        name,
        QuantizedStorage(
          format: tensor.format, dialect: .blockFormats, shape: tensor.shape, orientation: .stored,
          companions: [], contents: .whole(tensor, own)),
        because: "metadata names \(printable(tensor.format.id)) and 'producer' fmtbench")
    }
  }
}

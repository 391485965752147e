/// Writes safetensors files in the layout of the reference implementation.
///
/// Tensors are laid out by dtype, widest of the reference order first, then by the bytes of their
/// names; the header is compact JSON, padded with spaces to a multiple of eight bytes. The same
/// tensors and metadata therefore always give the same file. Metadata keys are sorted, which the
/// reference leaves to chance.
public enum SafetensorsWriter {
  /// Writes tensors and metadata to a file that appears complete or not at all.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in any order. There may be none.
  ///   - metadata: Text for the header's `__metadata__`, which is left out if this is empty.
  ///   - path: The file to create or replace.
  /// - Precondition: The names of the tensors differ.
  /// - Throws: What `AtomicFileWriter` throws, or `.headerTooLong` if readers would refuse the
  ///   header. An existing file is then as it was.
  public static func write(
    _ tensors: [TensorData], metadata: [String: String] = [:], to path: String
  ) throws(TensorFileError) {
    let layout = SafetensorsLayout(tensors.map(TensorDescription.init), metadata)
    let start = try layout.start(of: path)
    var writer = try AtomicFileWriter(path: path)
    try writer.write(start)
    for index in layout.order { try writer.write(tensors[index].bytes) }
    try writer.commit()
  }
}

import CommandLineToolkit
import TensorFiles

extension CommandError {
  /// Refuses to write over what is read, however the two are spelled.
  ///
  /// Every command that writes a file asks here before it reads.
  ///
  /// - Parameters:
  ///   - output: the path to be written.
  ///   - option: what named it.
  ///   - inputs: the paths that are read.
  static func refuseOverwriting(
    _ output: String, of option: String, inputs: [String]
  ) throws(CommandError) {
    for input in inputs where isSameFile(output: output, input: input) {
      throw .usage(
        output == input
          ? "\(option) \(output) is the input itself, which would be lost"
          : "\(option) \(output) is the same file as the input \(input), which would be lost")
    }
  }
}

/// A format of files that hold tensors, and an open file of it.
///
/// A format is one file that conforms to this protocol and one line in `TensorFile.formats`.
package protocol TensorFileFormat: Sendable {
  /// What stands between "a" and "file" in sentences.
  static var name: String { get }
  /// The ending of names that are of this format whatever their file holds, with its point.
  static var nameEnding: String { get }
  /// How a file of another name is recognised.
  static var signature: FileSignature { get }

  /// Checks an open file.
  init(_ file: InputFile, options: TensorFileOptions) throws(TensorFileError)

  /// The path the file was opened by.
  var path: String { get }
  /// The tensors in the order of their bytes.
  var tensors: [TensorInfo] { get }
  /// Whether names come from the file; `array` is the name of a tensor that has none.
  var hasNames: Bool { get }
  /// Free-form text of the file, by its keys.
  var metadata: [String: String] { get }
  /// Whether a part of a tensor is read without the rest.
  func readsParts(of tensor: TensorInfo) -> Bool

  /// Elements of a tensor as `Float`, counted row-major.
  func floats(
    of tensor: TensorInfo, in elements: Range<Int>
  ) throws(TensorFileError) -> [Float]
}

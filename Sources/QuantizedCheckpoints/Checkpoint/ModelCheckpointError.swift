public import TensorFiles
internal import UntrustedText

/// Why a checkpoint could not be read, written or converted.
///
/// `description` is a single line that names the file, the tensor where there is one, and the cause.
public enum ModelCheckpointError: Error, Equatable, Sendable {
  /// A file could not be read or written.
  case file(TensorFileError)
  /// A folder or an index beside the tensors is not what it should be.
  case folder(path: String, reason: String)
  /// A configuration beside the tensors is not what it should be.
  case configuration(path: String, reason: String)
  /// A tensor is not what its name, its dialect or the configuration says.
  case tensor(path: String, name: String, reason: String)
  /// What was asked for is not possible with this checkpoint.
  case request(path: String, reason: String)
}

extension ModelCheckpointError: CustomStringConvertible {
  /// One line.
  ///
  /// Control and formatting characters of names are escaped, and long names shortened.
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .folder(let path, let reason), .configuration(let path, let reason),
      .request(let path, let reason):
      "\(printable(path, limit: nil)): \(printable(reason, limit: 600))"
    case .tensor(let path, let name, let reason):
      "\(printable(path, limit: nil)): tensor '\(printable(name))': \(printable(reason, limit: 600))"
    }
  }

  /// Runs `body`, whose failure is one of a file.
  static func ofFiles<Result: ~Copyable>(
    _ body: () throws(TensorFileError) -> Result
  ) throws(ModelCheckpointError) -> Result {
    do {
      return try body()
    } catch {
      throw .file(error)
    }
  }
}

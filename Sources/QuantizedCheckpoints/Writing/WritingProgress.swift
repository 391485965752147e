/// How far the writing of a checkpoint has come.
public struct WritingProgress: Hashable, Sendable {
  /// The bytes of source tensors that are done.
  public let doneByteCount: Int
  /// The bytes of all source tensors.
  public let totalByteCount: Int
  /// The name of the tensor at work; nil at the end.
  public let tensor: String?
}

/// The element types that a caller has a use for, which an error about any other lists.
public enum ElementSelection: Sendable {
  /// All that are supported.
  case any
  /// Those that are read as `Float`.
  case floats
}

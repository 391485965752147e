/// How a scan's states are rounded between its chunks.
///
/// A state is carried from chunk to chunk in a narrow format and in FP32 inside one. Gradients pass
/// through the rounding as if it were not there.
public struct StateNarrowing: Sendable {
  /// Rounds states in place.
  ///
  /// - Parameters:
  ///   - states: rows without gaps between them.
  ///   - rowCount: the number of rows.
  ///   - columnCount: the numbers of a row.
  ///   - firstIndex: the number of the first of them among all states of a pass. What recipes make of
  ///     states does not depend on it, as they allow no random bits there.
  public let apply:
    @Sendable (
      _ states: UnsafeMutablePointer<Float>, _ rowCount: Int, _ columnCount: Int,
      _ firstIndex: Int
    ) -> Void

  /// Creates a rounding; `apply` is called from several threads, for different rows.
  public init(
    apply:
      @escaping @Sendable (
        _ states: UnsafeMutablePointer<Float>, _ rowCount: Int, _ columnCount: Int,
        _ firstIndex: Int
      ) -> Void
  ) {
    self.apply = apply
  }
}

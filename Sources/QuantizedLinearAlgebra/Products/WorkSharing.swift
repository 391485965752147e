import BlockFormats
import NumericSupport

extension Parallelism {
  /// Runs `body` for every item, each once, beginning in order, on as many workers as there are
  /// threads and items.
  ///
  /// - Parameter body: takes the number of its worker, whose memory it may use, and an item.
  package func share(_ itemCount: Int, _ body: @Sendable (_ worker: Int, _ item: Int) -> Void) {
    Threads.share(itemCount, among: workerCount(forItems: itemCount), body)
  }

  /// Runs `body` for every item as `share(_:_:)` does, with a state for each worker.
  ///
  /// - Parameters:
  ///   - itemCount: the number of items.
  ///   - states: different ones, at least `workerCount(forItems:)` of them.
  ///   - body: takes the state of its worker, which no other worker has, and an item.
  package func share<State>(
    _ itemCount: Int, among states: [State], _ body: @Sendable (State, _ item: Int) -> Void
  ) {
    // Each element is read by the one thread that is its worker.
    nonisolated(unsafe) let states = states
    share(itemCount) { worker, item in body(states[worker], item) }
  }

  /// How many workers share `itemCount` items.
  package func workerCount(forItems itemCount: Int) -> Int { max(1, min(threadCount, itemCount)) }
}

import BlockFormats
import NumericSupport

extension Parallelism {
  /// Runs `body` for every item, each once, in order of begin, on as many workers as there are
  /// threads and items.
  ///
  /// - Parameter body: takes the number of its worker, whose memory it may use, and an item.
  package func share(_ itemCount: Int, _ body: @Sendable (_ worker: Int, _ item: Int) -> Void) {
    Threads.share(itemCount, among: workerCount(forItems: itemCount), body)
  }

  /// How many workers share so many items.
  package func workerCount(forItems itemCount: Int) -> Int { max(1, min(threadCount, itemCount)) }
}

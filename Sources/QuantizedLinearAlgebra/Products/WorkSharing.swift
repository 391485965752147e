import BlockFormats
import Dispatch
import Synchronization

extension Parallelism {
  /// Runs `body` for every item, each once, in order of begin, on as many workers as there are
  /// threads and items.
  ///
  /// - Parameter body: takes the number of its worker, whose memory it may use, and an item.
  package func share(_ itemCount: Int, _ body: @Sendable (_ worker: Int, _ item: Int) -> Void) {
    let workers = workerCount(forItems: itemCount)
    if workers <= 1 {
      for item in 0..<itemCount { body(0, item) }
      return
    }
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: workers) { worker in
      while true {
        let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard item < itemCount else { return }
        body(worker, item)
      }
    }
  }

  /// How many workers share so many items.
  package func workerCount(forItems itemCount: Int) -> Int { max(1, min(threadCount, itemCount)) }
}

import Dispatch
import Synchronization

/// Work on several threads at once; how many is the caller's decision.
///
/// All functions return when the work is done. Work for one part or worker runs on the calling thread.
package enum Threads {
  /// Parts of a result, each computed from a range of items, in the order of the ranges.
  ///
  /// - Parameters:
  ///   - count: the number of items.
  ///   - parts: how many ranges of nearly equal lengths the items are cut into, at least one.
  ///   - body: computes the part of a range.
  @inlinable
  package static func map<Part: Sendable>(
    count: Int, parts: Int, _ body: @Sendable (Range<Int>) -> Part
  ) -> [Part] {
    [Part](unsafeUninitializedCapacity: parts) { buffer, initializedCount in
      // Safe to share: every part has its own element, and all end before this closure does.
      nonisolated(unsafe) let slots = buffer
      perform(parts) { part in
        slots.initializeElement(at: part, to: body(range(part, of: parts, count: count)))
      }
      initializedCount = parts
    }
  }

  /// An array whose elements `body` initializes.
  ///
  /// - Parameters:
  ///   - count: the number of elements.
  ///   - parts: how many ranges of nearly equal lengths the elements are cut into, at least one.
  ///   - body: initializes the elements of a range in the buffer, which holds all `count`.
  @inlinable
  package static func fill<Element>(
    count: Int, parts: Int,
    _ body: @Sendable (Range<Int>, UnsafeMutableBufferPointer<Element>) -> Void
  ) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      // Safe to share: the parts write disjoint ranges, and all end before this closure does.
      nonisolated(unsafe) let whole = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      perform(parts) { part in
        body(range(part, of: parts, count: count), whole)
      }
      initializedCount = count
    }
  }

  /// Runs `body` for every item, each once, in order of begin.
  ///
  /// - Parameters:
  ///   - itemCount: the number of items.
  ///   - workers: how many threads take the next item as soon as they are free.
  ///   - body: takes the number of its worker, whose memory it may use, and an item.
  package static func share(
    _ itemCount: Int, among workers: Int, _ body: @Sendable (_ worker: Int, _ item: Int) -> Void
  ) {
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

  @usableFromInline
  static func range(_ part: Int, of parts: Int, count: Int) -> Range<Int> {
    count * part / parts..<count * (part + 1) / parts
  }

  /// Runs `body` for every part, at once where there are several.
  @usableFromInline
  static func perform(_ parts: Int, _ body: @Sendable (Int) -> Void) {
    if parts == 1 {
      body(0)
    } else {
      DispatchQueue.concurrentPerform(iterations: parts, execute: body)
    }
  }
}

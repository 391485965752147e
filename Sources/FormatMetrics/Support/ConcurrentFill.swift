import Dispatch
import Foundation

/// Returns an array whose elements are written by `fill`, in parallel over contiguous index ranges.
///
/// The ranges depend on the thread count, so `fill` must make each element a function of its index
/// alone; then the array does not depend on the thread count either.
///
/// - Parameters:
///   - count: The number of elements, at least 0.
///   - maxThreads: The most threads to use, at least 1; `nil` is one per active processor.
///   - grain: The fewest elements worth a thread, at least 1.
///   - fill: Initializes the elements of the range in the buffer, which holds all `count` elements.
func concurrentFill<Element>(
  count: Int, maxThreads: Int?, grain: Int,
  _ fill: @Sendable (Range<Int>, UnsafeMutableBufferPointer<Element>) -> Void
) -> [Element] {
  let limit = maxThreads ?? ProcessInfo.processInfo.activeProcessorCount
  precondition(limit >= 1, "the number of threads is \(limit), it must be at least 1")
  let threads = max(1, min(limit, count / grain))
  return [Element](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    // Safe to share: the threads write disjoint ranges, and all end before this closure does.
    nonisolated(unsafe) let whole = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
    if threads == 1 {
      fill(0..<count, whole)
    } else {
      let (share, rest) = count.quotientAndRemainder(dividingBy: threads)
      DispatchQueue.concurrentPerform(iterations: threads) { thread in
        let lower = thread * share + min(thread, rest)
        fill(lower..<(lower + share + (thread < rest ? 1 : 0)), whole)
      }
    }
    initializedCount = count
  }
}

import CallerChecks
import Foundation
import NumericSupport

/// How many threads may work on a tensor; never changes a result.
public enum Parallelism: Hashable, Sendable {
  /// As many as the machine had active cores when that was first asked for.
  case allCores
  /// A number of threads of at least one.
  case threads(Int)

  /// The number of threads.
  public var threadCount: Int {
    switch self {
    case .allCores: return Self.coreCount
    case .threads(let count):
      requireThreads()
      return count
    }
  }

  /// Counted once: on Linux counting opens files of control groups, which short calls feel.
  private static let coreCount = max(1, ProcessInfo.processInfo.activeProcessorCount)

  private func requireThreads() {
    guard case .threads(let count) = self else { return }
    require(count >= 1, "\(count) threads cannot work")
  }

  /// Parts of a result, each computed from a range of items, in the order of the ranges.
  ///
  /// The ranges depend on the number of threads, so only a reduction that does not depend on how
  /// items are grouped may follow.
  ///
  /// - Parameters:
  ///   - count: the number of items.
  ///   - grain: the fewest items worth a thread.
  ///   - body: computes the part of a range.
  package func map<Part: Sendable>(
    count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Part
  ) -> [Part] {
    guard count > 0 else { return [] }
    return Threads.map(count: count, parts: partCount(count: count, grain: grain), body)
  }

  /// How many parts `map` cuts items into.
  package func partCount(count: Int, grain: Int) -> Int {
    requireThreads()
    let worthwhile = count / max(grain, 1)
    // The number of cores is a question to the system, which short calls need not ask.
    guard worthwhile > 1 else { return 1 }
    // Several parts for each thread even out parts of unequal cost.
    let threads = threadCount
    return min(threads == 1 ? 1 : threads * 4, worthwhile)
  }

  /// An array whose elements `body` initializes, in parallel over ranges of indices.
  ///
  /// `body` must make each element a function of its index alone.
  ///
  /// - Parameters:
  ///   - count: the number of elements.
  ///   - grain: the fewest elements worth a thread.
  ///   - body: initializes the elements of a range in the buffer, which holds all `count`.
  package func fill<Element>(
    count: Int, grain: Int,
    _ body: @Sendable (Range<Int>, UnsafeMutableBufferPointer<Element>) -> Void
  ) -> [Element] {
    let parts = max(1, min(threadCount, count / max(grain, 1)))
    return Threads.fill(count: count, parts: parts, body)
  }
}

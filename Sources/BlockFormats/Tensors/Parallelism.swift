import Dispatch
import Foundation

/// How many threads may work on a tensor; never changes a result.
public enum Parallelism: Hashable, Sendable {
  /// As many as the machine has active cores.
  case allCores
  /// A number of threads of at least one.
  case threads(Int)

  /// The number of threads.
  public var threadCount: Int {
    switch self {
    case .allCores: return max(1, ProcessInfo.processInfo.activeProcessorCount)
    case .threads(let count):
      precondition(count >= 1, "\(count) threads cannot work")
      return count
    }
  }

  /// Calls `body` with consecutive ranges that cover 0..<count, on several threads if that pays.
  ///
  /// - Parameters:
  ///   - count: the number of items.
  ///   - grain: the fewest items worth a thread.
  ///   - body: works on a range and returns its part of the result.
  /// - Returns: the parts, in the order of their ranges.
  func map<Part: Sendable>(
    count: Int, grain: Int, _ body: @Sendable (Range<Int>) -> Part
  ) -> [Part] {
    guard count > 0 else { return [] }
    let parts = max(1, min(threadCount * 4, count / max(grain, 1)))
    guard parts > 1, threadCount > 1 else { return [body(0..<count)] }
    return [Part](unsafeUninitializedCapacity: parts) { buffer, initialized in
      nonisolated(unsafe) let slots = buffer
      DispatchQueue.concurrentPerform(iterations: parts) { part in
        let range = count * part / parts..<count * (part + 1) / parts
        (slots.baseAddress.unsafelyUnwrapped + part).initialize(to: body(range))
      }
      initialized = parts
    }
  }
}

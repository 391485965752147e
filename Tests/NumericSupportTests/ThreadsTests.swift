import NumericSupport
import Synchronization
import Testing

@Suite("Threads")
struct ThreadsTests {
  @Test("Parts are ranges that follow each other over all items, whatever their number")
  func map() {
    for count in [1, 2, 7, 64, 1000] {
      for parts in [1, 2, 3, 8, count] {
        let ranges = Threads.map(count: count, parts: parts) { $0 }
        #expect(ranges.count == parts)
        #expect(ranges.flatMap { Array($0) } == Array(0..<count))
        let lengths = ranges.map(\.count)
        #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) <= 1)
      }
    }
  }

  @Test("Every element of a filled array is the function of its index")
  func fill() {
    for count in [0, 1, 5, 1000] {
      for parts in [1, 3, 8] {
        let squares = Threads.fill(count: count, parts: parts) {
          (range: Range<Int>, values: UnsafeMutableBufferPointer<Int>) in
          #expect(values.count == count)
          for i in range { values.initializeElement(at: i, to: i * i) }
        }
        #expect(squares == (0..<count).map { $0 * $0 })
      }
    }
  }

  @Test("Workers share items so that each is taken once")
  func share() {
    for workers in [1, 2, 5] {
      for count in [0, 1, 3, 1000] {
        let taken = Mutex([Int](repeating: 0, count: count))
        Threads.share(count, among: workers) { worker, item in
          #expect((0..<workers).contains(worker))
          taken.withLock { $0[item] += 1 }
        }
        #expect(taken.withLock { $0 } == [Int](repeating: 1, count: count))
      }
    }
  }
}

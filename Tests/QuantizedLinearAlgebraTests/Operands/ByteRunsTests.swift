import Testing

@testable import QuantizedLinearAlgebra

@Suite("Runs of bytes that are summed in 16 bits")
struct ByteRunsTests {
  @Test("Every pair of magnitudes: no two products saturate, and no run leaves 16 bits")
  func bounds() {
    var accepted = 0
    for rows in 0...128 {
      for columns in 0...129 {
        for words in [1, 2, 3, 4, 7, 8, 16, 100, 1024] {
          guard let runs = ByteRuns(rows: rows, columns: columns, words: words) else {
            let product = 4 * rows * columns
            #expect(product > Int(Int16.max) || columns > 127 || columns == 0)
            continue
          }
          accepted += 1
          #expect(runs.bias == columns && 2 * columns <= Int(UInt8.max))
          #expect(4 * rows * columns <= Int(Int16.max))
          // A shorter last run is no matter.
          let length = min(runs.wordCount, words)
          #expect(2 * length * rows * columns <= Int(Int16.max))
          #expect(runs.wordCount >= 2 && runs.wordCount % 2 == 0)
          #expect((runs.count(words: words) - 1) * runs.wordCount < words)
        }
      }
    }
    #expect(accepted > 1000)
  }

  @Test(
    "Groups of eight words are one run of four-bit elements, also against integers of eight bits",
    arguments: [(12, 12, 8), (127, 12, 8), (30, 30, 8), (60, 60, 4)])
  func lengths(rows: Int, columns: Int, words: Int) {
    #expect(ByteRuns(rows: rows, columns: columns, words: 8)?.wordCount == words)
  }
}

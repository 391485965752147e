import BlockFormats
import FormatMetrics
import FormatTestSupport
import TensorFiles
import Testing

@testable import FormatBench

@Suite("Formats compared on one tensor")
struct TensorMeasurementTests {
  private static let shape = [300, 96]

  private static func comparison(axis: Int) -> Comparison {
    Comparison(
      candidates: FormatCatalog.standard.map {
        Comparison.Candidate(format: $0, policy: $0.defaultPolicy, rounding: "nearest_even")
      }, axis: axis, parallelism: .threads(1))
  }

  private static func values() -> [Float] {
    var generator = SeededGenerator(seed: 3)
    return (0..<shape[0] * shape[1]).map { _ in Float.random(in: -3...3, using: &generator) }
  }

  /// A tensor that notes the largest part that was asked for.
  private final class Source {
    let values: [Float]
    var largestPart = 0

    init(_ values: [Float]) { self.values = values }

    var item: ComparisonInput.Item {
      ComparisonInput.Item(name: "t", dtype: .f32, shape: TensorMeasurementTests.shape) {
        ElementReader { range in
          self.largestPart = max(self.largestPart, range.count)
          return Array(self.values[range])
        }
      }
    }
  }

  @Test("A tensor read in pieces gives the numbers of the whole, to the last bit")
  func pieces() throws {
    let source = Source(Self.values())
    for axis in [-1, 0] {
      let comparison = Self.comparison(axis: axis)
      var scratch: [Float] = []
      let whole = try TensorMeasurement(source.item, comparison, scratch: &scratch).outcomes
      #expect(source.largestPart == source.values.count)
      #expect(whole[0].errors.count == source.values.count)
      source.largestPart = 0
      let parts = try TensorMeasurement(
        source.item, comparison, scratch: &scratch, pieceLimit: 5000
      ).outcomes
      // Tiles of 128 x 128 make pieces of 128 rows; columns that are one block cannot be cut.
      #expect(axis == 0 || source.largestPart <= 128 * 96)
      for (whole, part) in zip(whole, parts) {
        #expect(whole.errors == part.errors)
        #expect(whole.storedByteCount == part.storedByteCount)
      }
    }
  }

  @Test("The first element that is not finite is found in whatever piece it is")
  func notFinite() throws {
    var values = Self.values()
    (values[9000], values[20_000]) = (.nan, .infinity)
    var scratch: [Float] = []
    for limit in [5000, 1 << 24] {
      let found = try TensorMeasurement(
        Source(values).item, Self.comparison(axis: -1), scratch: &scratch, pieceLimit: limit
      ).firstNonFinite
      #expect(found?.index == 9000 && found?.value.isNaN == true)
    }
  }
}

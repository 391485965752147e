import BlockFormats
import Testing

@testable import FormatBench

@Suite("Operands of measured products")
struct GemmInputTests {
  @Test("Measured rows are all rows, or 32 spread evenly")
  func measuredRows() {
    #expect(GemmInput.measuredRows(of: 3) == [0, 1, 2])
    #expect(GemmInput.measuredRows(of: 32) == Array(0..<32))
    #expect(GemmInput.measuredRows(of: 1024) == Array(stride(from: 0, to: 1024, by: 32)))
    let uneven = GemmInput.measuredRows(of: 33)
    #expect(uneven.count == 32 && Set(uneven).count == 32 && uneven.allSatisfy { $0 < 33 })
  }

  @Test("The reference is the FP64 product of the measured rows, and the operands differ")
  func reference() {
    let shape = GemmShape(rows: 70, columns: 5, depth: 23)
    let input = GemmInput(shape, seed: 3)
    #expect(input.a.shape == [70, 23] && input.b.shape == [5, 23])
    #expect(Array(input.a.elements[..<115]) != input.b.elements)
    var place = 0
    for row in input.measuredRows {
      for column in 0..<5 {
        let sum = (0..<23).reduce(0.0) {
          $0 + Double(input.a.elements[row * 23 + $1]) * Double(input.b.elements[column * 23 + $1])
        }
        #expect(abs(Double(input.reference[place]) - sum) <= 0x1p-24 * abs(sum) + 0x1p-45)
        place += 1
      }
    }
    #expect(place == input.reference.count)
  }
}

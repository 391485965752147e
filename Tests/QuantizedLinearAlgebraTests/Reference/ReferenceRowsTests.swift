import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Some rows of a product by the reference")
struct ReferenceRowsTests {
  @Test(
    "Rows are those of the whole product, whatever their order and however many rows share a scale",
    arguments: ["mxfp4", "mx9", "nvfp4", "nvfp4_2d", "fp8_e4m3_128x128", "fp8_e4m3_tensor", "vsq"])
  func rows(id: String) throws {
    let format = FormatPair.format(id)
    let a = ProductValues.ordinary.tensor([40, 100], seed: 1)
    let b = ProductValues.ordinary.tensor([7, 100], seed: 2)
    let (left, right) = (QuantizedMatrix(a, format: format), QuantizedMatrix(b, format: format))
    let rows = [39, 0, 17, 17]
    for (operandA, operandB, whole) in [
      (
        ProductOperand.quantized(left), ProductOperand.quantized(right),
        { try referenceMatmul(left, transposed: right, accumulator: $0) }
      ),
      (
        .float32(a), .quantized(right),
        { try referenceMatmul(a, transposed: right, accumulator: $0) }
      ),
      (.float32(a), .float32(b), { try referenceMatmul(a, transposed: b, accumulator: $0) }),
    ] as [(ProductOperand, ProductOperand, (Accumulator) throws -> Tensor)] {
      let some = try ReferenceRows(operandA, transposed: operandB, rows: rows)
      for accumulator in Accumulator.standard {
        let elements = try whole(accumulator).elements
        let expected = rows.flatMap { elements[$0 * 7..<$0 * 7 + 7] }
        #expect(
          some.product(accumulator).map(\.bitPattern) == expected.map(\.bitPattern),
          "\(accumulator.id)")
      }
    }
  }

  @Test("Contraction axes of different lengths are refused")
  func depths() {
    let (a, b) = (Tensor([1, 2], shape: [1, 2]), Tensor([1, 2, 3], shape: [1, 3]))
    #expect(throws: ProductError.depthMismatch(a: [1, 2], b: [1, 3])) {
      try ReferenceRows(.float32(a), transposed: .float32(b), rows: [0])
    }
  }
}

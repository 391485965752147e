import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("What becomes of finished sums")
struct EpilogueTests {
  static let epilogues = [
    ProductEpilogue(), ProductEpilogue(alpha: 0.3), ProductEpilogue(beta: 0.7),
    ProductEpilogue(bias: (0..<37).map { Float($0) / 3 - 5 }),
    ProductEpilogue(alpha: -2.1, beta: 1, bias: (0..<37).map { 3 - Float($0) / 7 }),
    ProductEpilogue(alpha: 0, beta: -1), ProductEpilogue(alpha: .infinity),
    ProductEpilogue(alpha: 1e30),
  ]

  @Test(
    "Each part gives the definition's value in every result type, and gaps stay as they were",
    arguments: ["nvfp4", "mxfp8_e4m3", "mxint8", "affine4", "fp32"], epilogues.indices)
  func parts(id: String, index: Int) throws {
    let format = try FormatCatalog.format(id: id)
    let epilogue = Self.epilogues[index]
    let a = QuantizedMatrix(sample([11, 64], seed: 1), format: format)
    let b = QuantizedMatrix(sample([37, 64], seed: 2), format: format)
    let plain = try matmul(a, transposed: b)
    for (turn, level) in KernelLevel.supported.enumerated() {
      let prepared = try PreparedMatrix(
        b, for: .quantized(format), level: level, parallelism: .threads(1))
      for type in ScalarType.allCases {
        // Without a factor old contents are not read: NaN would show.
        let old =
          epilogue.beta == 0
          ? [Float](repeating: .nan, count: 11 * 37)
          : CallerMemory.rounded(sample([11, 37], seed: 3).elements, to: type)
        let result = CallerMemory(
          old, as: type, rowCount: 11, columnCount: 37, gap: [0, 5, 1, 16][turn % 4],
          offset: [0, 3, 2, 7][(turn + index) % 4])
        prepared.multiply(
          a, into: result.target, epilogue: epilogue, parallelism: .threads(1 + turn % 2))
        let expected = plain.elements.indices.map {
          epilogue.value(
            plain.elements[$0], tensorScale: .one, column: $0 % 37, old: old[$0])
        }
        #expect(
          result.values.bits == CallerMemory.rounded(expected, to: type).bits,
          "\(level.id) \(type.id)")
        #expect(result.hasIntactGaps, "\(level.id) \(type.id)")
      }
    }
  }

  @Test("Sums over nothing are +0 before the epilogue, for every kind of operand")
  func emptyDepth() throws {
    let epilogue = ProductEpilogue(alpha: -3, beta: 2, bias: [-0.0, 1, -1])
    let expected: [Float] = [0, 3, 3, 6, 9, 9]
    for id in ["mxfp4", "nvfp4", "mx9", "fp8_e4m3_tensor", "bf16", "fp32", "affine4", "q4_1"] {
      let format = try FormatCatalog.format(id: id)
      let b = QuantizedMatrix(Tensor([], shape: [3, 0]), format: format)
      let a = CallerMemory([], rowCount: 2, columnCount: 0)
      for left in [OperandFormat.quantized(format), .float32] {
        let prepared = try PreparedMatrix(b, for: left)
        let result = CallerMemory([0, 1, 2, 3, 4, 5], rowCount: 2, columnCount: 3)
        prepared.multiply(a.rows, into: result.target, epilogue: epilogue)
        #expect(result.values == expected, "\(id) \(left.id)")
        prepared.multiply(a.rows, into: result.target)
        #expect(result.values.bits == [0, 0, 0, 0, 0, 0], "\(id) \(left.id)")
      }
    }
  }
}

import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Weight-only products, whose panels keep narrow elements")
struct WeightProductTests {
  /// Rows, columns and depths: tiles of every height, more rows than are looked up, and tails of rows
  /// inside a lane of eight codes.
  private static let extents = [
    (1, 33, 64), (2, 1, 40), (3, 31, 37), (4, 32, 129), (8, 40, 100), (9, 65, 96), (5, 3, 257),
  ]

  @Test(
    "FP32 rows are multiplied by decoded numbers, one after the other", arguments: FormatCatalog.all
  )
  func floatRows(format: any BlockFormat) throws {
    for (index, (m, n, k)) in Self.extents.enumerated() {
      for values in ProductValues.allCases {
        let x = values.tensor([m, k], seed: UInt64(index))
        let w = QuantizedMatrix(values.tensor([n, k], seed: 7), format: format)
        let expected = Self.product(x, w.storage.dequantized())
        for level in KernelLevel.supported {
          let layer = try PreparedMatrix(
            w, for: .float32, level: level, parallelism: .threads(1 + index % 2))
          #expect(
            try bits(layer.product(x)) == expected, "\(m)x\(n)x\(k) \(values) \(level.id)")
        }
      }
    }
  }

  /// Fused multiply-adds in order.
  private static func product(_ a: Tensor, _ b: Tensor) -> [UInt32] {
    let (m, n, k) = (a.shape[0], b.shape[0], a.shape[1])
    return (0..<m * n).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: n)
      var sum: Float = 0
      for at in 0..<k { sum.addProduct(a.elements[row * k + at], b.elements[column * k + at]) }
      return sum.isNaN ? 0x7FC0_0000 : sum.bitPattern
    }
  }

  /// Rows of the BF16 unit before columns of codes: with scales of powers of two and of any kind, joined
  /// powers, a tensor scale, and rows near the smallest numbers.
  private static let pairs = [
    ("bf16", "mxfp4"), ("bf16", "nvfp4"), ("mxfp8_e4m3", "nvfp4"), ("mxfp8_e5m2", "mx4"),
    ("fp8_e4m3_row", "int4_row"), ("bf16", "int4_1x32"), ("fp8_e4m3_1x128", "mxfp4"),
    ("bf16", "int8_tensor"),
  ].map { FormatPair(a: FormatPair.format($0.0), b: FormatPair.format($0.1)) }

  @Test("BF16 rows are multiplied as the definition says", arguments: pairs)
  func bfloat16Rows(pair: FormatPair) throws {
    for (index, (m, n, k)) in Self.extents.enumerated() {
      for values in ProductValues.allCases {
        let a = QuantizedMatrix(values.tensor([m, k], seed: UInt64(index)), format: pair.a)
        let b = QuantizedMatrix(values.tensor([n, k], seed: 7), format: pair.b)
        let definition = try ProductDefinition(
          a: .quantized(pair.a), b: .quantized(pair.b), depth: k)
        let expected = reference(a, b, definition)
        for level in KernelLevel.supported {
          #expect(
            bits(try matmul(a, transposed: b, level: level)) == expected,
            "\(m)x\(n)x\(k) \(values) \(level.id)")
        }
      }
    }
  }

  @Test(
    "A product reads the bits of weights and the scales",
    arguments: [
      ("mxfp4", 4, 32, 1), ("nvfp4", 4, 16, 1), ("nf4", 4, 64, 1), ("affine4", 4, 64, 2),
      ("q4_0", 4, 32, 1), ("int4_1x32", 4, 32, 1), ("iq4_nl", 4, 32, 1), ("q8_0", 8, 32, 1),
      ("mxint8", 8, 32, 1), ("int8_row", 8, 256, 1), ("mxfp8_e4m3", 16, 32, 1),
      ("mxfp6_e2m3", 16, 32, 1), ("affine8", 16, 64, 2), ("bf16", 16, 256, 1),
    ])
  func byteCount(id: String, bitWidth: Int, blockLength: Int, numbersOfBlock: Int) throws {
    let w = QuantizedMatrix(sample([64, 256], seed: 1), format: FormatPair.format(id))
    let layer = try PreparedMatrix(w, for: .float32)
    #expect(
      layer.byteCount == 64 * 256 * bitWidth / 8 + 64 * 256 / blockLength * 4 * numbersOfBlock)
  }

  @Test("A builder looks codes up as a matrix that was quantized before does")
  func builder() throws {
    for id in ["mxfp4", "nvfp4", "affine4", "mxint8", "mxfp8_e4m3", "iq4_nl"] {
      let format = FormatPair.format(id)
      let (x, w) = (sample([3, 96], seed: 1), sample([40, 96], seed: 2))
      let layer = try PreparedMatrix.Builder(
        rowCount: 40, depth: 96, as: .quantized(format), for: .float32)
      #expect(try layer.matrix.product(x).elements.allSatisfy { $0 == 0 })
      for tensorScale in [nil, Float(0.37)] where tensorScale == nil || id == "nvfp4" {
        layer.update(w, tensorScale: tensorScale)
        let quantized = QuantizedMatrix(w, format: format, tensorScale: tensorScale)
        let expected = Self.product(x, quantized.storage.dequantized())
        #expect(try bits(layer.matrix.product(x)) == expected, "\(id)")
      }
    }
  }
}

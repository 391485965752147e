import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Prepared matrices that take new numbers")
struct PreparedUpdateTests {
  @Test(
    "An updated matrix multiplies as one that was prepared anew",
    arguments: [
      "mxfp4", "mx6", "mx9", "nvfp4", "nvfp4_2d", "fp8_e4m3_tensor", "fp8_e4m3_128x128",
      "mxfp8_e4m3", "bf16", "fp16", "int8_row",
    ])
  func update(id: String) throws {
    let format = FormatPair.format(id)
    let (m, n, k) = (5, 203, 160)
    let prepared = try PreparedMatrix(
      rowCount: n, depth: k, as: .quantized(format), for: .quantized(format))
    let a = QuantizedMatrix(ProductValues.ordinary.tensor([m, k], seed: 3), format: format)
    for seed in [UInt64(4), 5] {
      let values = ProductValues.ordinary.tensor([n, k], seed: seed)
      let expected = try matmul(a, transposed: QuantizedMatrix(values, format: format))
      for threads in [1, 3] {
        var result = [Float](repeating: .nan, count: m * n)
        values.elements.withUnsafeBytes { bytes in
          guard let base = bytes.baseAddress else { return }
          prepared.update(
            MatrixRows(base, rowCount: n, columnCount: k), parallelism: .threads(threads))
        }
        result.withUnsafeMutableBytes { bytes in
          guard let base = bytes.baseAddress else { return }
          prepared.multiply(
            a, into: MutableMatrixRows(base, rowCount: m, columnCount: n))
        }
        #expect(result.map(\.bitPattern) == expected.elements.map(\.bitPattern))
      }
    }
  }

  @Test("FP32 numbers are updated from rows of any stride and type")
  func floats() throws {
    let (n, k) = (40, 9)
    let values = (0..<n * 12).map { UInt16(truncatingIfNeeded: 0x3F00 &+ $0) }
    let dense = (0..<n * k).map {
      Float(bitPattern: UInt32(values[$0 / k * 12 + $0 % k]) << 16)
    }
    let a = ProductValues.ordinary.tensor([3, k], seed: 1)
    let expected = try matmul(a, transposed: Tensor(dense, shape: [n, k]))
    let prepared = try PreparedMatrix(rowCount: n, depth: k, as: .float32, for: .float32)
    values.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      prepared.update(
        MatrixRows(base, as: .bfloat16, rowCount: n, columnCount: k, stride: 12))
    }
    var result = [Float](repeating: .nan, count: 3 * n)
    result.withUnsafeMutableBytes { target in
      a.elements.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress, let place = target.baseAddress else { return }
        prepared.multiply(
          MatrixRows(base, rowCount: 3, columnCount: k),
          into: MutableMatrixRows(place, rowCount: 3, columnCount: n))
      }
    }
    #expect(result == expected.elements)
  }
}

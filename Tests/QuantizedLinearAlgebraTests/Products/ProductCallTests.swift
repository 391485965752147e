import BlockFormats
import CBlockKernels
import CProductKernels
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Calls of products")
struct ProductCallTests {
  /// A matrix of a batch.
  private func part(_ tensor: Tensor, _ index: Int) -> Tensor {
    let shape = Array(tensor.shape.suffix(2))
    let size = shape.reduce(1, *)
    return Tensor(Array(tensor.elements[index * size..<(index + 1) * size]), shape: shape)
  }

  @Test(
    "Batches on either side or both are their matrices' products",
    arguments: ["mxfp4", "mxfp8_e4m3", "nvfp4_2d", "fp8_e4m3_128x128", "mx9", "fp32"])
  func batches(id: String) throws {
    let format = try FormatCatalog.format(id: id)
    let x = QuantizedMatrix(sample([3, 10, 64], seed: 1), format: format)
    let w = QuantizedMatrix(sample([3, 35, 64], seed: 2), format: format)
    let single = QuantizedMatrix(sample([35, 64], seed: 3), format: format)
    let row = QuantizedMatrix(sample([10, 64], seed: 4), format: format)
    for (a, b) in [(x, w), (x, single), (row, w)] {
      let prepared = try PreparedMatrix(b, for: .quantized(format))
      let result = CallerMemory(
        [Float](repeating: .nan, count: 3 * 10 * 35), rowCount: 30, columnCount: 35, gap: 2)
      prepared.multiply(a, into: result.target)
      let expected = try referenceMatmul(a, transposed: b)
      #expect(result.values.bits == bits(expected) && result.hasIntactGaps)
      #expect(bits(try matmul(a, transposed: b)) == bits(expected))
    }
    // Rows that are quantized on the way meet the matrix that the call names.
    let values = CallerMemory(sample([4, 64], seed: 5).elements, rowCount: 4, columnCount: 64)
    let prepared = try PreparedMatrix(w, for: .quantized(format))
    let all = try matmul(QuantizedMatrix(values, format), transposed: w)
    for index in 0..<3 {
      let result = CallerMemory(
        [Float](repeating: .nan, count: 4 * 35), rowCount: 4, columnCount: 35)
      prepared.multiply(values.rows, index: index, into: result.target)
      #expect(result.values.bits == bits(part(all, index)), "\(index)")
    }
  }

  /// One fused multiply-add for each product, in order.
  private func chain(_ a: Tensor, _ b: Tensor) -> [UInt32] {
    let depth = a.shape[1]
    return (0..<a.shape[0] * b.shape[0]).map { index in
      let (row, column) = index.quotientAndRemainder(dividingBy: b.shape[0])
      var sum: Float = 0
      for k in 0..<depth {
        sum.addProduct(a.elements[row * depth + k], b.elements[column * depth + k])
      }
      return sum.bitPattern
    }
  }

  @Test(
    "Weight-only and plain FP32 products are chains of fused multiply-adds",
    arguments: ["mxfp4", "nvfp4", "mx6", "fp8_e4m3_128x128", "int8_row", "bf16"])
  func chains(id: String) throws {
    let format = try FormatCatalog.format(id: id)
    for (rows, columns, depth) in [(1, 33, 70), (17, 5, 129), (9, 40, 256)] {
      let x = sample([rows, depth], seed: 1)
      let w = QuantizedMatrix(sample([columns, depth], seed: 2), format: format)
      let decoded = w.storage.dequantized()
      let expected = chain(x, decoded)
      #expect(bits(try matmul(x, transposed: w)) == expected)
      #expect(bits(try matmul(x, transposed: decoded)) == expected)
      for level in KernelLevel.supported {
        let prepared = try PreparedMatrix(
          w, for: .float32, level: level, parallelism: .threads(1))
        for type in ScalarType.allCases {
          let a = CallerMemory(
            x.elements, as: type, rowCount: rows, columnCount: depth, gap: 3, offset: 1)
          let result = CallerMemory(
            [Float](repeating: .nan, count: rows * columns), rowCount: rows,
            columnCount: columns)
          prepared.multiply(a.rows, into: result.target, parallelism: .threads(2))
          let own = type == .float32 ? expected : chain(a.tensor, decoded)
          #expect(result.values.bits == own, "\(level.id) \(type.id)")
        }
      }
    }
  }

  @Test("The level that is asked for multiplies, and all bytes that it reads are counted")
  func levels() throws {
    let b = QuantizedMatrix(sample([40, 64], seed: 1), format: .mxfp4)
    for level in KernelLevel.supported {
      let prepared = try PreparedMatrix(
        b, for: .quantized(.mxfp4), level: level, parallelism: .threads(1))
      #expect(prepared.kernelLevel == level)
      #expect(UInt32(prepared.kernels.products.pointee.level.rawValue) == level.number)
      #expect(UInt32(prepared.kernels.blocks.pointee.level.rawValue) == level.number)
      // Two panels of 32 columns: half a byte for an element, FP32 scales for two blocks.
      #expect(prepared.byteCount == 2 * 32 * (64 / 2 + 2 * 4))
    }
    #expect(try PreparedMatrix(b, for: .quantized(.mxfp4)).kernelLevel == .best)
  }
}

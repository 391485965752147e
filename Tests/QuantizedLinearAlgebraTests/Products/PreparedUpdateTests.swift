import BlockFormats
import Dispatch
import Synchronization
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Prepared matrices that take new numbers")
struct PreparedUpdateTests {
  private func builder(
    _ format: OperandFormat, n: Int, k: Int
  ) throws -> PreparedMatrix.Builder {
    try PreparedMatrix.Builder(rowCount: n, depth: k, as: format, for: format)
  }

  @Test(
    "An updated matrix multiplies as one that was prepared anew",
    arguments: [
      "mxfp4", "mx6", "mx9", "nvfp4", "nvfp4_2d", "fp8_e4m3_tensor", "fp8_e4m3_128x128",
      "mxfp8_e4m3", "bf16", "fp16", "int8_row", "affine4", "affine8", "q4_1", "q4_0",
    ])
  func update(id: String) throws {
    let format = FormatPair.format(id)
    let (m, n, k) = (5, 203, 160)
    let builder = try builder(.quantized(format), n: n, k: k)
    let a = QuantizedMatrix(ProductValues.ordinary.tensor([m, k], seed: 3), format: format)
    for seed in [UInt64(4), 5] {
      let values = ProductValues.ordinary.tensor([n, k], seed: seed)
      let expected = try matmul(a, transposed: QuantizedMatrix(values, format: format))
      for threads in [1, 3] {
        builder.update(values, parallelism: .threads(threads))
        #expect(try bits(builder.matrix.product(a)) == bits(expected))
        builder.update(values.elements.span, parallelism: .threads(threads))
        #expect(try bits(builder.matrix.product(a)) == bits(expected))
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
    let builder = try builder(.float32, n: n, k: k)
    builder.update(
      values.span.bytes, as: MatrixLayout(.bfloat16, rowCount: n, columnCount: k, stride: 12))
    #expect(try bits(builder.matrix.product(a)) == bits(expected))
  }

  @Test(
    "Before the first numbers the matrix is one of zeros, for every unit and kind of scale",
    arguments: [
      "mxfp4", "mx9", "nvfp4", "mxfp8_e4m3", "fp8_e4m3_tensor", "fp16", "fp32", "q4_0", "q4_1",
    ])
  func zeros(id: String) throws {
    let format = OperandFormat.quantized(FormatPair.format(id))
    let matrix = try builder(format, n: 35, k: 96).matrix
    let zeros = Tensor([Float](repeating: 0, count: 35 * 96), shape: [35, 96])
    for values in ProductValues.allCases {
      let a = values.tensor([9, 96], seed: 1)
      let expected = try PreparedMatrix(
        QuantizedMatrix(zeros, format: FormatPair.format(id)), for: format
      ).product(a)
      #expect(try bits(matrix.product(a)) == bits(expected), "\(values)")
    }
  }

  @Test("A matrix that is kept stays as it was; one that is not gives its memory to the next")
  func values() throws {
    func address(_ matrix: borrowing PreparedMatrix) -> UnsafePointer<UInt8> {
      matrix.panels.withColumns { $0.elements }
    }
    let builder = try builder(.quantized(.mxfp4), n: 40, k: 64)
    let (first, second) = (sample([40, 64], seed: 1), sample([40, 64], seed: 2))
    let x = sample([3, 64], seed: 3)
    builder.update(first)
    let place = address(builder.matrix)
    builder.update(second)
    #expect(address(builder.matrix) == place)
    let kept = builder.matrix
    let expected = try bits(kept.product(x))
    builder.update(first)
    #expect(address(builder.matrix) != place && address(kept) == place)
    #expect(try bits(kept.product(x)) == expected)
    #expect(try bits(builder.matrix.product(x)) != expected)
  }

  @Test("Several threads multiply with one matrix while its builder goes on")
  func threads() throws {
    let builder = try builder(.quantized(.mxfp8E4M3), n: 70, k: 96)
    builder.update(sample([70, 96], seed: 1))
    let (matrix, x) = (builder.matrix, sample([20, 96], seed: 2))
    let expected = try bits(matrix.product(x, parallelism: .threads(1)))
    let same = Atomic(0)
    let group = DispatchGroup()
    for _ in 0..<3 {
      DispatchQueue.global().async(group: group) {
        for _ in 0..<5 {
          if let y = try? matrix.product(x, parallelism: .threads(2)), bits(y) == expected {
            same.add(1, ordering: .relaxed)
          }
        }
      }
    }
    for seed in UInt64(3)..<9 { builder.update(sample([70, 96], seed: seed)) }
    group.wait()
    #expect(same.load(ordering: .relaxed) == 15)
  }
}

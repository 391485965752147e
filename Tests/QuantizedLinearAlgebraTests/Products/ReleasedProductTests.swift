import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Released bits of products")
struct ReleasedProductTests {
  @Test("Products of every pair of formats, by kernels and accumulators, are those on record")
  func products() throws {
    let accumulators = Accumulator.standard.filter { $0 != .float32 }
    let lines = try FormatPair.all.map { pair in
      // One of each input, so that a change at the ends of FP32's range leaves the others alone.
      var digests = try ReleasedInput.allCases.map { input in
        var digest = Digest()
        let (a, b) = operands(pair, input, m: 3, n: 35, k: 133)
        digest.feed(try matmul(a, transposed: b, parallelism: .threads(1)).elements)
        return digest
      }
      let (a, b) = operands(pair, .ordinary, m: 2, n: 3, k: 133)
      for accumulator in accumulators {
        var digest = Digest()
        let product = try referenceMatmul(
          a, transposed: b, accumulator: accumulator, parallelism: .threads(1))
        digest.feed(product.elements)
        digests.append(digest)
      }
      return (name: pair.testDescription, digests: digests)
    }
    let differences = try ReleasedBits("products").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  @Test("Weight-only products and products in FP32 are those on record")
  func weightOnly() throws {
    let a = Tensor(ReleasedInput.ordinary.values(3 * 133, seed: 1), shape: [3, 133])
    let numbers = Tensor(ReleasedInput.wide.values(35 * 133, seed: 2), shape: [35, 133])
    var lines: [(name: String, digests: [Digest])] = []
    var plain = Digest()
    plain.feed(try matmul(a, transposed: numbers).elements)
    lines.append(("fp32", [plain]))
    for id in ["mxfp4", "nvfp4", "mx6", "int4_1x32", "fp8_e4m3_tensor", "bf16"] {
      var digest = Digest()
      let b = QuantizedMatrix(numbers, format: FormatPair.format(id))
      digest.feed(try matmul(a, transposed: b, parallelism: .threads(1)).elements)
      lines.append((id, [digest]))
    }
    let differences = try ReleasedBits("weight-only-products").differences(from: lines)
    #expect(differences.isEmpty, "\(differences.joined(separator: "\n"))")
  }

  private func operands(
    _ pair: FormatPair, _ input: ReleasedInput, m: Int, n: Int, k: Int
  ) -> (QuantizedMatrix, QuantizedMatrix) {
    func matrix(_ rows: Int, _ format: any BlockFormat, seed: UInt64) -> QuantizedMatrix {
      QuantizedMatrix(
        Tensor(input.values(rows * k, seed: seed), shape: [rows, k]), format: format)
    }
    return (matrix(m, pair.a, seed: 1), matrix(n, pair.b, seed: 2))
  }
}

import BlockFormats
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products of tensors with a prepared matrix")
struct TensorProductTests {
  /// Shapes of both operands: one matrix or a batch on either side or both, with axes of one, and
  /// without rows.
  private static let shapes: [([Int], [Int])] = [
    ([5, 64], [35, 64]), ([3, 5, 64], [35, 64]), ([5, 64], [3, 35, 64]),
    ([3, 5, 64], [3, 35, 64]), ([1, 1, 5, 64], [35, 64]), ([5, 64], [1, 35, 64]),
    ([2, 3, 5, 64], [2, 3, 35, 64]), ([0, 64], [35, 64]), ([3, 0, 64], [3, 35, 64]),
    ([0, 5, 64], [35, 64]), ([5, 0], [35, 0]), ([5, 64], [0, 64]),
  ]

  @Test(
    "New results and old ones are those of matmul with quantized operands",
    arguments: ["mxfp4", "nvfp4", "nvfp4_2d", "fp8_e4m3_tensor", "fp8_e4m3_128x128", "mx9", "fp32"])
  func shapes(id: String) throws {
    let format = FormatPair.format(id)
    var random = format.defaultPolicy
    random.rounding = .stochastic(StochasticSource(seed: 3))
    for (left, right) in Self.shapes {
      let x = sample(left, seed: 1)
      let w = QuantizedMatrix(sample(right, seed: 2), format: format)
      let layer = try PreparedMatrix(w, for: .quantized(format))
      #expect(layer.shape == right)
      for policy in [nil, random] {
        let a = QuantizedMatrix(x, format: format, policy: policy)
        let expected = try matmul(a, transposed: w)
        let product = try layer.product(x, policy: policy)
        #expect(product.shape == expected.shape, "\(left) \(right)")
        #expect(bits(product) == bits(expected), "\(left) \(right)")
        #expect(try bits(layer.product(a)) == bits(expected), "\(left) \(right)")

        var result = Tensor(
          [Float](repeating: .nan, count: expected.elements.count), shape: expected.shape)
        let place = result.elements.withUnsafeBytes { $0.baseAddress }
        layer.multiply(x, policy: policy, into: &result)
        #expect(bits(result) == bits(expected), "\(left) \(right)")
        layer.multiply(a, into: &result, epilogue: ProductEpilogue(beta: -1))
        #expect(result.elements.allSatisfy { $0 == 0 }, "\(left) \(right)")
        #expect(result.elements.withUnsafeBytes { $0.baseAddress } == place)
      }
    }
  }

  @Test("FP32 batches meet what matmul decodes")
  func floats() throws {
    for (left, right) in Self.shapes {
      let x = sample(left, seed: 1)
      let w = QuantizedMatrix(sample(right, seed: 2), format: .mxfp4)
      let expected = try referenceMatmul(x, transposed: w)
      let layer = try PreparedMatrix(w, for: .float32)
      let product = try layer.product(x)
      #expect(product.shape == expected.shape)
      #expect(bits(product) == bits(expected), "\(left) \(right)")
    }
  }

  @Test("A tensor scale of the caller's takes the place of the computed one, in batches too")
  func tensorScale() throws {
    let w = QuantizedMatrix(sample([35, 64], seed: 2), format: .nvfp4)
    let layer = try PreparedMatrix(w, for: .quantized(.nvfp4))
    for shape in [[5, 64], [3, 5, 64]] {
      let x = sample(shape, seed: 1)
      let a = QuantizedMatrix(x, format: .nvfp4, tensorScale: 0.25)
      let expected = try bits(matmul(a, transposed: w))
      #expect(try bits(layer.product(x, tensorScale: 0.25)) == expected)
      #expect(try bits(layer.product(x)) != expected)
    }
  }

  @Test("Shapes that do not fit throw where a result is made")
  func errors() throws {
    let layer = try PreparedMatrix(sample([2, 3, 4], seed: 1))
    #expect(throws: ProductError.depthMismatch(a: [5, 3], b: [2, 3, 4])) {
      try layer.product(sample([5, 3], seed: 1))
    }
    #expect(throws: ProductError.notAMatrix(shape: [4])) {
      try layer.product(sample([4], seed: 1))
    }
    #expect(throws: ProductError.batchMismatch(a: [3, 5, 4], b: [2, 3, 4])) {
      try layer.product(sample([3, 5, 4], seed: 1))
    }
  }
}

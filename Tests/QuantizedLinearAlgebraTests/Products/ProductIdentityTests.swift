import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Kernels of products against the definition")
struct ProductIdentityTests {
  /// The numbers of both operands, which are the same for all pairs of formats.
  private static let numbers = ProductExtents.all.flatMap { extents in
    ProductValues.allCases.map { values in
      (
        extents, values, values.tensor([extents.m, extents.k], seed: 1),
        values.tensor([extents.n, extents.k], seed: 2)
      )
    }
  }

  /// Every level meets every operand; thread counts take turns, or all run where tests are deep.
  private static func threadCounts(turn: Int) -> [Int] {
    Intensity.isDeep ? [1, 2, 4] : [[1, 2, 4][turn % 3]]
  }

  @Test(
    "Every level and thread count computes the definition's bits",
    arguments: FormatPair.all + FormatPair.offsets)
  func matchesDefinition(pair: FormatPair) throws {
    var turn = 0
    for (extents, values, left, right) in Self.numbers {
      let a = QuantizedMatrix(left, format: pair.a)
      let b = QuantizedMatrix(right, format: pair.b)
      guard
        let definition = try? ProductDefinition(
          a: .quantized(pair.a), b: .quantized(pair.b), depth: extents.k)
      else {
        Issue.record("\(pair.testDescription) does not align")
        continue
      }
      let expected = reference(a, b, definition)
      turn += 1
      for level in KernelLevel.supported {
        turn += 1
        for threads in Self.threadCounts(turn: turn) {
          let result = bits(
            try matmul(a, transposed: b, level: level, parallelism: .threads(threads)))
          if result != expected {
            let place = zip(result, expected).enumerated().first { $1.0 != $1.1 }
            Issue.record(
              """
              \(extents.testDescription) \(values) \(level.id) threads \(threads): \
              \(String(describing: place))
              """)
          }
        }
      }
    }
  }

  @Test("Sums around the smallest normal number are flushed as the definition says")
  func tinySums() throws {
    // Products of about 2^-126, and some of 2^-150 that move sums by half of a spacing.
    func numbers(_ rows: Int, seed: UInt64) -> Tensor {
      var generator = SeededGenerator(seed: seed)
      let values = (0..<rows * 64).map { index -> Float in
        let exponent = [-63, -75, -75, -63, -64, -75, -63, -87][index % 8]
        let fraction = Float(Int.random(in: 0...3, using: &generator)) / 4
        return Float(
          sign: Bool.random(using: &generator) ? .plus : .minus,
          exponent: exponent + Int.random(in: -1...1, using: &generator), significand: 1 + fraction)
      }
      return Tensor(values, shape: [rows, 64])
    }
    let format = CastFormat.cast(to: .bf16)
    for depth in [2, 4, 8, 64] {
      func part(_ tensor: Tensor) -> QuantizedMatrix {
        let count = tensor.elements.count / depth
        return QuantizedMatrix(Tensor(tensor.elements, shape: [count, depth]), format: format)
      }
      let (a, b) = (part(numbers(5, seed: 1)), part(numbers(8, seed: 2)))
      let definition = try ProductDefinition(
        a: .quantized(format), b: .quantized(format), depth: depth)
      let expected = reference(a, b, definition)
      #expect(expected.contains { $0 & 0x7FFF_FFFF == 0 } || depth > 4)
      for level in KernelLevel.supported {
        #expect(bits(try matmul(a, transposed: b, level: level)) == expected, "\(level.id)")
      }
    }
  }

  @Test("Sums at the edge of what the least elements prove", arguments: [-114, -113, -112, -111])
  func leastElements(sum: Int) throws {
    let format = CastFormat.cast(to: .bf16)
    for first in [-126, -100, -56, -20, 0] where sum - first >= -126 {
      var generator = SeededGenerator(seed: UInt64(-first))
      func numbers(_ rows: Int, _ exponent: Int) -> Tensor {
        let values = (0..<rows * 32).map { _ -> Float in
          // All fractions of BF16, so that sums are any multiple of the least product's last bit.
          let fraction = Float(Int.random(in: 0...127, using: &generator)) / 128
          let sign: FloatingPointSign = Bool.random(using: &generator) ? .plus : .minus
          return Float(
            sign: sign, exponent: exponent + Int.random(in: 0...1, using: &generator),
            significand: 1 + fraction)
        }
        return Tensor(values, shape: [rows, 32])
      }
      let a = QuantizedMatrix(numbers(9, first), format: format)
      let b = QuantizedMatrix(numbers(33, sum - first), format: format)
      let definition = try ProductDefinition(
        a: .quantized(format), b: .quantized(format), depth: 32)
      let expected = reference(a, b, definition)
      for level in KernelLevel.supported {
        #expect(
          bits(try matmul(a, transposed: b, level: level)) == expected, "\(first) \(level.id)")
      }
    }
  }

  /// Pairs with the BF16 unit, and groups of one word, of several, of an odd number of elements.
  static let flushingPairs = [
    ("mxfp4", "bf16"), ("bf16", "mxfp4"), ("bf16", "bf16"), ("mxfp8_e5m2", "bf16"),
    ("bf16", "fp8_e4m3_row"), ("mx(element=float(e=8,m=3),block=16)", "mxfp4"),
    ("mxfp4(block=3)", "bf16"), ("mx(element=float(e=8,m=3),block=2)", "bf16"),
  ].map { FormatPair(a: FormatPair.format($0.0), b: FormatPair.format($0.1)) }

  @Test(
    "Signed zeros of flushed sums survive tails of every length", arguments: flushingPairs)
  func tails(pair: FormatPair) throws {
    var generator = SeededGenerator(seed: 4)
    // Zeros of both signs, and a few numbers of which many pairs have products around 2^-126.
    func numbers(_ rows: Int, _ depth: Int) -> Tensor {
      let values = (0..<rows * depth).map { index -> Float in
        let sign: FloatingPointSign = Bool.random(using: &generator) ? .plus : .minus
        let isZero = Int.random(in: 0..<8, using: &generator) < 6 && index % depth != depth - 1
        let exponent = [-126, -115, -100, -64, -63, 0].randomElement(using: &generator) ?? 0
        return Float(sign: sign, exponent: exponent, significand: isZero ? 0 : 1.5)
      }
      return Tensor(values, shape: [rows, depth])
    }
    var negativeZeros = 0
    for depth in 1...70 {
      let a = QuantizedMatrix(numbers(3, depth), format: pair.a)
      let b = QuantizedMatrix(numbers(5, depth), format: pair.b)
      let definition = try ProductDefinition(
        a: .quantized(pair.a), b: .quantized(pair.b), depth: depth)
      #expect(definition.unit == .bfloat16)
      let expected = reference(a, b, definition)
      negativeZeros += expected.count { $0 == Float(-0.0).bitPattern }
      for level in KernelLevel.supported {
        #expect(
          bits(try matmul(a, transposed: b, level: level)) == expected, "\(depth) \(level.id)")
      }
    }
    // Without scales Y is D + 0, which is no -0.
    let hasScales = [pair.a, pair.b].contains { $0.layout.factors?.scale != nil }
    #expect((negativeZeros > 0) == hasScales)
  }

  @Test("A sum of -0 stays -0 behind elements that are not there", arguments: [33, 34])
  func negativeZero(depth: Int) throws {
    // E2M1: 2 is 1, 1 is 0.5. E8M0: 12 is 2^-115. Both groups are negative and below 2^-126.
    var codes = [UInt32](repeating: 0, count: depth)
    (codes[0], codes[32]) = (2, 1)
    var values = [Float](repeating: 0, count: depth)
    (values[0], values[32]) = (-0x1p-100, -0x1.8p-126)
    let a = try matrix(.mxfp4, rows: 1, codes: codes, scales: [12, 127])
    let b = cast(.bf16, values)
    #expect(try referenceMatmul(a, transposed: b).elements[0].bitPattern == 1 << 31)
    for level in KernelLevel.supported {
      let result = try matmul(a, transposed: b, level: level).elements[0]
      #expect(result.bitPattern == 1 << 31, "\(level.id)")
    }
  }
}

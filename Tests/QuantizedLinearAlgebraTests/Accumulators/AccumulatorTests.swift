import BlockFormats
import FormatTestSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Accumulators")
struct AccumulatorTests {
  /// The factors of a product of two rows, taken apart here.
  struct Rows {
    var definition: ProductDefinition
    var a: [Double]
    var b: [Double]
    var scales: [(a: Float, b: Float)]

    init(_ a: QuantizedMatrix, _ b: QuantizedMatrix) throws {
      definition = try ProductDefinition(
        a: .quantized(a.format), b: .quantized(b.format), depth: a.columnCount)
      if definition.unit == .float32 {
        self.a = a.storage.dequantized().elements.map(Double.init)
        self.b = b.storage.dequantized().elements.map(Double.init)
        scales = [(1, 1)]
      } else {
        let left = FactoredMatrix(
          a, groupLength: definition.groupLength, unitExponent: definition.unitExponents.a)
        let right = FactoredMatrix(
          b, groupLength: definition.groupLength, unitExponent: definition.unitExponents.b)
        (self.a, self.b) = (left.elements, right.elements)
        // The left ones with the power of two that belongs to every product of scales.
        let unit = Float(sign: .plus, exponent: definition.scaleExponent, significand: 1)
        scales = Array(zip(left.scales, right.scales)).map { (a: $0 * unit, b: $1) }
      }
    }

    func range(_ group: Int) -> Range<Int> {
      group * definition.groupLength..<min((group + 1) * definition.groupLength, a.count)
    }
  }

  /// Pairs of formats of every unit.
  static let pairs: [(String, String)] = [
    ("mxfp4", "mxfp4"), ("mx9", "mx6"), ("mxint8", "mxfp6_e2m3"), ("mxfp6_e3m2", "mx9"),
    ("int8_row", "int4_1x32"), ("mxfp8_e4m3", "mxfp4"), ("mxfp8_e5m2", "mxfp8_e5m2"),
    ("nvfp4", "nvfp4"), ("vsq", "mxfp4"), ("fp8_e4m3_1x128", "fp8_e4m3_1x128"), ("bf16", "bf16"),
    ("fp16", "mxfp4"), ("fp32", "fp32"),
  ]

  static func matrices(
    _ pair: (String, String), depth: Int, seed: UInt64
  ) throws -> (QuantizedMatrix, QuantizedMatrix) {
    let (a, b) = (try FormatCatalog.format(id: pair.0), try FormatCatalog.format(id: pair.1))
    return (
      QuantizedMatrix(sample([1, depth], seed: seed), format: a),
      QuantizedMatrix(sample([1, depth], seed: seed + 1000), format: b)
    )
  }

  /// The sum before tensor scales.
  static func sum(
    _ a: QuantizedMatrix, _ b: QuantizedMatrix, _ accumulator: Accumulator
  ) throws -> Float {
    let definition = try ProductDefinition(
      a: .quantized(a.format), b: .quantized(b.format), depth: a.columnCount)
    return ReferenceProduct(definition: definition).sums(
      ReferenceOperand(a, .a, definition: definition),
      ReferenceOperand(b, .b, definition: definition), accumulator: accumulator)[0]
  }

  static let depths = [1, 15, 32, 70, 300]

  @Test("The exact sum is that of an expansion, for formats of every unit", arguments: pairs)
  func exact(_ pair: (String, String)) throws {
    for (seed, depth) in Self.depths.enumerated() {
      let (a, b) = try Self.matrices(pair, depth: depth, seed: UInt64(seed))
      let rows = try Rows(a, b)
      var oracle = ExactExpansion()
      for (group, scale) in rows.scales.enumerated() {
        for index in rows.range(group) {
          // At most 48 bits each.
          oracle.add(rows.a[index] * rows.b[index], times: Double(scale.a) * Double(scale.b))
        }
      }
      let sum = try Self.sum(a, b, .exact)
      #expect(sum.bitPattern == oracle.nearestFloat.bitPattern)
      // No other model strays far from it, and none is better.
      let bound = zip(rows.a, rows.b).reduce(0) { $0 + abs($1.0 * $1.1) }
      let scale = rows.scales.map { Double($0.a) * Double($0.b) }.max() ?? 1
      for accumulator in Accumulator.standard {
        let error = abs(Double(try Self.sum(a, b, accumulator)) - Double(sum))
        #expect(error <= 0.02 * bound * scale, "\(accumulator.id)")
      }
    }
  }

  @Test("The exact sum of formats with power-of-two scales is that of their decoded values")
  func exactOfDecodedValues() throws {
    for id in ["mxfp4", "mx9", "mx4", "mxint8", "mxfp6_e3m2", "mxfp8_e4m3", "msfp12", "bf16"] {
      let (a, b) = try Self.matrices((id, id), depth: 200, seed: 77)
      let decoded = try referenceMatmul(
        a.storage.dequantized(), transposed: b.storage.dequantized(), accumulator: .exact)
      #expect(try Self.sum(a, b, .exact) == decoded.elements[0], "\(id)")
    }
  }

  @Test("The BF16 sum rounds after every group as the BF16 element format does", arguments: pairs)
  func bfloat16(_ pair: (String, String)) throws {
    for (seed, depth) in Self.depths.enumerated() {
      let (a, b) = try Self.matrices(pair, depth: depth, seed: UInt64(seed) + 50)
      let rows = try Rows(a, b)
      var y: Float = 0
      func round() throws {
        y = Tensor([y], shape: [1]).quantized(to: .bf16).dequantized().elements[0]
      }
      if rows.definition.unit == .float32 {
        for (x, z) in zip(rows.a, rows.b) {
          y = y.addingProduct(Float(x), Float(z))
          try round()
        }
      } else {
        for (group, scale) in rows.scales.enumerated() {
          let range = rows.range(group)
          let dot = rows.a[range].withUnsafeBufferPointer { left in
            rows.b[range].withUnsafeBufferPointer { rows.definition.unit.dot(left, $0) }
          }
          y = y.addingProduct(dot, scale.a * scale.b)
          try round()
        }
      }
      #expect(try Self.sum(a, b, .bfloat16).bitPattern == y.bitPattern)
    }
  }

  @Test("BF16 rounding is to nearest, ties to even, to infinity beyond the largest number")
  func bfloat16Rounding() {
    for (value, expected) in [
      (1 + 0x1p-8, 1), (1 + 0x1p-8 + 0x1p-23, 1 + 0x1p-7), (1 + 0x1.8p-7, 1 + 0x1p-6),
      (-1 - 0x1p-8, -1), (.greatestFiniteMagnitude, .infinity), (-.infinity, -.infinity),
      (0x1.fep127, 0x1.fep127), (0x1p-134, 0), (0x1.8p-133, 0x1p-132), (-0.0, -0.0),
    ] as [(Float, Float)] {
      #expect(value.roundedToBFloat16.bitPattern == expected.bitPattern)
    }
    #expect(Float.nan.roundedToBFloat16.isNaN)
    #expect(Float(bitPattern: 0x7F80_0001).roundedToBFloat16.bitPattern == Float.nan.bitPattern)
  }

  @Test("NaN and infinities reach the results of every accumulator")
  func specials() throws {
    for format in [CastFormat.bf16, .fp32] {
      for accumulator in Accumulator.standard {
        func product(_ a: [Float], _ b: [Float]) throws -> Float {
          let policy = { () -> EncodingPolicy in
            var policy = format.defaultPolicy
            policy.overflow = .special
            return policy
          }()
          func matrix(_ values: [Float]) -> QuantizedMatrix {
            QuantizedMatrix(
              Tensor(values, shape: [1, values.count]), format: format, policy: policy)
          }
          return try referenceMatmul(
            matrix(a), transposed: matrix(b), accumulator: accumulator
          ).elements[0]
        }
        #expect(try product([1, .infinity, 2], [1, 2, 3]) == .infinity)
        #expect(try product([1, .infinity, 2], [1, -2, 3]) == -.infinity)
        #expect(try product([1, .infinity], [1, 0]).isNaN)
        #expect(try product([.infinity, .infinity], [1, -1]).isNaN)
        #expect(try product([1, .nan], [1, 0]).isNaN)
      }
    }
    let scale: [UInt32] = [255]
    let codes = Array(repeating: UInt32(0), count: 32)
    let a = try matrix(.mxfp4, rows: 1, codes: codes, scales: scale)
    for accumulator in Accumulator.standard {
      #expect(
        try referenceMatmul(a, transposed: a, accumulator: accumulator).elements[0].isNaN)
    }
  }
}

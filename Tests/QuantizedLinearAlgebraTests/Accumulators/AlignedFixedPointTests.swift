import BlockFormats
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("The aligned fixed-point model of the BDR paper")
struct AlignedFixedPointTests {
  @Test("Blocks of integers align by their scales, as computed by hand")
  func scales() throws {
    // Three times 6 · 6: 108. 1 · 1 with scales 2^6 in all: 64. The largest dot product, 32 · 36,
    // is 2^-2 · 4608 with 13 bits.
    let (six, one, zero) = (UInt32(7), UInt32(2), UInt32(0))
    let first = [six, six, six] + Array(repeating: zero, count: 29)
    let second = [one] + Array(repeating: zero, count: 31)
    let a = try matrix(.mxfp4, rows: 1, codes: first + second, scales: [127, 130])
    let b = try matrix(.mxfp4, rows: 1, codes: first + second, scales: [127, 130])
    func sum(_ fractionBits: Int, _ length: Int) throws -> Float {
      try referenceMatmul(
        a, transposed: b,
        accumulator: .alignedFixedPoint(fractionBits: fractionBits, length: length)
      ).elements[0]
    }
    #expect(try sum(25, 64) == 172)
    // The second block has the top at 2^(6 - 2 + 13) = 2^17; 2^4 remains of 12 + 1 bits: 96 + 64.
    #expect(try sum(13, 64) == 160)
    // 2^6: 64 + 64, and 2^7: nothing.
    #expect(try sum(11, 64) == 128)
    #expect(try sum(10, 64) == 0)
    // Alone, the first block has the top at 2^11 and loses 108 - 104 with 8 bits; the second all.
    #expect(try sum(8, 32) == 104)
    // Lengths that are no multiple of a block round down.
    #expect(try sum(8, 63) == 104)
  }

  @Test("Floating-point elements align by block results, single products without scales")
  func results() throws {
    func sum(_ format: CastFormat, _ values: [Float], _ model: AlignedFixedPointModel) throws
      -> Float
    {
      try referenceMatmul(
        cast(format, values), transposed: cast(format, values.map { _ in 1 }),
        accumulator: .alignedFixedPoint(model)
      ).elements[0]
    }
    // One block of BF16: 13 in 3 bits is 12.
    let narrow = AlignedFixedPointModel(fractionBits: 3, length: 4)
    #expect(try sum(.bf16, [8, 1, 1, 1, 1, 1], narrow) == 12)
    #expect(try sum(.bf16, [-8, -1, -1, -1, -1, -1], narrow) == -12)
    // Products one by one: 8 and three times nothing, then 1 + 1.
    #expect(try sum(.fp32, [8, 1, 1, 1, 1, 1], narrow) == 10)
    #expect(try sum(.fp32, [8, 2.5, -2.5, 1, 1, 1], narrow) == 10)
  }

  @Test("With enough bits an accumulation is exact and rounds once")
  func wide() throws {
    for pair in [("mx9", "mx9"), ("mx4", "mx6"), ("msfp16", "msfp12"), ("mxint8", "mxint8")] {
      let (a, b) = (
        try FormatCatalog.format(id: pair.0), try FormatCatalog.format(id: pair.1)
      )
      for seed in 0..<20 {
        let x = QuantizedMatrix(
          sample([1, 64], seed: UInt64(seed), exponents: 0...1), format: a)
        let y = QuantizedMatrix(
          sample([1, 64], seed: UInt64(seed) + 99, exponents: 0...1), format: b)
        let wide = try AccumulatorTests.sum(x, y, .alignedFixedPoint(fractionBits: 32))
        #expect(wide == (try AccumulatorTests.sum(x, y, .exact)))
      }
    }
  }

  @Test("The model agrees with one in integers, for formats of every unit")
  func integerModel() throws {
    let models = [
      AlignedFixedPointModel(), AlignedFixedPointModel(fractionBits: 8, length: 64),
      AlignedFixedPointModel(fractionBits: 12, length: 1),
      AlignedFixedPointModel(fractionBits: 32, length: 100),
    ]
    for pair in AccumulatorTests.pairs {
      for (seed, depth) in [1, 33, 128, 300].enumerated() {
        let (a, b) = try AccumulatorTests.matrices(pair, depth: depth, seed: UInt64(seed) + 300)
        let rows = try AccumulatorTests.Rows(a, b)
        var width = 1
        if rows.definition.unit.isExact {
          let (x, y) = (
            ProductDefinitionTests.extremes(a.format.layout),
            ProductDefinitionTests.extremes(b.format.layout)
          )
          let greatest =
            Double.scaled(x.greatest, byPowerOfTwo: -rows.definition.unitExponents.a)
            * Double.scaled(y.greatest, byPowerOfTwo: -rows.definition.unitExponents.b)
            * Double(rows.definition.groupLength)
          width = Int(greatest.exponent) + 1
        }
        for model in models {
          let expected = try integerSum(rows, width, model)
          let sum = try AccumulatorTests.sum(a, b, .alignedFixedPoint(model))
          #expect(sum == expected, "\(pair) \(model.id) \(depth)")
        }
      }
    }
  }

  /// A block: an integer times a power of two, and how far up it may reach.
  private struct Block {
    var integer: Int128
    var exponent: Int
    var reach: Int?
  }

  private func integerSum(
    _ rows: AccumulatorTests.Rows, _ width: Int, _ model: AlignedFixedPointModel
  ) throws -> Float {
    func block(_ range: Range<Int>, _ scale: Double) throws -> Block {
      guard scale != 0 else { return Block(integer: 0, exponent: 0, reach: nil) }
      // Multiples of 2^-80: of 2^-40 with elements from scaled formats.
      let point = rows.definition.unit.isExact ? 0 : scale == 1 ? 80 : 40
      let dot = try range.reduce(Int128(0)) { sum, index in
        let product = Double.scaled(rows.a[index] * rows.b[index], byPowerOfTwo: point)
        return sum + (try #require(Int128(exactly: product)))
      }
      // The scale as an odd integer.
      var (factor, exponent) = (
        Int128(scale.significandBitPattern | 1 << 52), Int(scale.exponent) - 52
      )
      while factor.isMultiple(of: 2) { (factor, exponent) = (factor / 2, exponent + 1) }
      let (integer, overflows) = dot.multipliedReportingOverflow(by: factor)
      try #require(!overflows)
      exponent -= point
      let leading = 128 - integer.magnitude.leadingZeroBitCount + exponent
      let reach =
        rows.definition.unit.isExact
        ? Int(scale.exponent) + width : integer == 0 ? nil : leading
      return Block(integer: integer, exponent: exponent, reach: reach)
    }
    var blocks: [Block] = []
    var count = max(1, model.length / rows.definition.groupLength)
    if rows.definition.unit == .float32 {
      blocks = try rows.a.indices.map { try block($0..<$0 + 1, 1) }
      count = model.length
    } else {
      blocks = try rows.scales.enumerated().map { group, scale in
        try block(rows.range(group), Double(scale.a) * Double(scale.b))
      }
    }
    var y: Float = 0
    for first in stride(from: 0, to: blocks.count, by: count) {
      let part = blocks[first..<min(first + count, blocks.count)]
      guard let top = part.compactMap(\.reach).max() else { continue }
      let last = top - model.fractionBits
      let sum = part.reduce(Int128(0)) { sum, block in
        let shift = block.exponent - last
        if shift >= 0 { return sum + block.integer << Int128(shift) }
        return shift < -126 ? sum : sum + block.integer / (Int128(1) << Int128(-shift))
      }
      y += Float(Double.scaled(Double(sum), byPowerOfTwo: last))
    }
    return y
  }
}

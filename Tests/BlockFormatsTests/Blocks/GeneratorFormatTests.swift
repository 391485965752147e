import BlockFormats
import Testing

/// A format written from outside the library, in the manner of SeedLM.
///
/// A block of eight values is a combination of three pseudo-random sign vectors. Stored are the
/// generator's seed, a shared exponent and three coefficients instead of eight codes.
private struct GeneratorFormat: BlockFormat {
  let id = "generator"
  let source = "this test"
  let layout = BlockLayout(
    block: .vector(length: 8),
    fields: [
      StoredField("codes", .int4, .perBlock(3), role: .opaque),
      StoredField("seeds", .unsignedInteger(bitCount: 8), .perBlock(1), role: .opaque),
      StoredField("exponents", .unsignedInteger(bitCount: 4), .perBlock(1), role: .opaque),
    ])
  let defaultPolicy = EncodingPolicy(scaleRule: .unscaled)
  let scaleRules: [ScaleRule] = [.unscaled]

  /// Row c of the matrix that a seed stands for.
  static func signs(seed: UInt32, row: Int) -> [Float] {
    (0..<3).map { (seed &* 2_654_435_761 >> UInt32(3 * row + $0)) & 1 == 0 ? 1 : -1 }
  }

  static func value(_ q: [Int], seed: UInt32, exponent: UInt32, row: Int) -> Float {
    let sum = zip(signs(seed: seed, row: row), q).reduce(0) { $0 + $1.0 * Float($1.1) }
    return sum * Float(sign: .plus, exponent: Int(exponent) - 8, significand: 1)
  }

  func encodeScale(
    of values: Span<Float>, statistics: ValueStatistics,
    context: borrowing EncodingContext, into fields: inout BlockFields
  ) {
    var best = Float.infinity
    for seed in UInt32(0)..<12 {
      for exponent in UInt32(0)..<16 {
        let unit = Float(sign: .plus, exponent: Int(exponent) - 8, significand: 1)
        let q = (0..<3).map { p in
          var dot = Float(0)
          for row in values.indices { dot += values[row] * Self.signs(seed: seed, row: row)[p] }
          return Int(min(max((dot / Float(values.count) / unit).rounded(), -7), 7))
        }
        var error = Float(0)
        for row in values.indices {
          let e = values[row] - Self.value(q, seed: seed, exponent: exponent, row: row)
          error += e * e
        }
        if error < best {
          best = error
          fields[1, 0] = seed
          fields[2, 0] = exponent
          for p in 0..<3 { fields[0, p] = UInt32(bitPattern: Int32(q[p])) & 15 }
        }
      }
    }
  }

  func encodeElements(
    of values: Span<Float>, context: borrowing EncodingContext,
    into fields: inout BlockFields
  ) {}

  func decode(
    _ fields: BlockFields, context: borrowing DecodingContext,
    into values: inout MutableSpan<Float>
  ) {
    let q = (0..<3).map { Int(context.elementValue(of: fields[0, $0])) }
    for row in values.indices {
      values[row] = Self.value(
        q, seed: fields[1, 0], exponent: fields[2, 0], row: row)
    }
  }
}

@Suite("A format from outside that stores a generator's seed")
struct GeneratorFormatTests {
  private let tensor = Tensor((0..<60).map { Float($0 * 7 % 31) - 15 }, shape: [3, 20])

  @Test("Three bits an element are stored: seed, exponent and three coefficients a block")
  func size() {
    #expect(GeneratorFormat().layout.nominalBitsPerElement == 3)
    let q = Tensor((0..<64).map(Float.init), shape: [1, 64]).quantized(to: GeneratorFormat())
    // Eight blocks of 3 · 4 + 8 + 4 bits.
    #expect(q.storedByteCount == 24)
    #expect(q.storedBytes.count == 24)
    #expect(q.shape(of: "codes") == [1, 24])
  }

  @Test(
    "Any axis and tail decodes to the combination that the stored fields name", arguments: [0, 1])
  func fieldsNameTheValues(axis: Int) throws {
    let q = tensor.quantized(to: GeneratorFormat(), axis: axis)
    let y = q.dequantized()
    #expect(y == tensor.fakeQuantized(to: GeneratorFormat(), axis: axis).tensor)
    let (codes, seeds, exponents) = (
      q["codes"].unpacked(), q["seeds"].unpacked(), q["exponents"].unpacked()
    )
    #expect(q.shape(of: "seeds") == (axis == 0 ? [1, 20] : [3, 3]))
    #expect(q.shape(of: "codes") == (axis == 0 ? [3, 20] : [3, 9]))
    for row in 0..<3 {
      for column in 0..<20 {
        let (lane, along) = axis == 0 ? (column, row) : (row, column)
        let block = axis == 0 ? lane : lane * 3 + along / 8
        let coefficients = (0..<3).map { p in
          let code = codes[axis == 0 ? p * 20 + lane : block * 3 + p]
          return Int(ElementFormat.int4.value(of: code))
        }
        let expected = GeneratorFormat.value(
          coefficients, seed: seeds[block], exponent: exponents[block], row: along % 8)
        #expect(y.elements[row * 20 + column] == expected)
      }
    }
  }
}

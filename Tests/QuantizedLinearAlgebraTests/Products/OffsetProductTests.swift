import BlockFormats
import FormatTestSupport
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("Products of blocks with offsets")
struct OffsetProductTests {
  private func format(_ id: String) throws -> any BlockFormat { try FormatCatalog.format(id: id) }

  private func definition(
    _ a: String, _ b: String, depth: Int
  ) throws -> ProductDefinition {
    try ProductDefinition(
      a: .quantized(format(a)), b: .quantized(format(b)), depth: depth)
  }

  /// The one element of a product by the reference and by every level.
  private func product(_ a: QuantizedMatrix, _ b: QuantizedMatrix) throws -> Float {
    let expected = try referenceMatmul(a, transposed: b)
    for level in KernelLevel.supported {
      #expect(bits(try matmul(a, transposed: b, level: level)) == bits(expected), "\(level.id)")
    }
    return expected.elements[0]
  }

  /// A row of an affine format with FP32 scales and offsets.
  private func affine(
    _ id: String, _ codes: [UInt32], scales: [Float], offsets: [Float]
  ) throws -> QuantizedMatrix {
    try matrix(
      format(id), rows: 1, codes: codes, scales: scales.map(\.bitPattern),
      offsets: offsets.map(\.bitPattern))
  }

  // MARK: - Definition

  @Test("Offsets leave operands on the integer unit that their elements find")
  func units() throws {
    for (a, b, unit, group, middles) in [
      ("affine4", "affine4", .int8, 64, (8, 8)), ("mxint8", "affine4", .int8, 32, (nil, 8)),
      ("affine8", "mxfp4", .int8, 32, (128, nil)), ("q8_0", "q4_1", .int8, 32, (nil, 8)),
      ("int8_row", "affine4", .int8, 64, (nil, 8)), ("q5_1", "mx9", .int16, 16, (16, nil)),
      ("nvfp4", "affine2", .int8, 16, (nil, 2)), ("affine8", "mxfp6_e3m2", .int16, 32, (128, nil)),
    ] as [(String, String, ProductUnit, Int, (Int?, Int?))] {
      let product = try definition(a, b, depth: 200)
      #expect((product.unit, product.groupLength) == (unit, group), "\(a) \(b)")
      #expect(product.middles == middles, "\(a) \(b)")
    }
    // Without an integer unit both are decoded, whatever their blocks.
    for (a, b) in [
      ("mxfp8_e4m3", "affine4"), ("affine4", "bf16"), ("q4_k", "affine4"),
      ("affine4(group=48)", "mxfp8_e4m3"),
    ] {
      let product = try definition(a, b, depth: 512)
      #expect((product.unit, product.groupCount, product.hasOffsets) == (.float32, 1, false))
    }
    #expect(throws: ProductError.self) { try definition("affine4", "mxint8(block=48)", depth: 512) }
  }

  @Test("ggml's formats without offsets run on the integer unit of eight bits")
  func ggml() throws {
    for (a, b) in [("q8_0", "q8_0"), ("q8_0", "q4_0"), ("q4_0", "q4_0"), ("q5_0", "mxint8")] {
      let product = try definition(a, b, depth: 512)
      #expect((product.unit, product.groupLength, product.hasOffsets) == (.int8, 32, false))
    }
  }

  @Test("Numbers without a rounding give the exact sum of decoded values")
  func exactNumbers() throws {
    // 0.5 q - 3 and 0.25 q + 1.
    let a = try affine("affine4", [0, 15, 7, 9, 1], scales: [0.5], offsets: [-3])
    let b = try affine("affine4", [3, 2, 15, 0, 8], scales: [0.25], offsets: [1])
    let x: [Float] = [-3, 4.5, 0.5, 1.5, -2.5]
    let y: [Float] = [1.75, 1.5, 4.75, 1, 3]
    #expect(a.storage.dequantized().elements == x && b.storage.dequantized().elements == y)
    let sum = zip(x, y).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(try product(a, b) == sum)
    #expect(try product(b, a) == sum)
    // One operand without offsets: E2M1 codes of 1, 2, -1, 0, 6 with a scale of 2^3.
    let c = try matrix(.mxfp4, rows: 1, codes: [2, 4, 10, 0, 7], scales: [130])
    let z: [Float] = [8, 16, -8, 0, 48]
    #expect(try product(a, c) == zip(x, z).reduce(0) { $0 + $1.0 * $1.1 })
    #expect(try product(c, b) == zip(z, y).reduce(0) { $0 + $1.0 * $1.1 })
  }

  @Test("A step rounds the integers' part, then the offsets of B, then those of A")
  func order() throws {
    // Middles: 8 · 2^-3 + 2^24 - 1 = 2^24, and 8 · 1 - 7 = 1; R is -1 and 1.
    let a = try affine("affine4", [7], scales: [0x1p-3], offsets: [0x1p24 - 1])
    let b = try affine("affine4", [9], scales: [1], offsets: [-7])
    // D · s = -2^-3; u = 2^24 - 2^-3 rounded to 2^24; Y = 2^24 - 2^-3 rounded to 2^24; then
    // + 2^24 · 1. The exact product is (2^24 - 2^-3) · 2.
    #expect(try product(a, b) == 0x1p25)
    // The other way: u = 1 + 1 = 2, Y = -2^-3 + 2 · 2^24, and then 1 · v = -2^-3.
    #expect(try product(b, a) == 0x1p25)
    // The middle is fused: 8 · s + o with an s of 24 bits.
    let s: Float = 1 + 0x1p-23
    let c = try affine("affine4", [8], scales: [s], offsets: [-8])
    #expect(try product(c, try affine("affine4", [9], scales: [1], offsets: [-8])) == 0x1p-20)
    // Not u · (m + ...): a sum of A's values that FP32 rounds. 3 values of 1 + 2^-23, an odd one.
    let d = try affine("affine4", [8, 8, 8], scales: [0], offsets: [s])
    let e = try affine("affine4", [8, 8, 8], scales: [0], offsets: [1])
    #expect(try product(d, e) == Float(3 * Double(s)))
  }

  @Test("The bits are those of the formula, written out", arguments: FormatPair.offsets)
  func formula(pair: FormatPair) throws {
    let depth = 133
    let definition = try ProductDefinition(
      a: .quantized(pair.a), b: .quantized(pair.b), depth: depth)
    #expect(definition.unit.isExact)
    for seed in UInt64(1)...3 {
      let a = QuantizedMatrix(sample([1, depth], seed: seed), format: pair.a)
      let b = QuantizedMatrix(sample([1, depth], seed: seed + 50), format: pair.b)
      let (x, y) = (Line(a, definition, .a), Line(b, definition, .b))
      var sum: Float = 0
      for start in stride(from: 0, to: depth, by: definition.groupLength) {
        let range = start..<min(start + definition.groupLength, depth)
        let (s, t) = (x.scale(start), y.scale(start))
        let dot = range.reduce(0) { $0 + x.integers[$1] * y.integers[$1] }
        // Scales are normal numbers with normal products here.
        sum = (s * t).addingFused(Float(dot), sum)
        let n = Double(range.count)
        let (sumA, sumB) = (
          Float(range.reduce(0) { $0 + x.integers[$1] }),
          Float(range.reduce(0) { $0 + y.integers[$1] })
        )
        if let middle = y.middle(start) {
          let own = x.middle(start).map { n * Double($0) } ?? 0
          sum = middle.addingFused(Float(Double(sumA) * Double(s) + own), sum)
        }
        if let middle = x.middle(start) {
          sum = middle.addingFused(Float(Double(sumB) * Double(t)), sum)
        }
      }
      sum *= (a.storage.tensorScale ?? 1) * (b.storage.tensorScale ?? 1)
      #expect(try product(a, b).bitPattern == sum.bitPattern)
    }
  }

  /// A row taken apart here, by the layout's fields.
  private struct Line {
    let integers: [Int]
    private let scales: [Float]
    private let offsets: [Float]
    private let (length, middleCode): (Int, Int)

    init(_ matrix: QuantizedMatrix, _ definition: ProductDefinition, _ side: ReferenceOperand.Side)
    {
      let storage = matrix.storage
      let layout = storage.format.layout
      let unit = side == .a ? definition.unitExponents.a : definition.unitExponents.b
      let columns = matrix.columnCount
      func values(_ index: Int) -> [Double] {
        let element = layout.fields[index].element
        return storage.planes[index].unpacked().map { element.value(of: $0) }
      }
      func index(_ role: StoredField.Role) -> Int? {
        layout.fields.indices.dropFirst().first {
          layout.fields[$0].role == role && layout.fields[$0].extent == .perBlock(1)
        }
      }
      let shift = layout.fields.firstIndex {
        if case .every = $0.extent { true } else { false }
      }
      let shifts = shift.map { storage.planes[$0].unpacked() }
      let offset = index(.offset)
      let code = offset == nil ? 0 : layout.element.codeCount / 2
      integers = values(0).enumerated().map { place, value in
        var exponent = -unit
        if let shift, let shifts, case .every(let length) = layout.fields[shift].extent {
          exponent -= Int(shifts[place / length])
        }
        return Int(Double.scaled(value - Double(code), byPowerOfTwo: exponent))
      }
      let power = Float(sign: .plus, exponent: unit, significand: 1)
      scales = index(.factor).map { values($0).map { Float($0) * power } } ?? [power]
      offsets = offset.map { values($0).map { Float($0) } } ?? []
      middleCode = code
      if case .vector(let block) = layout.block { length = block } else { length = columns }
    }

    /// The largest magnitude that a value takes on its way: |q - c| · s + c · s + |o|.
    func reach(_ place: Int) -> Double {
      let integer = Double(abs(integers[place]) + middleCode)
      let offset = offsets.isEmpty ? 0 : abs(Double(offsets[place / length]))
      return integer * abs(Double(scale(place))) + offset
    }

    func scale(_ place: Int) -> Float { scales[place / length] }

    func middle(_ place: Int) -> Float? {
      guard !offsets.isEmpty else { return nil }
      return offsets[place / length].addingProduct(Float(middleCode), scale(place))
    }
  }

  // MARK: - Corners

  @Test(
    "Factors and offsets that are not finite reach the result as IEEE 754 has it, NaN canonical")
  func specials() throws {
    let ones = [UInt32](repeating: 9, count: 70)
    let b = try matrix(
      .mxfp4, rows: 1, codes: [UInt32](repeating: 2, count: 70), scales: [127, 127, 127])
    for (scale, offset, expected) in [
      (.nan, 0, .nan), (1, .nan, .nan), (.infinity, 0, .infinity), (1, .infinity, .infinity),
      (1, -.infinity, -.infinity), (.infinity, -.infinity, .nan),
      (Float(nan: 5, signaling: false), 1, .nan),
    ] as [(Float, Float, Float)] {
      let a = try affine("affine4", ones, scales: [1, scale], offsets: [-8, offset])
      let y = try product(a, b)
      #expect(y.bitPattern == expected.bitPattern, "\(scale) \(offset): \(y)")
      #expect(try product(b, a).bitPattern == expected.bitPattern, "\(scale) \(offset)")
      #expect(try product(a, a).isNaN || y == .infinity || y == -.infinity)
    }
    // A NaN of the other operand meets an offset of 0.
    let nan = try matrix(.mxfp4, rows: 1, codes: [2, 2], scales: [255])
    let zero = try affine("affine4", [8, 8], scales: [1], offsets: [-8])
    #expect(try product(nan, zero).bitPattern == Float.nan.bitPattern)
    #expect(try product(zero, nan).bitPattern == Float.nan.bitPattern)
  }

  @Test("Scales that leave FP32's range when multiplied leave offsets what they are")
  func extremes() throws {
    let a = try affine("affine4", [9, 7], scales: [0x1p-100], offsets: [1])
    let b = try affine("affine4", [9, 7], scales: [0x1p-90], offsets: [2])
    // D = 2 is lost; u = 2, v = 0.
    #expect(try product(a, b) == 4)
    let c = try affine("affine4", [9, 9], scales: [0x1p100], offsets: [-0x1p103])
    let d = try affine("affine4", [9, 9], scales: [0x1p20], offsets: [-0x1p23])
    #expect(try product(c, d) == 0x1p121)
    #expect(try product(c, c) == .infinity)
    // A sum of values beyond FP32 is infinite.
    let e = try affine("affine4", [8, 8, 8, 8], scales: [0], offsets: [0x1p126])
    let f = try affine("affine4", [8, 8, 8, 8], scales: [0], offsets: [0x1p-20])
    #expect(try product(e, f) == .infinity)
    #expect(try product(f, e) == 0x1p108)
  }

  @Test("Groups of one value, and of zeros as ggml stores them, lose nothing")
  func constants() throws {
    for value in [Float(0), 3, -0.5] {
      let row = Tensor([Float](repeating: value, count: 96), shape: [1, 96])
      let a = QuantizedMatrix(row, format: try format("q4_1"))
      let b = QuantizedMatrix(row, format: try format("q8_0"))
      let other = b.storage.dequantized().elements.reduce(0, +) * value
      #expect(try product(a, a) == 96 * value * value)
      #expect(try product(b, a) == other)
    }
  }

  // MARK: - Other ways

  @Test(
    "Batches, epilogues, threads and levels give the reference's bits",
    arguments: [
      ("affine4", "affine8"), ("mxint8", "affine4"), ("q4_1", "mx9"), ("affine4", "nvfp4"),
    ])
  func batches(_ pair: (String, String)) throws {
    let (m, n, k) = (11, 37, 150)
    let a = QuantizedMatrix(sample([2, m, k], seed: 1), format: try format(pair.0))
    let b = QuantizedMatrix(sample([2, n, k], seed: 2), format: try format(pair.1))
    let old = sample([2, m, n], seed: 3)
    let epilogue = ProductEpilogue(alpha: 0.3, beta: -1.5, bias: (0..<n).map { Float($0) / 7 })
    let expected = try referenceMatmul(a, transposed: b, epilogue: epilogue, adding: old)
    for level in KernelLevel.supported {
      let prepared = try PreparedMatrix(
        b, for: .quantized(a.format), level: level, parallelism: .threads(2))
      for threads in 1...3 {
        var y = old
        prepared.multiply(a, into: &y, epilogue: epilogue, parallelism: .threads(threads))
        #expect(bits(y) == bits(expected), "\(level.id) \(threads)")
      }
    }
  }

  @Test("Other accumulators and FP32 operands see decoded values", arguments: FormatPair.offsets)
  func decodedValues(pair: FormatPair) throws {
    let a = QuantizedMatrix(sample([3, 100], seed: 1), format: pair.a)
    let b = QuantizedMatrix(sample([4, 100], seed: 2), format: pair.b)
    let definition = try ProductDefinition(
      a: .quantized(pair.a), b: .quantized(pair.b), depth: 100)
    let decoded = (a.storage.dequantized(), b.storage.dequantized())
    #expect(
      bits(try matmul(decoded.0, transposed: b))
        == bits(try matmul(decoded.0, transposed: decoded.1)))
    guard definition.hasOffsets else { return }
    let rows = try ReferenceRows(.quantized(a), transposed: .quantized(b), rows: [2, 0])
    for accumulator in Accumulator.standard {
      let y = try referenceMatmul(a, transposed: b, accumulator: accumulator)
      if accumulator != .float32 {
        let expected = try referenceMatmul(
          decoded.0, transposed: decoded.1, accumulator: accumulator)
        #expect(bits(y) == bits(expected), "\(accumulator.id)")
      }
      let some = rows.product(accumulator).map(\.bitPattern)
      #expect(some == Array(bits(y)[8..<12] + bits(y)[0..<4]), "\(accumulator.id)")
    }
  }

  @Test("The result stays within its roundings of the exact sum", arguments: FormatPair.offsets)
  func bounds(pair: FormatPair) throws {
    let depth = 150
    let definition = try ProductDefinition(
      a: .quantized(pair.a), b: .quantized(pair.b), depth: depth)
    for (seed, exponents) in [-4...4, -30 ... -28, 20...40, 0...0].enumerated() {
      let a = QuantizedMatrix(
        sample([1, depth], seed: UInt64(seed), exponents: exponents), format: pair.a)
      let b = QuantizedMatrix(
        sample([1, depth], seed: UInt64(seed) + 9, exponents: exponents), format: pair.b)
      let exact = Double(
        try referenceMatmul(a, transposed: b, accumulator: .exact).elements[0])
      let (x, y) = (Line(a, definition, .a), Line(b, definition, .b))
      let tensor = Double(a.storage.tensorScale ?? 1) * Double(b.storage.tensorScale ?? 1)
      let magnitude = (0..<depth).reduce(0) { $0 + x.reach($1) * y.reach($1) } * tensor
      // Decoding takes two roundings of either operand, tensor scales two, their products three and
      // the exact sum one. In the product m, u or v, D and sₐ · s_b are rounded, and Y three times a
      // group; each rounds at most the sum of the magnitudes. Nothing here is near subnormal numbers.
      let roundings = Double(4 + 2 + 3 + 1 + 2 + 1 + 1 + 1 + 3 * definition.groupCount)
      let error = abs(Double(try product(a, b)) - exact)
      #expect(error <= 1.01 * roundings * 0x1p-24 * magnitude, "\(exponents)")
    }
  }
}

extension Float {
  /// self · factor + sum, rounded once.
  fileprivate func addingFused(_ factor: Float, _ sum: Float) -> Float {
    sum.addingProduct(self, factor)
  }
}

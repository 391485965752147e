import BlockFormats
import NumericSupport
import Testing

@testable import QuantizedLinearAlgebra

@Suite("The definition of products")
struct ProductDefinitionTests {
  static func definition(
    _ a: some BlockFormat, _ b: some BlockFormat, depth: Int
  ) throws(ProductError) -> ProductDefinition {
    try ProductDefinition(a: .quantized(a), b: .quantized(b), depth: depth)
  }

  @Test("Formats find the unit, group and unit exponents that their elements allow")
  func units() throws {
    let mxfp4 = try Self.definition(.mxfp4, .mxfp4, depth: 96)
    #expect((mxfp4.unit, mxfp4.groupLength, mxfp4.groupCount) == (.int8, 32, 3))
    #expect(mxfp4.unitExponents == (-1, -1))
    let e3m2 = try FormatCatalog.format(id: "mxfp6_e3m2")
    let mixed = try Self.definition(e3m2, .mx9, depth: 40)
    #expect((mixed.unit, mixed.groupLength, mixed.groupCount) == (.int16, 16, 3))
    #expect(mixed.unitExponents == (-4, -7))
    let fp8 = try Self.definition(.mxfp8E4M3, .mxfp4, depth: 33)
    #expect((fp8.unit, fp8.groupLength, fp8.groupCount) == (.bfloat16, 32, 2))
    #expect(fp8.unitExponents == (0, 0))
    let fp16 = try Self.definition(.cast(to: .fp16), .mxfp4, depth: 33)
    #expect((fp16.unit, fp16.groupLength, fp16.groupCount) == (.float32, 33, 1))
    #expect(try Self.definition(.mxfp4, .mxfp4, depth: 0).groupCount == 0)
    // 1.75 · 2 · 2 in quarters.
    let hif4 = HiF4Format()
    let doubled = try Self.definition(hif4, hif4, depth: 200)
    #expect((doubled.unit, doubled.groupLength, doubled.groupCount) == (.int8, 64, 4))
    #expect(doubled.unitExponents == (-2, -2) && doubled.dotBitWidth == 16)
    #expect(try Self.definition(hif4, .mxfp4, depth: 200).groupLength == 32)
    #expect(try Self.definition(hif4, .mx9, depth: 200).unit == .int16)
  }

  @Test("Block lengths of which neither divides the other throw, with their numbers")
  func unalignedBlocks() throws {
    let a = try FormatCatalog.format(id: "int(bits=8,block=24)")
    let b = try FormatCatalog.format(id: "int(bits=8,block=32)")
    #expect(throws: ProductError.unalignedBlocks(a: a.id, 24, b: b.id, 32)) {
      try Self.definition(a, b, depth: 96)
    }
    #expect(throws: ProductError.unalignedBlocks(a: b.id, 32, b: a.id, 24)) {
      try referenceMatmul(
        QuantizedMatrix(sample([2, 96], seed: 1), format: b),
        transposed: QuantizedMatrix(sample([2, 96], seed: 2), format: a))
    }
    // A block that reaches the end of the axis has no neighbour to be cut against.
    #expect(try Self.definition(a, b, depth: 32).groupLength == 24)
    #expect(try Self.definition(a, b, depth: 20).groupLength == 20)
  }

  /// The largest magnitude of an element with the powers of two of its parts, by trying every code, and
  /// the power of two that makes all of them integers, by trying powers.
  static func extremes(_ layout: BlockLayout) -> (greatest: Double, unitExponent: Int) {
    let deepest = layout.factors?.shift.map { (1 << $0.bitWidth) - 1 } ?? 0
    let values = layout.element.valueTable
    let finest = values.map { $0 * Double(sign: .plus, exponent: -deepest, significand: 1) }
    var exponent = 0
    func areIntegers() -> Bool {
      finest.allSatisfy { value in
        let scaled = value * Double(sign: .plus, exponent: -exponent, significand: 1)
        return scaled.rounded() == scaled
      }
    }
    while !areIntegers() { exponent -= 1 }
    // Other fields of parts have bits that double.
    let doublings = layout.fields.count { field in
      guard case .every = field.extent else { return false }
      return field.element.valueTable == [1, 2]
    }
    return ((values.map(\.magnitude).max() ?? 0) * Double(1 << doublings), exponent)
  }

  @Test("Extreme blocks of up to 32 elements of all pairs of integer formats stay below 2^24")
  func bounds() throws {
    let formats = FormatCatalog.all.filter {
      guard case .vector(let length) = $0.layout.block, length <= 32,
        let factors = $0.layout.factors, factors.scale != nil
      else { return false }
      return $0 is any FactoredFormat && OperandElements(factors).integers != nil
    }
    #expect(formats.count >= 15)
    var widest: [String: Int] = [:]
    for a in formats {
      for b in formats {
        let definition = try Self.definition(a, b, depth: 4096)
        guard definition.unit.isExact else { continue }
        let (x, y) = (Self.extremes(a.layout), Self.extremes(b.layout))
        let length = definition.groupLength
        let left = [Double](
          repeating: Double.scaled(x.greatest, byPowerOfTwo: -x.unitExponent), count: length)
        let right = [Double](
          repeating: Double.scaled(y.greatest, byPowerOfTwo: -y.unitExponent), count: length)
        // In integers, and by the unit's own arithmetic.
        let dot = zip(left, right).reduce(0) { $0 + Int($1.0) * Int($1.1) }
        #expect(dot < 1 << 24, "\(a.id) \(b.id)")
        #expect(definition.unitExponents.a <= x.unitExponent)
        #expect(definition.unitExponents.b <= y.unitExponent)
        let byUnit = left.withUnsafeBufferPointer { left in
          right.withUnsafeBufferPointer { definition.unit.dot(left, $0) }
        }
        #expect(Int(byUnit) == dot)
        // The claimed width covers the block, and units of the definition may only be finer.
        #expect(dot < 1 << definition.dotBitWidth)
        if a.id == b.id { widest[a.id] = Int.bitWidth - dot.leadingZeroBitCount }
      }
    }
    // 32 · 448², 16 · 254², 32 · 12².
    #expect(widest["mxfp6_e3m2"] == 23)
    #expect(widest["mx9"] == 20)
    #expect(widest["mxfp4"] == 13)
    #expect(widest["mxint8"] == 20)
  }

  @Test("Integers fit the width that operands claim, with the largest code among them")
  func integerWidths() {
    for format in FormatCatalog.all where format.layout.element.bitWidth <= 16 {
      guard let integers = format.layout.factors.flatMap({ OperandElements($0).integers }) else {
        continue
      }
      let (greatest, unitExponent) = Self.extremes(format.layout)
      #expect(integers.unitExponent <= unitExponent, "\(format.id)")
      let scaled = Double.scaled(greatest, byPowerOfTwo: -integers.unitExponent)
      #expect(Double(integers.greatest) == scaled, "\(format.id)")
      let values = format.layout.element.valueTable.map {
        Int(Double.scaled($0, byPowerOfTwo: -integers.unitExponent))
      }
      let range = -(1 << (integers.bitWidth - 1))...((1 << (integers.bitWidth - 1)) - 1)
      #expect(values.allSatisfy(range.contains), "\(format.id)")
    }
  }
}

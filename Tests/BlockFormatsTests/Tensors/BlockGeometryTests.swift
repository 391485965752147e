import BlockFormats
import FormatTestSupport
import Testing

@Suite("Blocks over shapes, axes and tails")
struct BlockGeometryTests {
  /// One small format for each way in which blocks lie, with lengths that no byte divides.
  private static func formats() throws -> [(
    format: any BlockFormat, reference: ReferenceBlockFormat
  )] {
    let wanted = [
      "mxfp4(block=3)", "mx(element=float(e=2,m=2,specials=none),block=5)",
      "bdr(m=3,k1=6,k2=3,d1=5,d2=3)", "bdr(m=15,k1=4,k2=1,d1=8,d2=2)", "nvfp4(block=5)",
      "int(bits=5,block=7)", "int(bits=13,block=row)", "int(bits=2,block=tensor)", "e2m3fn",
      "bfp(m=11,block=1,d1=8)",
    ]
    let entries = ReferenceTable.unusual + ReferenceTable.catalog
    return try wanted.map { id in
      (try FormatCatalog.format(id: id), try #require(entries.first { $0.id == id }).format)
    } + ReferenceTable.tiles
  }

  private func check(_ shape: [Int], _ seed: UInt64) throws {
    let values = randomValues(shape.reduce(1, *), exponents: -4...4, seed: seed)
    for (format, reference) in try Self.formats() {
      for axis in 0..<max(shape.count, 1) {
        expectReference(values, shape: shape, axis: axis, format: format, reference: reference)
      }
    }
  }

  @Test("Scalars and vectors of every small length match the coordinate oracle")
  func vectors() throws {
    try check([], 1)
    for length in 0...16 { try check([length], UInt64(10 + length)) }
    for length in [23, 41, 97] { try check([length], UInt64(10 + length)) }
  }

  @Test("Matrices match along both axes, with lengths around the block length")
  func matrices() throws {
    for rows in [0, 1, 2, 3, 5, 7, 13] {
      for columns in [0, 1, 4, 6, 7, 11] {
        try check([rows, columns], UInt64(100 * rows + columns))
      }
    }
  }

  @Test("Ranks three and four match along every axis")
  func higherRanks() throws {
    for shape in [[2, 3, 7], [5, 1, 4], [1, 7, 1], [3, 2, 5, 3], [2, 7, 1, 6], [1, 1, 1, 1]] {
      try check(shape, UInt64(shape.reduce(0) { 10 * $0 + $1 }))
    }
  }

  @Test("A zero extent in any position gives no codes, no scales and no values")
  func emptyShapes() throws {
    for shape in [[0, 3, 4], [3, 0, 4], [3, 4, 0], [0, 0], [2, 0, 3, 2], [0, 1, 0, 5]] {
      try check(shape, 7)
      for (format, _) in try Self.formats() {
        for axis in shape.indices {
          let tensor = Tensor([], shape: shape).quantized(to: format, axis: axis)
          #expect(tensor.codes.bytes.isEmpty && tensor.scales.bytes.isEmpty)
          let numbers = format.layout.fields.count { $0.extent == .perTensor }
          #expect(tensor.storedByteCount == 4 * numbers)
          #expect(tensor.blockCount == 0)
          if numbers == 0 { #expect(tensor.bitsPerElement.isNaN) }
          #expect(tensor.dequantized() == Tensor([], shape: shape))
          #expect(Tensor([], shape: shape).fakeQuantized(to: format, axis: axis).blockCount == 0)
        }
      }
    }
  }

  @Test("Scales and sub-scales have the tensor's shape with the block axis divided, rounded up")
  func scaleShapes() throws {
    let tensor = Tensor([Float](repeating: 1, count: 5 * 33 * 50), shape: [5, 33, 50])
    func shapes(_ id: String, _ axis: Int) throws -> [[Int]?] {
      let encoded = tensor.quantized(to: try FormatCatalog.format(id: id), axis: axis)
      return ["scales", "subscales"].map { field in
        encoded.format.layout.index(of: field).map { _ in encoded.shape(of: field) }
      }
    }
    #expect(try shapes("mxfp4", -1) == [[5, 33, 2], nil])
    #expect(try shapes("mxfp4", 1) == [[5, 2, 50], nil])
    #expect(try shapes("mxfp4", 0) == [[1, 33, 50], nil])
    #expect(try shapes("mx9", -1) == [[5, 33, 4], [5, 33, 25]])
    #expect(try shapes("mx9", -2) == [[5, 3, 50], [5, 17, 50]])
    #expect(try shapes("nvfp4_2d", 0) == [[5, 3, 4], nil])
    #expect(try shapes("fp8_e4m3_row", -1) == [[5, 33, 1], nil])
    #expect(try shapes("fp8_e4m3_row", 0) == [[1, 33, 50], nil])
    #expect(try shapes("fp8_e4m3_tensor", 2) == [[1], nil])
    #expect(try shapes("bf16", 2) == [nil, nil])
  }

  @Test("A block never takes a scale from the next row")
  func rowsAreSeparate() {
    // Rows of 20 with blocks of 32: a block that crossed the row would see the other magnitude.
    let values = (0..<40).map { Float($0 < 20 ? 1 : 1024) }
    let tensor = Tensor(values, shape: [2, 20]).quantized(to: .mxfp4)
    #expect(tensor.scales.unpacked() == [125, 135])
    #expect(tensor.dequantized().elements == values)
  }

  @Test("2-D blocks see a vector as one row and a scalar as one element")
  func lowRanksOfTiles() {
    let values = randomValues(40, exponents: -2...2, seed: 3)
    let vector = Tensor(values).quantized(to: .nvfp4TwoDimensional)
    let matrix = Tensor(values, shape: [1, 40]).quantized(to: .nvfp4TwoDimensional)
    #expect(vector.storedBytes == matrix.storedBytes)
    #expect(vector.shape(of: "scales") == [3] && matrix.shape(of: "scales") == [1, 3])
    let scalar = Tensor([2.5], shape: []).quantized(to: .nvfp4TwoDimensional)
    #expect(
      scalar.storedBytes
        == Tensor([2.5], shape: [1, 1]).quantized(to: .nvfp4TwoDimensional).storedBytes)
    #expect(scalar.shape(of: "scales") == [1])
  }

  @Test("The block axis has no part in 2-D and whole-tensor blocks")
  func ignoredAxis() {
    let tensor = Tensor(randomValues(20 * 35, exponents: -2...2, seed: 4), shape: [20, 35])
    for axis in [-2, 1] {
      #expect(
        tensor.quantized(to: .nvfp4TwoDimensional, axis: axis).storedBytes
          == tensor.quantized(to: .nvfp4TwoDimensional, axis: 0).storedBytes)
      #expect(
        tensor.quantized(to: .fp8(.e5m2, block: .tensor), axis: axis).storedBytes
          == tensor.quantized(to: .fp8(.e5m2, block: .tensor), axis: 0).storedBytes)
    }
  }

  @Test("Square blocks give a matrix and its transpose the same values")
  func transpose() {
    let (rows, columns) = (40, 27)
    let values = randomValues(rows * columns, exponents: -3...3, seed: 5)
    func transposed(_ x: [Float], _ rows: Int, _ columns: Int) -> [Float] {
      (0..<rows * columns).map { x[$0 % rows * columns + $0 / rows] }
    }
    let direct = Tensor(values, shape: [rows, columns]).fakeQuantized(to: .nvfp4TwoDimensional)
    let turned = Tensor(transposed(values, rows, columns), shape: [columns, rows])
      .fakeQuantized(to: .nvfp4TwoDimensional)
    #expect(transposed(turned.tensor.elements, columns, rows) == direct.tensor.elements)
  }
}

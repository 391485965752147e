import BlockFormats

/// One matrix of an operand as exact numbers.
struct ReferenceOperand {
  /// The rows of the matrix.
  let rowCount: Int
  /// The contraction length.
  let depth: Int
  /// The decode multiplier of the tensor; 1 without one.
  let tensorScale: Float
  private let values: [Double]
  private let scales: [Float]
  private let middles: [Float]
  private let sums: [Float]
  private let groupCount: Int
  /// The matrix's place in the batch.
  private var index: Int

  /// Which operand of a product.
  enum Side {
    case a
    case b
  }

  /// The first matrix of an operand, as a definition sees it.
  init(_ operand: ProductOperand, _ side: Side, definition: ProductDefinition) {
    switch operand {
    case .float32(let tensor):
      self.init(
        tensor.elements[...], rowCount: tensor.shape[tensor.shape.count - 2],
        depth: definition.depth)
    case .quantized(let matrix): self.init(matrix, side, definition: definition)
    }
  }

  /// A matrix of a batch, as a definition sees it.
  init(_ matrix: QuantizedMatrix, _ side: Side, index: Int = 0, definition: ProductDefinition) {
    rowCount = matrix.rowCount
    depth = matrix.columnCount
    self.index = index
    if definition.unit == .float32 {
      values = matrix.storage.dequantized().elements.map(Double.init)
      (scales, middles, sums, groupCount, tensorScale) = ([], [], [], 0, 1)
    } else {
      let (exponents, middleCodes) = (definition.unitExponents, definition.middles)
      let factors = FactoredMatrix(
        matrix, groupLength: definition.groupLength,
        unitExponent: side == .a ? exponents.a : exponents.b,
        middle: side == .a ? middleCodes.a : middleCodes.b)
      middles = factors.middles
      sums =
        switch side {
        case .a: middleCodes.b == nil ? [] : factors.groupSums(.wholeValues)
        case .b: middleCodes.a == nil ? [] : factors.groupSums(.products)
        }
      values = factors.elements
      groupCount = factors.groupCount
      scales = factors.scales
      tensorScale = factors.tensorScale
    }
  }

  /// Matrices of FP32 numbers, of which this is the first.
  init(_ values: ArraySlice<Float>, rowCount: Int, depth: Int) {
    self.rowCount = rowCount
    self.depth = depth
    self.values = values.map(Double.init)
    (scales, middles, sums) = ([], [], [])
    (groupCount, tensorScale, index) = (0, 1, 0)
  }

  private init(_ other: ReferenceOperand, rows: [Int]) {
    func taken<Number>(_ numbers: [Number], _ length: Int) -> [Number] {
      rows.flatMap { row in
        let start = (other.index * other.rowCount + row) * length
        return numbers[start..<start + length]
      }
    }
    (rowCount, depth, groupCount) = (rows.count, other.depth, other.groupCount)
    (tensorScale, index) = (other.tensorScale, 0)
    values = taken(other.values, other.depth)
    scales = taken(other.scales, other.groupCount)
    middles = other.middles.isEmpty ? [] : taken(other.middles, other.groupCount)
    sums = other.sums.isEmpty ? [] : taken(other.sums, other.groupCount)
  }

  /// Some rows of this matrix, as a matrix of their own.
  func selecting(_ rows: [Int]) -> ReferenceOperand { ReferenceOperand(self, rows: rows) }

  /// Another matrix of the same batch.
  func matrix(at index: Int) -> ReferenceOperand {
    var other = self
    other.index = index
    return other
  }

  /// The elements and the scales of the whole batch.
  func withUnsafeElements(
    _ body: (UnsafeBufferPointer<Double>, UnsafeBufferPointer<Float>) -> Void
  ) {
    values.withUnsafeBufferPointer { values in scales.withUnsafeBufferPointer { body(values, $0) } }
  }

  /// The elements of a row of this matrix.
  func row(
    _ row: Int, of elements: UnsafeBufferPointer<Double>
  ) -> UnsafeBufferPointer<Double> {
    let start = (index * rowCount + row) * depth
    return UnsafeBufferPointer(rebasing: elements[start..<start + depth])
  }

  /// What offsets add in a row of this matrix; empty arrays where the definition has none.
  func offsets(_ row: Int) -> DotOperands.Offsets {
    let start = (index * rowCount + row) * groupCount
    func part(_ numbers: [Float]) -> ArraySlice<Float> {
      numbers.isEmpty ? [] : numbers[start..<start + groupCount]
    }
    return DotOperands.Offsets(middles: part(middles), sums: part(sums))
  }

  /// The scales of a row of this matrix.
  func scales(
    _ row: Int, of scales: UnsafeBufferPointer<Float>
  ) -> UnsafeBufferPointer<Float> {
    let start = (index * rowCount + row) * groupCount
    return UnsafeBufferPointer(rebasing: scales[start..<start + groupCount])
  }
}

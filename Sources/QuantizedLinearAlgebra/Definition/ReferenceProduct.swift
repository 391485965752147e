import BlockFormats

/// Y = A · Bᵀ computed as `ProductDefinition` says, literally and slowly: the oracle of the kernels.
struct ReferenceProduct {
  let definition: ProductDefinition

  /// The sums of a product before its epilogue, row by row.
  ///
  /// - Parameters:
  ///   - a: M x K.
  ///   - b: N x K.
  func sums(_ a: ReferenceOperand, _ b: ReferenceOperand) -> [Float] {
    let (depth, length, groups) = (
      definition.depth, definition.groupLength, definition.groupCount
    )
    var result: [Float] = []
    result.reserveCapacity(a.rowCount * b.rowCount)
    for row in 0..<a.rowCount {
      for column in 0..<b.rowCount {
        var y: Float = 0
        for group in 0..<groups {
          let range = group * length..<min((group + 1) * length, depth)
          let dot = definition.unit.dot(a.elements(row, range), b.elements(column, range))
          if definition.unit == .float32 {
            y = dot
          } else {
            y.addProduct(dot, a.scale(row, group) * b.scale(column, group))
          }
        }
        result.append(y)
      }
    }
    return result
  }

  /// The product of the operands' tensor scales.
  func tensorScale(_ a: ReferenceOperand, _ b: ReferenceOperand) -> Float {
    a.tensorScale * b.tensorScale
  }
}

/// One matrix of an operand as exact numbers.
struct ReferenceOperand {
  let rowCount: Int
  let depth: Int
  let tensorScale: Float
  private let values: [Double]
  private let scales: [Float]
  private let groupCount: Int

  /// Which operand of a product.
  enum Side {
    case a
    case b
  }

  /// A matrix of a batch, as a definition sees it.
  init(_ matrix: QuantizedMatrix, _ side: Side, index: Int = 0, definition: ProductDefinition) {
    rowCount = matrix.rowCount
    depth = matrix.columnCount
    let rows = index * rowCount..<(index + 1) * rowCount
    if definition.unit == .float32 {
      let decoded = matrix.storage.dequantized().elements
      values = decoded[rows.lowerBound * depth..<rows.upperBound * depth].map(Double.init)
      (scales, groupCount, tensorScale) = ([], 0, 1)
    } else {
      let factors = FactoredMatrix(
        matrix, groupLength: definition.groupLength,
        unitExponent: side == .a ? definition.unitExponents.a : definition.unitExponents.b)
      values = Array(factors.elements[rows.lowerBound * depth..<rows.upperBound * depth])
      groupCount = factors.groupCount
      scales = Array(factors.scales[rows.lowerBound * groupCount..<rows.upperBound * groupCount])
      tensorScale = factors.tensorScale
    }
  }

  /// A matrix of FP32 numbers.
  init(_ values: ArraySlice<Float>, rowCount: Int, depth: Int) {
    self.rowCount = rowCount
    self.depth = depth
    self.values = values.map(Double.init)
    (scales, groupCount, tensorScale) = ([], 0, 1)
  }

  func elements(_ row: Int, _ range: Range<Int>) -> ArraySlice<Double> {
    values[row * depth + range.lowerBound..<row * depth + range.upperBound]
  }

  func scale(_ row: Int, _ group: Int) -> Float { scales[row * groupCount + group] }
}

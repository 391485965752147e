import BlockFormats
import NumericSupport

/// The elements and the scales of a quantized matrix as numbers, one by one: what definitions are
/// written in.
struct FactoredMatrix {
  /// Elements with the powers of two of their parts in units of 2^unitExponent, exact, row by row through the batch.
  let elements: [Double]
  /// The block scale of every group of every row; 1 without block scales.
  let scales: [Float]
  /// The value of the middle code of every group of every row; empty without offsets.
  let middles: [Float]
  /// The groups of a row.
  let groupCount: Int
  /// The decode multiplier of the tensor; 1 without one.
  let tensorScale: Float
  private let groupLength: Int
  private let columnCount: Int
  private let unitExponent: Int

  /// Takes a matrix apart.
  ///
  /// - Parameters:
  ///   - groupLength: a divisor of the block length, or the whole row.
  ///   - unitExponent: the power of two that the elements count in.
  ///   - middle: the code that stands for 0; `nil` without offsets.
  init(_ matrix: QuantizedMatrix, groupLength: Int, unitExponent: Int, middle: Int? = nil) {
    let storage = matrix.storage
    let layout = storage.format.layout
    let factors = layout.linear?.factors
    let (powers, scale) = (factors?.powers ?? [], factors?.scale)
    let places = ScalePlaces(layout, shape: storage.shape)
    let columns = matrix.columnCount
    let rows = matrix.batchCount * matrix.rowCount
    let codes = storage.planes[0].unpacked()
    let powerPlanes = powers.map { storage.planes[$0.field] }
    let powerCodes = powerPlanes.map { $0.unpacked() }
    let scalePlane = scale.map { storage.planes[$0.field] }
    let scaleCodes = scalePlane?.unpacked() ?? []
    elements = (0..<rows * columns).map { index in
      let value = Double.scaled(
        layout.element.value(of: codes[index]) - Double(middle ?? 0),
        byPowerOfTwo: -unitExponent)
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let exponent = powers.indices.reduce(0) { sum, field in
        let place = row * powerPlanes[field].rowLength + column / powers[field].length
        return sum + powers[field].direction.rawValue * Int(powerCodes[field][place])
      }
      return Double.scaled(value, byPowerOfTwo: exponent)
    }
    let groupCount = columns == 0 ? 0 : (columns + groupLength - 1) / groupLength
    self.groupCount = groupCount
    /// The place of a group's number among those of a plane with one for each block.
    func place(_ index: Int, _ plane: BitPlane) -> Int {
      let (row, group) = index.quotientAndRemainder(dividingBy: groupCount)
      let column = group * groupLength / places.blockLength
      return places.scaleRow(row) * plane.rowLength + column
    }
    let scales = (0..<rows * groupCount).map { index -> Float in
      guard let scale, let scalePlane else { return 1 }
      return Float(scale.element.value(of: scaleCodes[place(index, scalePlane)]))
    }
    self.scales = scales
    if let middle, let offset = layout.linear?.offset {
      let plane = storage.planes[offset.field]
      let offsets = plane.unpacked()
      middles = (0..<rows * groupCount).map { index in
        let offset = Float(offset.element.value(of: offsets[place(index, plane)]))
        return offset.addingProduct(Float(middle), scales[index])
      }
    } else {
      middles = []
    }
    tensorScale = storage.tensorScale ?? 1
    (self.groupLength, self.unitExponent, columnCount) = (groupLength, unitExponent, columns)
  }

  /// What the other operand's middle values meet: FP32 numbers, each the sum of the values of a group,
  /// or of what they are beside the group's middle value.
  ///
  /// - Precondition: elements are integers with sums below 2^53.
  func groupSums(_ part: SumPart) -> [Float] {
    scales.indices.map { index in
      let (row, group) = index.quotientAndRemainder(dividingBy: groupCount)
      let start = group * groupLength
      let end = min(start + groupLength, columnCount)
      let integers = elements[row * columnCount + start..<row * columnCount + end]
      let sum = Float(integers.reduce(0, +))
      let products = Double.scaled(
        Double(sum) * Double(scales[index]), byPowerOfTwo: unitExponent)
      guard part == .wholeValues, !middles.isEmpty else { return Float(products) }
      return Float(products + Double(end - start) * Double(middles[index]))
    }
  }

  /// What is summed.
  enum SumPart {
    /// Integer times scale, plus the middle value where there is one.
    case wholeValues
    /// Integer times scale.
    case products
  }
}

import BlockFormats
import NumericSupport

/// The elements and the scales of a quantized matrix as numbers, one by one: what definitions are
/// written in.
struct FactoredMatrix {
  /// Elements with the powers of two of their parts in units of 2^unitExponent, exact, row by row through the batch.
  let elements: [Double]
  /// The block scale of every group of every row; 1 without block scales.
  let scales: [Float]
  /// The groups of a row.
  let groupCount: Int
  /// The decode multiplier of the tensor; 1 without one.
  let tensorScale: Float

  /// Takes a matrix apart.
  ///
  /// - Parameters:
  ///   - groupLength: a divisor of the block length, or the whole row.
  ///   - unitExponent: the power of two that the elements count in.
  init(_ matrix: QuantizedMatrix, groupLength: Int, unitExponent: Int) {
    let storage = matrix.storage
    let layout = storage.format.layout
    let (powers, scale) = (layout.factors?.powers ?? [], layout.factors?.scale)
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
        layout.element.value(of: codes[index]), byPowerOfTwo: -unitExponent)
      let (row, column) = index.quotientAndRemainder(dividingBy: columns)
      let exponent = powers.indices.reduce(0) { sum, field in
        let place = row * powerPlanes[field].rowLength + column / powers[field].length
        return sum + powers[field].direction.rawValue * Int(powerCodes[field][place])
      }
      return Double.scaled(value, byPowerOfTwo: exponent)
    }
    let groupCount = columns == 0 ? 0 : (columns + groupLength - 1) / groupLength
    self.groupCount = groupCount
    scales = (0..<rows * groupCount).map { index in
      guard let scale, let scalePlane else { return 1 }
      let (row, group) = index.quotientAndRemainder(dividingBy: groupCount)
      let column = group * groupLength / places.blockLength
      let place = places.scaleRow(row) * scalePlane.rowLength + column
      return Float(scale.element.value(of: scaleCodes[place]))
    }
    tensorScale = storage.tensorScale ?? 1
  }
}

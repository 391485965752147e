internal import CTrainingKernels
import CallerChecks

extension Tape {
  /// z[r] = [x[r]; y[r]]: the rows of one after those of the other.
  ///
  /// Letters: R rows, C and D channels. x: R x C, y: R x D, z: R x (C + D).
  ///
  /// - Precondition: the same extents but for the last.
  public func concatenation(_ x: Activation, _ y: Activation) -> Activation {
    require(
      x.shape.dropLast() == y.shape.dropLast(),
      "shapes \(x.shape) and \(y.shape) do not have the same rows")
    let r = x.rowCount
    let width = x.columnCount + y.columnCount
    let z = activation(Array(x.shape.dropLast()) + [width])
    let parts = [(x, 0), (y, x.columnCount)]
    for (part, offset) in parts {
      let c = part.columnCount
      nonisolated(unsafe) let (input, output) = (part.values, z.values + offset)
      execution.forRows(r, columns: c) { rows in
        for row in rows { (output + row * width).update(from: input + row * c, count: c) }
      }
    }
    record(z) { [self] dz in
      for (part, offset) in parts {
        let c = part.columnCount
        nonisolated(unsafe) let source = dz + offset
        contribute(to: part) { derivative in
          nonisolated(unsafe) let derivative = derivative
          execution.forRows(r, columns: c) { rows in
            for row in rows {
              (derivative + row * c).update(from: source + row * width, count: c)
            }
          }
        }
      }
    }
    return z
  }
}

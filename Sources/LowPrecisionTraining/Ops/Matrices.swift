import BlockFormats

/// Adds the sum of every column to `sums`, rows in order.
func addColumnSums(
  of values: UnsafePointer<Float>, rows: Int, columns: Int,
  to sums: UnsafeMutablePointer<Float>
) {
  for row in 0..<rows {
    let line = values + row * columns
    for column in 0..<columns { sums[column] += line[column] }
  }
}

/// Writes the transpose of a row-major matrix.
func transpose(
  _ values: UnsafePointer<Float>, rows: Int, columns: Int,
  into result: UnsafeMutablePointer<Float>, _ parallelism: Parallelism
) {
  let side = 16
  nonisolated(unsafe) let (values, result) = (values, result)
  _ = parallelism.map(count: (columns + side - 1) / side, grain: max(1, 4096 / max(rows, 1))) {
    bands in
    for band in bands {
      let last = min((band + 1) * side, columns)
      for first in stride(from: 0, to: rows, by: side) {
        for column in band * side..<last {
          for row in first..<min(first + side, rows) {
            result[column * rows + row] = values[row * columns + column]
          }
        }
      }
    }
  }
}

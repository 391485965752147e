/// The elements of a column-major array, reordered row-major.
///
/// - Parameters:
///   - stored: The elements with the first index varying fastest.
///   - shape: The extents, whose product is the number of elements.
func rowMajorFromColumnMajor<Element>(_ stored: [Element], shape: [Int]) -> [Element] {
  guard shape.count > 1, !stored.isEmpty else { return stored }
  let rows = shape[0]
  let columns = shape[shape.count - 1]
  let middle = Array(shape[1..<(shape.count - 1)])
  let middleCount = stored.count / rows / columns
  // The first index is contiguous in the source and the last one in the result, so small square
  // tiles over those two keep both sides in the cache. The middle indices only shift the tiles.
  let tile = 32
  let sourceStep = rows * middleCount
  let targetStep = columns * middleCount
  return [Element](unsafeUninitializedCapacity: stored.count) { result, initialisedCount in
    stored.withUnsafeBufferPointer { stored in
      for position in 0..<middleCount {
        // `position` counts the middle indices row-major; their column-major rank is `reflected`.
        let reflected = columnMajorRank(ofRowMajor: position, shape: middle)
        for rowStart in stride(from: 0, to: rows, by: tile) {
          for columnStart in stride(from: 0, to: columns, by: tile) {
            for row in rowStart..<min(rowStart + tile, rows) {
              var source = row + rows * reflected + sourceStep * columnStart
              var target = targetStep * row + columns * position + columnStart
              for _ in columnStart..<min(columnStart + tile, columns) {
                result.initializeElement(at: target, to: stored[source])
                source += sourceStep
                target += 1
              }
            }
          }
        }
      }
    }
    initialisedCount = stored.count
  }
}

/// The rank in column-major order of the index that has the given rank in row-major order.
private func columnMajorRank(ofRowMajor rank: Int, shape: [Int]) -> Int {
  var rest = rank
  var result = 0
  // Peels indices from the last, the fastest in row-major order and the slowest in column-major.
  for extent in shape.reversed() {
    result = result * extent + rest % extent
    rest /= extent
  }
  return result
}

import BlockFormats

/// The row-major indices of the elements of every block of a tensor, one list a block.
///
/// Casts have no blocks; their rows are cut into pieces, so that inputs of several kinds meet.
func blockIndices(_ layout: BlockLayout, shape: [Int], axis: Int) -> [[Int]] {
  let shape = shape.isEmpty ? [1] : shape
  let count = shape.reduce(1, *)
  guard count > 0 else { return [] }
  let axis = axis < 0 ? axis + shape.count : axis
  switch layout.block {
  case _ where layout.fields.count == 1:
    return alongAxis(shape, axis, block: 16)
  case .vector(let length): return alongAxis(shape, axis, block: length)
  case .run(let length): return alongAxis([count], 0, block: length)
  case .row: return alongAxis(shape, axis, block: shape[axis])
  case .tensor: return [Array(0..<count)]
  case .tile(let rows, let columns):
    let width = shape[shape.count - 1]
    let height = shape.count > 1 ? shape[shape.count - 2] : 1
    var blocks: [[Int]] = []
    for first in stride(from: 0, to: count, by: height * width) {
      for row in stride(from: 0, to: height, by: rows) {
        for column in stride(from: 0, to: width, by: columns) {
          blocks.append(
            (row..<min(row + rows, height)).flatMap { row in
              (column..<min(column + columns, width)).map { first + row * width + $0 }
            })
        }
      }
    }
    return blocks
  }
}

private func alongAxis(_ shape: [Int], _ axis: Int, block: Int) -> [[Int]] {
  let length = shape[axis]
  let inner = shape[(axis + 1)...].reduce(1, *)
  let outer = shape[..<axis].reduce(1, *)
  var blocks: [[Int]] = []
  for outer in 0..<outer {
    for inside in 0..<inner {
      for first in stride(from: 0, to: length, by: block) {
        blocks.append(
          (first..<min(first + block, length)).map { (outer * length + $0) * inner + inside })
      }
    }
  }
  return blocks
}

/// A tensor's extents and the axis that blocks run along.
struct KernelShape: Hashable, CustomStringConvertible {
  var extents: [Int]
  var axis = -1

  init(_ extents: [Int], axis: Int = -1) {
    self.extents = extents
    self.axis = axis
  }

  var count: Int { extents.reduce(1, *) }
  var description: String { "\(extents) axis \(axis)" }

  /// No block, 1 to 3 blocks, tails on both sides, several ranks, contiguous and strided, inner
  /// rows, one row, one column, ragged tiles.
  static func all(for layout: BlockLayout) -> [KernelShape] {
    switch layout.block {
    case .vector(let n) where layout.fields.count > 1:
      return vectors(n)
    case .tile(let rows, let columns):
      return [
        KernelShape([rows, columns]), KernelShape([rows + 1, columns - 1]),
        KernelShape([2, 3, 2 * columns + 1]), KernelShape([1, 3 * columns]),
        KernelShape([2 * rows + 3, 1]), KernelShape([0, 5]), KernelShape([5, 0]),
        KernelShape([columns + 3]), KernelShape([]), KernelShape([rows - 1, 2 * columns]),
        KernelShape([2 * rows, columns + 17], axis: 0),
      ]
    case .row, .run, .tensor, .vector:
      return [
        KernelShape([13, 37]), KernelShape([1]), KernelShape([0]), KernelShape([1, 100]),
        KernelShape([61, 1]), KernelShape([41, 19], axis: 0), KernelShape([3, 33, 5], axis: 1),
        KernelShape([2, 7, 3, 5], axis: 1), KernelShape([64, 16], axis: 0), KernelShape([]),
        KernelShape([4, 0]), KernelShape([9, 64]), KernelShape([2, 131], axis: 0),
        KernelShape([31, 2, 8], axis: 0),
      ]
    }
  }

  private static func vectors(_ n: Int) -> [KernelShape] {
    [
      KernelShape([12, n]), KernelShape([n]), KernelShape([2 * n]), KernelShape([3 * n]),
      KernelShape([n + 1]), KernelShape([n - 1]), KernelShape([1]), KernelShape([0]),
      KernelShape([5, n + 1]), KernelShape([5, 2 * n - 1]), KernelShape([3, 1, 2 * n]),
      KernelShape([n + 3, 9], axis: 0), KernelShape([2, n + 1, 4], axis: 1),
      KernelShape([2 * n, 19], axis: 0), KernelShape([2, n, 2, 3], axis: 1),
      KernelShape([2 * n, 1], axis: 0), KernelShape([1, 2 * n]), KernelShape([1, 70], axis: 0),
      KernelShape([4, 0]), KernelShape([0, 7], axis: 0), KernelShape([]),
      KernelShape([n - 1, 67], axis: 0), KernelShape([8 * n + 5]), KernelShape([3, n / 2]),
    ]
  }
}

import BlockFormats
import FormatMetrics
import QuantizedLinearAlgebra

/// The FP32 operands of one shape, and what their product should be.
final class GemmInput {
  let shape: GemmShape
  /// M x K and N x K standard normal numbers.
  let a: Tensor
  let b: Tensor
  /// The rows of the product whose errors are measured, evenly spread.
  let measuredRows: [Int]
  /// These rows of the FP64 product, one after the other, each number rounded once to FP32.
  let reference: [Float]

  /// The most rows whose errors are measured: enough to tell formats apart, few enough for FP64.
  static let mostMeasuredRows = 32

  /// Draws the operands of a shape.
  init(_ shape: GemmShape, seed: UInt64) {
    self.shape = shape
    func drawn(_ rows: Int, _ seed: UInt64) -> Tensor {
      Tensor(
        Distribution.normal.sample(vectors: rows, length: shape.depth, seed: seed),
        shape: [rows, shape.depth])
    }
    a = drawn(shape.rows, seed)
    b = drawn(shape.columns, seed &+ 1)
    measuredRows = Self.measuredRows(of: shape.rows)
    reference = Self.product(of: measuredRows, a, b)
  }

  /// Some of so many rows, evenly spread from the first on.
  static func measuredRows(of rowCount: Int) -> [Int] {
    let count = min(rowCount, mostMeasuredRows)
    return (0..<count).map { $0 * rowCount / count }
  }

  /// The measured rows of a product.
  func measured(_ product: UnsafePointer<Float>) -> [Float] {
    measuredRows.flatMap { row in
      UnsafeBufferPointer(start: product + row * shape.columns, count: shape.columns)
    }
  }

  // MARK: - FP64

  /// The fewest multiplications worth a thread.
  private static let threadGrain = 1 << 18

  private static func product(of rows: [Int], _ a: Tensor, _ b: Tensor) -> [Float] {
    let (columns, depth) = (b.shape[0], b.shape[1])
    return a.elements.withUnsafeBufferPointer { a in
      b.elements.withUnsafeBufferPointer { b in
        nonisolated(unsafe) let (a, b) = (a, b)
        return Parallelism.allCores.fill(
          count: rows.count * columns, grain: max(1, threadGrain / depth)
        ) { (range: Range<Int>, sums: UnsafeMutableBufferPointer<Float>) in
          for index in range {
            let (row, column) = index.quotientAndRemainder(dividingBy: columns)
            let start = (rows[row] * depth, column * depth)
            let sum = dot(
              UnsafeBufferPointer(rebasing: a[start.0..<start.0 + depth]),
              UnsafeBufferPointer(rebasing: b[start.1..<start.1 + depth]))
            sums.initializeElement(at: index, to: Float(sum))
          }
        }
      }
    }
  }

  /// Products of FP32 numbers are exact in FP64; four sums take them in turn.
  private static func dot(
    _ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>
  ) -> Double {
    var sums = (0.0, 0.0, 0.0, 0.0)
    let whole = a.count / 4 * 4
    for i in stride(from: 0, to: whole, by: 4) {
      sums.0 += Double(a[i]) * Double(b[i])
      sums.1 += Double(a[i + 1]) * Double(b[i + 1])
      sums.2 += Double(a[i + 2]) * Double(b[i + 2])
      sums.3 += Double(a[i + 3]) * Double(b[i + 3])
    }
    for i in whole..<a.count { sums.0 += Double(a[i]) * Double(b[i]) }
    return (sums.0 + sums.1) + (sums.2 + sums.3)
  }
}

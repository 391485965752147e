import Foundation
import Testing

@testable import LowPrecisionTraining

@Suite("Norms of gated rows")
struct GatedNormTests {
  /// [y | z] and w.
  private func formula(_ arrays: [[Double]], rows: Int, columns c: Int, groups: Int) -> [Double] {
    let size = c / groups
    return (0..<rows).flatMap { row -> [Double] in
      let u = (0..<c).map { column in
        let (y, z) = (arrays[0][row * 2 * c + column], arrays[0][row * 2 * c + c + column])
        return y * z / (1 + exp(-z))
      }
      return (0..<c).map { column in
        let group = u[column / size * size..<(column / size + 1) * size]
        let mean = group.reduce(0) { $0 + $1 * $1 } / Double(size)
        return u[column] / (mean + 1e-5).squareRoot() * arrays[1][column]
      }
    }
  }

  @Test("The gate comes first, then every group has its own root", arguments: [1, 2, 4], [1, 3])
  func gradients(groups: Int, threads: Int) throws {
    // Away from zero, where 1 / sqrt(u² + ε) bends too much for the step of the differences.
    let (rows, c) = (66, 8)
    let inputs = [
      GradientCheck.numbers(rows * 2 * c, seed: 1).map { $0 + ($0 < 0 ? -0.5 : 0.5) },
      GradientCheck.numbers(c, seed: 2),
    ]
    try GradientCheck.compare(inputs) {
      formula($0, rows: rows, columns: c, groups: groups)
    } actual: {
      try GradientCheck.run($0, shape: [rows, 2 * c], parameters: [[c]], c: $1, threads: threads) {
        let parts = $0.split($1, columns: [c, c])
        return $0.gatedRMSNorm(parts[0], by: parts[1], weight: $2[0], groupCount: groups)
      }
    }
  }
}

internal import CTrainingKernels
import CallerChecks
import Foundation
import QuantizedLinearAlgebra

/// Angles of rotary positions: t · base^(-2i / D) for step t and pair i of a head of D numbers.
///
/// Source: Su et al., "RoFormer", arXiv 2104.09864; pairs are (i, i + D / 2).
public struct RotaryAngles: Sendable {
  let steps: Int
  let size: Int
  let cosines: [Float]
  let sines: [Float]

  /// - Precondition: at least 0 steps, an even `size` of at least 2, and a positive base.
  public init(steps: Int, size: Int, base: Double = 10_000) {
    require(size > 0 && size % 2 == 0, "a head of \(size) numbers has no pairs")
    require(steps >= 0 && base > 0, "\(steps) steps turned by powers of \(base)")
    (self.steps, self.size) = (steps, size)
    let half = size / 2
    let angles = (0..<steps * half).map { index in
      Double(index / half) * pow(base, -Double(index % half) / Double(half))
    }
    cosines = angles.map { Float(cos($0)) }
    sines = angles.map { Float(sin($0)) }
  }
}

extension Tape {
  /// Turns the queries and keys of rows of queries, keys and values by their positions.
  ///
  /// x, y: B x T x (H + 2G) D.
  ///
  /// - Precondition: as many steps as there are angles, at most.
  public func rotated(
    _ x: Activation, heads: AttentionHeads, angles: RotaryAngles
  ) -> Activation {
    require(
      x.shape.count == 3 && x.columnCount == heads.inputCount && x.shape[1] <= angles.steps
        && angles.size == heads.size,
      "an input of shape \(x.shape) for angles of \(angles.steps) steps of \(angles.size)")
    let y = activation(x.shape)
    y.values.update(from: x.values, count: x.count)
    turn(y.values, x.shape, heads, angles, isInverse: false)
    record(y) { [self] dy in
      contribute(to: x) { dx in
        dx.update(from: dy, count: x.count)
        turn(dx, x.shape, heads, angles, isInverse: true)
      }
    }
    return y
  }

  private func turn(
    _ values: UnsafeMutablePointer<Float>, _ shape: [Int], _ heads: AttentionHeads,
    _ angles: RotaryAngles, isInverse: Bool
  ) {
    let (steps, stride) = (shape[1], shape[2])
    nonisolated(unsafe) let (values, kernels) = (values, execution.kernels)
    execution.parallelism.share(shape[0]) { _, sequence in
      var rotation = BKRotation(
        rows: steps, heads: heads.queries + heads.keys, size: heads.size, stride: stride,
        table_stride: heads.size / 2)
      let rows = values + sequence * steps * stride
      kernels.pointee.rotate(
        &rotation, isInverse, rows, angles.cosines, angles.sines, rows)
    }
  }
}

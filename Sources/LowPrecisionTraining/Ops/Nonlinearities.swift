internal import CTrainingKernels
import CallerChecks

/// A function of single numbers between two linear layers.
public enum Nonlinearity: String, Hashable, Sendable, CaseIterable {
  /// x · Φ(x) in the tanh form of Hendrycks and Gimpel, arXiv 1606.08415.
  case gelu
  /// max(x, 0)²; So et al., "Primer", arXiv 2109.08668.
  case squaredReLU = "squared_relu"
  /// x / (1 + exp(-x)).
  case silu

  var code: BKFunction {
    switch self {
    case .gelu: BK_GELU_TANH
    case .squaredReLU: BK_SQUARED_RELU
    case .silu: BK_SILU
    }
  }
}

extension Tape {
  /// y = f(x), number by number.
  public func apply(_ function: Nonlinearity, to x: Activation) -> Activation {
    let y = activation(x.shape)
    let code = function.code
    nonisolated(unsafe) let (kernels, input, output) = (execution.kernels, x.values, y.values)
    execution.forChunks(of: x.count) { range in
      kernels.pointee.apply(
        code, input + range.lowerBound, range.count, output + range.lowerBound)
    }
    record(y, operation: function.rawValue) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        execution.forChunks(of: x.count) { range in
          let start = range.lowerBound
          kernels.pointee.apply_backward(
            code, input + start, dy + start, range.count, dx + start)
        }
      }
    }
    return y
  }

  /// y = u · silu(g) for rows that hold g and then u: SwiGLU.
  ///
  /// Letters: R rows, C channels. x: R x 2C, y: R x C.
  ///
  /// Source: Shazeer, "GLU variants improve transformer", arXiv 2002.05202.
  public func swiGLU(_ x: Activation) -> Activation {
    require(x.columnCount % 2 == 0, "rows of \(x.columnCount) numbers have no two halves")
    let (r, c) = (x.rowCount, x.columnCount / 2)
    let y = activation(Array(x.shape.dropLast()) + [c])
    nonisolated(unsafe) let (kernels, input, output) = (execution.kernels, x.values, y.values)
    execution.forRows(r, columns: c) { rows in
      for row in rows {
        let line = input + row * 2 * c
        kernels.pointee.gate(BK_SILU, line, line + c, c, output + row * c)
      }
    }
    record(y) { [self] dy in
      nonisolated(unsafe) let dy = dy
      contribute(to: x) { dx in
        nonisolated(unsafe) let dx = dx
        execution.forRows(r, columns: c) { rows in
          for row in rows {
            let (line, place) = (input + row * 2 * c, dx + row * 2 * c)
            kernels.pointee.gate_backward(
              BK_SILU, line, line + c, dy + row * c, c, place, place + c)
          }
        }
      }
    }
    return y
  }
}

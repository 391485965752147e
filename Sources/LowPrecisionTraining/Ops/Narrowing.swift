import BlockFormats
import QuantizedLinearAlgebra
import TrainingRecipes

/// Roles outside products of two: rows looked up in an embedding, and what a scan reads and carries.
extension Tape {
  /// x in the format of a role, as FP32 numbers.
  ///
  /// Blocks run along the last axis. The result is `x` itself where the role stays in FP32. The
  /// gradient passes straight through, narrowed by a role of its own if there is one.
  func narrowed(
    _ x: Activation, _ tensor: TensorRole, _ quantization: LayerQuantization,
    gradient: TensorRole? = nil
  ) -> Activation {
    let choices = (
      quantization.choice(tensor, .forward),
      gradient.map { quantization.choice($0, .weightGradient) } ?? .float32
    )
    guard choices != (.float32, .float32) else { return x }
    let y = activation(x.shape)
    narrow(x.values, like: x, into: y.values, tensor, .forward, quantization)
    record(y) { [self] dy in
      contribute(to: x) { dx in
        if let gradient {
          narrow(dy, like: x, into: dx, gradient, .weightGradient, quantization)
        } else {
          dx.update(from: dy, count: x.count)
        }
      }
    }
    return y
  }

  /// Rounds numbers in the shape of an activation by the choice of a role.
  private func narrow(
    _ values: UnsafePointer<Float>, like x: Activation, into result: UnsafeMutablePointer<Float>,
    _ tensor: TensorRole, _ product: ProductRole, _ quantization: LayerQuantization
  ) {
    memory.temporarily {
      let operand = Operand(
        MatrixRows(values, rowCount: x.rowCount, columnCount: x.columnCount), tensor, product,
        quantization, on: self)
      operand.measure(tensor, product, quantization.place, on: self)
      operand.copyRows(to: result)
      if case .quantized(let format) = operand.format {
        operand.decode(format, result, into: result, on: self)
      }
    }
  }

  /// How a scan rounds the states that it carries from chunk to chunk; `nil` where they stay in FP32.
  ///
  /// Rows run along the scan's states. `Recipe.check` has refused what depends on more than a row.
  func stateNarrowing(_ quantization: LayerQuantization) -> StateNarrowing? {
    let choice = quantization.choice(.state, .forward)
    guard case .quantized(let format) = choice.operandFormat else { return nil }
    var policy: EncodingPolicy?
    if case .block(let block) = choice { policy = block.policy }
    return StateNarrowing { [policy] states, rowCount, columnCount, _ in
      let bytes = UnsafeMutableRawBufferPointer(start: states, count: 4 * rowCount * columnCount)
      func narrow(_ format: some BlockFormat) {
        TensorQuantizer(
          format: format, shape: [rowCount, columnCount], policy: policy,
          parallelism: .threads(1)
        ).fakeQuantize(UnsafeRawBufferPointer(bytes), into: bytes)
      }
      narrow(format)
    }
  }
}

import BlockFormats

extension Tape {
  /// x in the format of a role outside products of two, as FP32 numbers.
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
    narrow(
      x.values, rows: x.rowCount, columns: x.columnCount, into: y.values, tensor, .forward,
      quantization)
    record(y) { [self] dy in
      contribute(to: x) { dx in
        guard let gradient else { return dx.update(from: dy, count: x.count) }
        narrow(
          dy, rows: x.rowCount, columns: x.columnCount, into: dx, gradient, .weightGradient,
          quantization)
      }
    }
    return y
  }

  /// Rounds rows of numbers by the choice of a role.
  private func narrow(
    _ values: UnsafePointer<Float>, rows: Int, columns: Int,
    into result: UnsafeMutablePointer<Float>, _ tensor: TensorRole, _ product: ProductRole,
    _ quantization: LayerQuantization
  ) {
    let shape = [rows, columns]
    let source = UnsafeRawBufferPointer(
      UnsafeBufferPointer(start: values, count: rows * columns))
    let target = UnsafeMutableRawBufferPointer(
      UnsafeMutableBufferPointer(start: result, count: rows * columns))
    let bfloat16 = TensorQuantizer(
      format: CastFormat.cast(to: .bf16), shape: shape, parallelism: parallelism)
    switch quantization.choice(tensor, product) {
    case .float32: result.update(from: values, count: rows * columns)
    case .bfloat16: bfloat16.fakeQuantize(source, into: target)
    case .block(let block):
      let key = StreamKey(
        layer: quantization.number, tensor: tensor, product: product, step: step)
      let quantizer = TensorQuantizer(
        format: block.format, shape: shape,
        policy: block.policy(drawingFrom: streams, for: key), parallelism: parallelism)
      var numbers = source
      if block.source == .bfloat16 {
        bfloat16.fakeQuantize(source, into: target)
        numbers = UnsafeRawBufferPointer(target)
      }
      let scale = quantization.delayedScale(tensor, product, on: self) {
        numbers.bindMemory(to: Float.self).reduce(0) { max($0, abs($1)) }
      }
      quantizer.fakeQuantize(numbers, into: target, tensorScale: scale)
    }
  }
}

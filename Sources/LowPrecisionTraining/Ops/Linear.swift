import BlockFormats
import CallerChecks
import QuantizedLinearAlgebra
import TrainingRecipes

/// A linear layer Y = X · Wᵀ + b with the memory of its prepared operands.
///
/// Letters: T tokens, K inputs, N outputs. X: T x K, W: N x K, b: N, Y: T x N. Each operand of each of
/// the three products is quantized by itself, from FP32, along the axis which that product contracts:
///
/// - Y = X · Wᵀ contracts the inputs,
/// - dX = dY · W the outputs,
/// - dW = dYᵀ · X the tokens.
public final class Linear {
  /// N x K.
  public let weight: Parameter
  /// N, if there is one.
  public let bias: Parameter?
  /// What a recipe makes of the operands.
  public let quantization: LayerQuantization
  private var forwardWeight: PreparedMatrix.Builder?
  private var transposedWeight: PreparedMatrix.Builder?
  private var transposedInput: PreparedMatrix.Builder?

  var inputCount: Int { weight.shape[1] }
  var outputCount: Int { weight.shape[0] }

  /// Creates a layer.
  ///
  /// - Precondition: a matrix, a bias of as many numbers as it has rows, and the quantization of a layer
  ///   with three products.
  public init(
    weight: Parameter, bias: Parameter? = nil, quantization: LayerQuantization
  ) {
    require(weight.shape.count == 2, "a weight of shape \(weight.shape) is not a matrix")
    require(
      bias.map { $0.shape == [weight.shape[0]] } ?? true,
      "a bias of shape \(bias?.shape ?? []) for a weight of shape \(weight.shape)")
    require(
      quantization.place.roles.count == 6,
      "the quantization of \(quantization.place), which is no linear layer")
    self.weight = weight
    self.bias = bias
    self.quantization = quantization
  }

  /// The layer's parameters.
  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

  /// Y, its rows those of X.
  ///
  /// - Precondition: the last extent of `x` is K, and blocks of the operands' formats align.
  public func callAsFunction(_ x: Activation, on tape: Tape) -> Activation {
    require(
      x.columnCount == inputCount,
      "an input of shape \(x.shape) for a weight of shape \(weight.shape)")
    let (t, k, n) = (x.rowCount, inputCount, outputCount)
    let y = tape.activation(Array(x.shape.dropLast()) + [n])
    tape.memory.temporarily {
      multiply(
        MatrixRows(x.values, rowCount: t, columnCount: k), .input,
        MatrixRows(weight.values, rowCount: n, columnCount: k), .weight, in: .forward,
        &forwardWeight, into: MutableMatrixRows(y.values, rowCount: t, columnCount: n),
        ProductEpilogue(bias: bias?.array ?? []), on: tape)
    }
    tape.record(
      y, reading: parameters, operation: "linear", casts: { [self] in casts(of: x, on: tape) }
    ) { [self] gradient in
      goBack(gradient, x, on: tape)
    }
    return y
  }

  /// The operands of Y = X · Wᵀ as the product saw them, but for random bits.
  private func casts(of x: Activation, on tape: Tape) -> [CastOperand] {
    [(TensorRole.input, x.values, x.rowCount), (.weight, weight.values, outputCount)].map {
      tensor, values, rows in
      let cast = tape.withoutRecording {
        Operand(
          MatrixRows(values, rowCount: rows, columnCount: inputCount), tensor, .forward,
          quantization, on: tape)
      }
      var numbers = [Float](repeating: 0, count: rows * inputCount)
      numbers.withUnsafeMutableBufferPointer { buffer in
        if let place = buffer.baseAddress { cast.decoded(on: tape).copyRows(to: place) }
      }
      return CastOperand(
        name: "the \(tensor.rawValue) of \(quantization.place.name) as \(cast.format.id)",
        numbers: numbers)
    }
  }

  // MARK: - Backward

  private func goBack(_ dy: UnsafeMutablePointer<Float>, _ x: Activation, on tape: Tape) {
    let (t, n) = (x.rowCount, outputCount)
    if let bias { addColumnSums(of: dy, rows: t, columns: n, to: bias.gradient, on: tape) }

    // Allocated before the temporary memory below, since it stays when that is taken back.
    let target = x.gradientTarget()
    tape.memory.temporarily {
      addInputGradient(dy, target, tokens: t, on: tape)
      addWeightGradient(dy, x.values, tokens: t, on: tape)
    }
  }

  /// dX: T x K = dY: T x N times W: N x K, so the right operand is Wᵀ: K x N.
  private func addInputGradient(
    _ dy: UnsafeMutablePointer<Float>, _ target: Activation.Target, tokens t: Int,
    on tape: Tape
  ) {
    let (k, n) = (inputCount, outputCount)
    let turned = tape.memory.floats(n * k)
    transpose(weight.values, rows: n, columns: k, into: turned, on: tape)
    var epilogue = ProductEpilogue()
    if case .started = target { epilogue.beta = 1 }
    multiply(
      MatrixRows(dy, rowCount: t, columnCount: n), .outputGradient,
      MatrixRows(turned, rowCount: k, columnCount: n), .weight, in: .inputGradient,
      &transposedWeight,
      into: MutableMatrixRows(target.pointer, rowCount: t, columnCount: k), epilogue, on: tape)
  }

  /// dW: N x K = dYᵀ: N x T times X: T x K, so the right operand is Xᵀ: K x T.
  private func addWeightGradient(
    _ dy: UnsafeMutablePointer<Float>, _ x: UnsafeMutablePointer<Float>, tokens t: Int,
    on tape: Tape
  ) {
    let (k, n) = (inputCount, outputCount)
    let turnedInput = tape.memory.floats(k * t)
    transpose(x, rows: t, columns: k, into: turnedInput, on: tape)
    let turnedGradient = tape.memory.floats(n * t)
    transpose(dy, rows: t, columns: n, into: turnedGradient, on: tape)
    multiply(
      MatrixRows(turnedGradient, rowCount: n, columnCount: t), .outputGradient,
      MatrixRows(turnedInput, rowCount: k, columnCount: t), .input, in: .weightGradient,
      &transposedInput,
      into: MutableMatrixRows(weight.gradient, rowCount: n, columnCount: k),
      ProductEpilogue(beta: 1), on: tape)
  }

  /// One product of two operands whose rows run along the contraction axis.
  private func multiply(
    _ left: MatrixRows, _ leftTensor: TensorRole, _ right: MatrixRows,
    _ rightTensor: TensorRole, in product: ProductRole, _ prepared: inout PreparedMatrix.Builder?,
    into result: MutableMatrixRows, _ epilogue: ProductEpilogue, on tape: Tape
  ) {
    var a = Operand(left, leftTensor, product, quantization, on: tape)
    var b = Operand(right, rightTensor, product, quantization, on: tape)
    a.measure(leftTensor, product, quantization.place, on: tape)
    b.measure(rightTensor, product, quantization.place, on: tape)
    if tape.quantization.arithmetic == .dequantized {
      (a, b) = (a.decoded(on: tape), b.decoded(on: tape))
    }
    let builder: PreparedMatrix.Builder
    if let prepared, prepared.matrix.fits(right, (a.format, b.format)) {
      builder = prepared
    } else {
      do throws(ProductError) {
        builder = try PreparedMatrix.Builder(
          rowCount: right.rowCount, depth: right.columnCount, as: b.format, for: a.format)
      } catch {
        refuse(error.description)
      }
      prepared = builder
    }
    builder.update(
      b.rows, policy: b.policy, tensorScale: b.tensorScale,
      parallelism: tape.execution.parallelism)
    var epilogue = epilogue
    epilogue.alpha = a.correction * b.correction
    builder.matrix.multiply(
      a.rows, policy: a.policy, tensorScale: a.tensorScale, into: result, epilogue: epilogue,
      parallelism: tape.execution.parallelism, workspace: tape.execution.workspace)
  }
}

extension PreparedMatrix {
  fileprivate func fits(_ rows: MatrixRows, _ formats: (OperandFormat, OperandFormat)) -> Bool {
    columnCount == rows.rowCount && depth == rows.columnCount
      && definition.a.id == formats.0.id && definition.b.id == formats.1.id
  }
}

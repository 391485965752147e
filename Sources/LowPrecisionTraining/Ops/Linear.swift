public import BlockFormats
import CallerChecks
public import QuantizedLinearAlgebra

/// What the operands of the three products of a linear layer are multiplied as.
///
/// Each operand of each product is quantized by itself, from FP32, along the axis which that product
/// contracts.
public struct LinearQuantization: Sendable {
  /// Y = X · Wᵀ, contracting the inputs.
  public var forward = ProductQuantization()
  /// dX = dY · W, contracting the outputs; the left operand is dY.
  public var inputGradient = ProductQuantization()
  /// dW = dYᵀ · X, contracting the tokens; the left operand is dY.
  public var weightGradient = ProductQuantization()

  /// FP32 throughout.
  public init() {}
}

/// What the two operands of a product are multiplied as.
public struct ProductQuantization: Sendable {
  /// The left operand: X or dY.
  public var left: OperandQuantization
  /// The right operand: W or X.
  public var right: OperandQuantization

  /// FP32 on both sides unless stated.
  public init(left: OperandQuantization = .init(), right: OperandQuantization = .init()) {
    self.left = left
    self.right = right
  }
}

/// What an operand is multiplied as.
public struct OperandQuantization: Sendable {
  /// Its format.
  public var format: OperandFormat
  /// The choices to quantize by; the format's defaults if `nil`.
  public var policy: EncodingPolicy?

  /// FP32 unless stated.
  public init(_ format: OperandFormat = .float32, policy: EncodingPolicy? = nil) {
    self.format = format
    self.policy = policy
  }
}

/// A linear layer Y = X · Wᵀ + b with the memory of its prepared operands.
///
/// Letters: T tokens, K inputs, N outputs. X: T x K, W: N x K, b: N, Y: T x N.
public final class Linear {
  /// N x K.
  public let weight: Parameter
  /// N, if there is one.
  public let bias: Parameter?
  /// What operands are multiplied as.
  public var quantization: LinearQuantization
  private var forwardWeight: PreparedMatrix?
  private var transposedWeight: PreparedMatrix?
  private var transposedInput: PreparedMatrix?

  var inputCount: Int { weight.shape[1] }
  var outputCount: Int { weight.shape[0] }

  /// Creates a layer.
  ///
  /// - Precondition: a matrix, and a bias of as many numbers as it has rows.
  public init(
    weight: Parameter, bias: Parameter? = nil, quantization: LinearQuantization = .init()
  ) {
    require(weight.shape.count == 2, "a weight of shape \(weight.shape) is not a matrix")
    require(
      bias.map { $0.shape == [weight.shape[0]] } ?? true,
      "a bias of shape \(bias?.shape ?? []) for a weight of shape \(weight.shape)")
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
    let product = quantization.forward
    let prepared = Self.prepare(
      &forwardWeight, weight.values, rows: n, depth: k, product, tape)
    prepared.multiply(
      MatrixRows(x.values, rowCount: t, columnCount: k), policy: product.left.policy,
      into: MutableMatrixRows(y.values, rowCount: t, columnCount: n),
      epilogue: ProductEpilogue(bias: bias?.array ?? []), parallelism: tape.parallelism,
      workspace: tape.workspace)
    tape.record(y) { [self] gradient in goBack(gradient, x, on: tape) }
    return y
  }

  // MARK: - Backward

  private func goBack(_ dy: UnsafeMutablePointer<Float>, _ x: Activation, on tape: Tape) {
    let (t, n) = (x.rowCount, outputCount)
    if let bias { addColumnSums(of: dy, rows: t, columns: n, to: bias.gradient, on: tape) }

    // Asked for first: it outlives the rest.
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
    let product = quantization.inputGradient
    let turned = tape.memory.floats(n * k)
    transpose(weight.values, rows: n, columns: k, into: turned, on: tape)
    let prepared = Self.prepare(&transposedWeight, turned, rows: k, depth: n, product, tape)
    var epilogue = ProductEpilogue()
    if case .started = target { epilogue.beta = 1 }
    prepared.multiply(
      MatrixRows(dy, rowCount: t, columnCount: n), policy: product.left.policy,
      into: MutableMatrixRows(target.pointer, rowCount: t, columnCount: k), epilogue: epilogue,
      parallelism: tape.parallelism, workspace: tape.workspace)
  }

  /// dW: N x K = dYᵀ: N x T times X: T x K, so the right operand is Xᵀ: K x T.
  private func addWeightGradient(
    _ dy: UnsafeMutablePointer<Float>, _ x: UnsafeMutablePointer<Float>, tokens t: Int,
    on tape: Tape
  ) {
    let (k, n) = (inputCount, outputCount)
    let product = quantization.weightGradient
    let turnedInput = tape.memory.floats(k * t)
    transpose(x, rows: t, columns: k, into: turnedInput, on: tape)
    let turnedGradient = tape.memory.floats(n * t)
    transpose(dy, rows: t, columns: n, into: turnedGradient, on: tape)
    let input = Self.prepare(&transposedInput, turnedInput, rows: k, depth: t, product, tape)
    input.multiply(
      MatrixRows(turnedGradient, rowCount: n, columnCount: t), policy: product.left.policy,
      into: MutableMatrixRows(weight.gradient, rowCount: n, columnCount: k),
      epilogue: ProductEpilogue(beta: 1), parallelism: tape.parallelism,
      workspace: tape.workspace)
  }

  /// The right operand of a product, in the memory of the step before.
  private static func prepare(
    _ prepared: inout PreparedMatrix?, _ values: UnsafeMutablePointer<Float>, rows: Int,
    depth: Int, _ product: ProductQuantization, _ tape: Tape
  ) -> PreparedMatrix {
    let matrix: PreparedMatrix
    if let prepared, prepared.fits(rows: rows, depth: depth, product) {
      matrix = prepared
    } else {
      do throws(ProductError) {
        matrix = try PreparedMatrix(
          rowCount: rows, depth: depth, as: product.right.format, for: product.left.format)
      } catch {
        fatalError(error.description)
      }
      prepared = matrix
    }
    matrix.update(
      MatrixRows(values, rowCount: rows, columnCount: depth), policy: product.right.policy,
      parallelism: tape.parallelism)
    return matrix
  }
}

extension PreparedMatrix {
  fileprivate func fits(rows: Int, depth: Int, _ product: ProductQuantization) -> Bool {
    columnCount == rows && self.depth == depth && definition.a.id == product.left.format.id
      && definition.b.id == product.right.format.id
  }
}

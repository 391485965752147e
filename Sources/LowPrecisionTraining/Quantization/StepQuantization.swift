/// How the operands of a step are quantized, beyond what recipes say of them.
public struct StepQuantization: Sendable {
  /// Which random bits they draw.
  public var draws: OperandDraws
  /// How their products are computed.
  public var arithmetic: ProductArithmetic
  /// Where their errors are noted; `nil` for steps that are not measured.
  public var errors: OperandErrors?

  /// Creates the choices of a step that is not measured.
  public init(seed: UInt32 = 0, arithmetic: ProductArithmetic = .packed) {
    draws = OperandDraws(seed: seed)
    self.arithmetic = arithmetic
  }
}

import BlockFormats

/// The definition of Y = A · Bᵀ for two operand formats and a contraction length K.
///
/// The contraction axis is cut into groups in which both operands keep their scales. An operand's
/// value is element × scale: with an integer unit the elements are integers and their power of two
/// belongs to the scale, s = block scale · 2^u. Sub-scales belong to the elements. An element of Y
/// is
///
///     Y₀ = +0
///     Yᵢ = fl(Dᵢ · sᵢ + Yᵢ₋₁), sᵢ = fl₂₄(sₐ,ᵢ · s_b,ᵢ)       for groups i = 1, 2, ... in order
///     Dᵢ = Σ a · b over the elements of the group, by `unit`
///
/// and then the epilogue. fl rounds to FP32, fl₂₄ to the 24 bits of an FP32 number with an exponent
/// that has no limits, both to nearest, ties to even; every NaN of the result is the canonical one.
/// So a product of two scales is never infinite or zero unless one of them is, and where it is a
/// normal FP32 number a step is one fused multiply-add.
///
/// - Integer units: Dᵢ is the exact sum, rounded to FP32 once. It stays below 2^24, where all
///   integers are FP32 numbers, for blocks of up to 32 elements of every named format with integer
///   elements.
/// - `bfloat16`: Dᵢ starts as +0 and takes the elements of the group in the order of the BF16 dot
///   product instruction (`ProductUnit.bfloat16`). Scales stay outside, so that flushing touches no
///   format but those whose own elements come near 2^-126.
/// - `float32`: both operands are decoded first, scales, tensor scales and all, and there is one
///   group without scales.
///
/// Tensor scales multiply the finished sum: Y = fl(Y · fl₂₄(tₐ · t_b)).
///
/// An operand may have an offset o for each block, so that its values are q · s + o with unsigned
/// integers q of n bits. Its elements are then the integers q - c around the middle code c = 2^(n-1),
/// and its values (q - c) · s + m with the value of that code, m = fl(c · s + o), rounded once. What
/// follows from a · b = (x·sₐ + mₐ)(y·s_b + m_b) is added group by group, after the step above:
///
///     Yᵢ ← fl(uᵢ · m_b,ᵢ + Yᵢ)                             where B has offsets, and then
///     Yᵢ ← fl(mₐ,ᵢ · vᵢ + Yᵢ)                              where A has offsets
///     uᵢ = FP32 of (Rₐ,ᵢ · sₐ,ᵢ + nᵢ · mₐ,ᵢ), vᵢ = FP32 of R_b,ᵢ · s_b,ᵢ
///
/// R is the exact sum of the integers of a row in a group of n elements, rounded to FP32 once; s holds
/// the integers' power of two; and n · m is left out of u where A has no offsets. u and v are computed
/// in FP64, where each operation rounds, and then rounded to FP32: u is the sum of A's values in the
/// group, v that of B's values less m_b. There is no sum over decoded values: decoding rounds every
/// q · s + o to FP32, and the product rounds m, u and v of a group instead. So a group whose decoded
/// values are zeros, and whose s and o are not, adds what those roundings leave. A u or v beyond FP32
/// is infinite, as a Yᵢ is. Operands with offsets are decoded for the `float32` unit where no integer
/// unit takes both.
///
/// Y itself is an FP32 number between groups: sums that leave its range are infinite, and opposite
/// ones NaN, even where later groups would bring the exact sum back.
///
/// Tilings, instruction sets and threads change nothing of this.
public struct ProductDefinition: Sendable {
  /// The left operand's format.
  public let a: OperandFormat
  /// The right operand's format.
  public let b: OperandFormat
  /// The contraction length K.
  public let depth: Int
  /// The arithmetic inside a group.
  public let unit: ProductUnit
  /// The elements of a group; the last one may be shorter.
  public let groupLength: Int
  /// The exponents u of the operands' elements: 2^u is the value of the integer 1.
  ///
  /// 0 for units that do not multiply integers.
  public let unitExponents: (a: Int, b: Int)

  /// The largest magnitudes of the operands' integers; 0 for units that do not multiply integers.
  let greatest: (a: Int, b: Int)

  /// The codes c of operands with offsets that stand for the integer 0; `nil` for operands without
  /// offsets, and where operands are decoded.
  public let middles: (a: Int?, b: Int?)

  /// Whether any operand adds offsets to its products.
  var hasOffsets: Bool { middles.a != nil || middles.b != nil }

  /// Whether sums of the BF16 unit can be subnormal, so that they are flushed to zero.
  let canFlush: Bool

  /// The exponent of the power of two that the elements' units add to every product of scales.
  ///
  /// It stops where no group can tell: with 2^-440 any Dᵢ · sᵢ is below a quarter of the smallest
  /// FP32 number, and with 2^440 any but zero is infinite, since integer groups are below 2^31 and
  /// products of scales in 2^-298..<2^256.
  var scaleExponent: Int { min(max(unitExponents.a + unitExponents.b, -440), 440) }

  /// The number of groups.
  public var groupCount: Int { depth == 0 ? 0 : (depth + groupLength - 1) / groupLength }

  /// Finds the definition.
  ///
  /// - Parameters:
  ///   - a: the left operand's format.
  ///   - b: the right operand's format.
  ///   - depth: the contraction length K, at least 0.
  /// - Throws: `ProductError.unalignedBlocks` where neither block length divides the other, and
  ///   `.badExtent` for a negative depth.
  public init(a: OperandFormat, b: OperandFormat, depth: Int) throws(ProductError) {
    guard depth >= 0 else { throw .badExtent(name: "depth", value: depth) }
    guard let left = Factors(a), let right = Factors(b), left.canMeet(right) else {
      self.init(decoding: a, b, depth: depth)
      return
    }
    try self.init(a, left, b, right, depth: depth)
  }

  private init(
    _ a: OperandFormat, _ left: Factors, _ b: OperandFormat, _ right: Factors, depth: Int
  ) throws(ProductError) {
    self.a = a
    self.b = b
    self.depth = depth
    // Blocks that reach the end of the axis are one block, whatever their length.
    let whole = max(depth, 1)
    let (lengthA, lengthB) = (min(left.blockLength, whole), min(right.blockLength, whole))
    let (long, short) = (max(lengthA, lengthB), min(lengthA, lengthB))
    guard long == whole || long % short == 0 else {
      throw .unalignedBlocks(a: a.id, lengthA, b: b.id, lengthB)
    }
    let middles = (a: left.elements.middle, b: right.elements.middle)
    (unit, groupLength) = ProductDefinition.unit(left.elements, right.elements, group: short, whole)
    self.middles = unit.isExact ? middles : (nil, nil)
    unitExponents =
      unit.isExact
      ? (left.elements.integers?.unitExponent ?? 0, right.elements.integers?.unitExponent ?? 0)
      : (0, 0)
    greatest =
      unit.isExact
      ? (left.elements.integers?.greatest ?? 0, right.elements.integers?.greatest ?? 0) : (0, 0)
    canFlush =
      unit == .bfloat16
      && !(left.elements.areFarFromSubnormal && right.elements.areFarFromSubnormal)
  }

  /// The definition where both operands are decoded.
  private init(decoding a: OperandFormat, _ b: OperandFormat, depth: Int) {
    (self.a, self.b, self.depth) = (a, b, depth)
    (unit, groupLength, unitExponents, canFlush) = (.float32, max(depth, 1), (0, 0), false)
    (middles, greatest) = ((nil, nil), (0, 0))
  }

  /// The definition of the same operands where both are decoded.
  var decoding: ProductDefinition { ProductDefinition(decoding: a, b, depth: depth) }

  private static func unit(
    _ a: OperandElements, _ b: OperandElements, group: Int, _ whole: Int
  ) -> (ProductUnit, Int) {
    if let x = a.integers, let y = b.integers, max(x.bitWidth, y.bitWidth) <= 16 {
      let unit: ProductUnit = max(x.bitWidth, y.bitWidth) <= 8 ? .int8 : .int16
      // Sums stay inside 32 bits, or groups are cut, if no block ends inside a part.
      let most = ((1 << 31) - 1) / max(x.greatest * y.greatest, 1)
      let limit = 1 << (Int.bitWidth - 1 - most.leadingZeroBitCount)
      if group <= limit { return (unit, group) }
      if limit >= shortestCutGroup && (group == whole || group % limit == 0) {
        return (unit, limit)
      }
    }
    if a.areBFloat16 && b.areBFloat16 { return (.bfloat16, group) }
    return (.float32, whole)
  }

  /// The shortest part of a group that is worth a rounding of its own.
  private static let shortestCutGroup = 1024

  /// The elements of an operand's rows that share a scale; `nil` for FP32 numbers, and for blocks that
  /// begin in the middle of a row.
  static func blockLength(of operand: OperandFormat, depth: Int) -> Int? {
    if case .quantized(let format) = operand, case .run(let length) = format.layout.block {
      return depth % length == 0 ? length : nil
    }
    return Factors(operand).map { min($0.blockLength, max(depth, 1)) }
  }

  /// What a linear operand's format says about its elements and blocks.
  private struct Factors {
    let elements: OperandElements
    let blockLength: Int
    let hasOffset: Bool

    /// Whether a unit can take both without decoding them: one with offsets needs integers.
    func canMeet(_ other: Factors) -> Bool {
      let haveIntegers = elements.integers != nil && other.elements.integers != nil
      return haveIntegers || !(hasOffset || other.hasOffset)
    }

    init?(_ operand: OperandFormat) {
      guard case .quantized(let format) = operand, format is any LinearFormat else { return nil }
      let layout = format.layout
      guard let linear = layout.linear else { return nil }
      elements = OperandElements(linear)
      hasOffset = linear.offset != nil
      switch linear.factors.scale == nil ? .tensor : layout.block {
      case .vector(let length): blockLength = length
      case .tile(_, let columns): blockLength = columns
      case .row, .tensor: blockLength = .max
      // Runs may begin in the middle of a row.
      case .run: return nil
      }
    }
  }
}

extension ProductDefinition {
  /// The bits of the largest possible dot product of a group; 1 for units that are not exact.
  var dotBitWidth: Int {
    guard unit.isExact else { return 1 }
    return Int.bitWidth - (greatest.a * greatest.b * groupLength).leadingZeroBitCount
  }
}

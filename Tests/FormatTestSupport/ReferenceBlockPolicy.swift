/// The choices that the reference encoders know, spelled apart from the code under test.
public struct ReferenceBlockPolicy: Sendable {
  public enum Rounding: Sendable {
    case nearestEven, nearestAway, nearestTowardZero, nearestUp, towardZero, up, down, odd
    /// With the random bits of each element's row-major index.
    case stochastic(ReferenceRandomBits)
  }

  public enum NonFinite: Sendable { case blockNaN, element, nanToZero, nanToMax }

  public enum PowerOfTwo: Sendable { case floor, ceil, rceil, even, evenE2M1, nearestLog2 }

  public enum Scale: Sendable {
    case none
    case powerOfTwo(PowerOfTwo)
    case search(PowerOfTwo)
    case amax
    case amaxPowerOfTwo
    case amaxHalfStep
    case fourOverSix
    case fourOverSixAbsolute
  }

  public enum Floor: Sendable { case none, leastNonzero, leastNormal, eighthForZero }

  public enum ZeroSign: Sendable { case kept, positive, keptUnlessZero, negativeForZero }

  public enum Arithmetic: Sendable { case multiply, divide, reciprocal, divideByQuotient }

  public var rounding = Rounding.nearestEven
  public var overflowIsSpecial = false
  public var nonFinite: NonFinite
  public var scale: Scale
  public var floor = Floor.none
  public var zeroBlockIsOne = false
  public var zeroSign = ZeroSign.kept
  public var arithmetic = Arithmetic.multiply

  /// Whether infinities become the largest value whatever becomes of overflow.
  var replacesInfinity: Bool { nonFinite == .nanToZero || nonFinite == .nanToMax }

  /// Whether a block is tried with 6 and with 4.
  var isFourOverSix: Bool {
    switch scale {
    case .fourOverSix, .fourOverSixAbsolute: true
    default: false
    }
  }

  public init(nonFinite: NonFinite, scale: Scale) {
    self.nonFinite = nonFinite
    self.scale = scale
  }
}

/// A block format as the reference encoders see it.
public struct ReferenceBlockFormat: Sendable {
  public enum Shape: Sendable, Equatable {
    case vector(Int)
    case row
    case tile(Int, Int)
    case tensor
  }

  public enum Kind: Sendable {
    /// A power-of-two scale of some bits, and perhaps sub-scales of some bits for each few values.
    case powerOfTwo(scaleBits: Int, subLength: Int?, subBits: Int)
    /// Block scales in a narrow format under an FP32 tensor scale.
    case twoLevel(ReferenceBlockElement, leastNormalCode: UInt32, hasTensorScale: Bool = true)
    /// FP32 block scales.
    case float32
    /// No scale.
    case cast
  }

  public var element: ReferenceBlockElement
  public var shape: Shape
  public var kind: Kind

  public init(_ element: ReferenceBlockElement, _ shape: Shape, _ kind: Kind) {
    self.element = element
    self.shape = shape
    self.kind = kind
  }

  /// The bits of a stored block scale; `nil` without scales.
  public var scaleBits: Int? {
    switch kind {
    case .powerOfTwo(let bits, _, _): bits
    case .twoLevel(let element, _, _): element.bitWidth
    case .float32: 32
    case .cast: nil
    }
  }
}

import BlockFormats
import CallerChecks
import NumericSupport

/// The dot product pipeline of the BDR paper.
///
/// The group of `ProductDefinition` is the paper's block. Block dot products are exact, scales
/// included. Those of `length` elements, at least one block, feed one accumulation: they are aligned
/// to the largest exponent among them, truncated to a fixed-point number, and added exactly. The sum
/// is converted to FP32 and added to Y in FP32, both to nearest, ties to even.
///
/// The paper leaves much open. Chosen here:
///
/// - How many blocks feed one accumulation: those of 64 elements, the length of the unit whose area
///   the paper gives, if `length` says nothing else. They are ⌊length / block length⌋ blocks in
///   order, at least one, and the accumulation at the end of the row may be shorter.
/// - The exponent of a block. Blocks of integers align by their scales, as the paper's do by
///   Eₐ + E_b: theirs is e = floor(log2(sₐ · s_b)), whatever their elements, and they reach up to
///   e + w, where w bits hold the largest possible block dot product of the two formats. Elements
///   with exponents of their own, which the paper has not, align by floor(log2 |block result|), with
///   w = 1. Without scales every product is a block. Blocks with a zero scale, and for the second
///   rule zero blocks, have no exponent.
/// - Which f bits: those from the top, so that multiples of 2^(e + w - f) are kept, e the largest.
///   The sign and the carries of the addition come on top of the f bits.
/// - f = min(25, range): f is given, 25 by default. Formats whose range is shorter lose nothing with
///   more bits, so the minimum needs no computing.
/// - What falls off at the right is truncated toward zero.
/// - Block results that are not finite add up by IEEE 754.
///
/// Source: Rouhani et al., "With shared microexponents, a little shifting goes a long way",
/// ISCA 2023 (arXiv 2302.08007), the dot product pipeline.
public struct AlignedFixedPointModel: Hashable, Sendable {
  /// The bits f of the fixed-point accumulation.
  public let fractionBits: Int
  /// The elements of an accumulation.
  public let length: Int

  /// The possible numbers of bits.
  public static let fractionBitRange = 1...32
  /// The possible numbers of elements of an accumulation.
  public static let lengthRange = 1...65536

  /// Creates a model.
  ///
  /// - Precondition: `fractionBits` is in `fractionBitRange` and `length` in `lengthRange`.
  public init(fractionBits: Int = 25, length: Int = 64) {
    require(
      AlignedFixedPointModel.fractionBitRange.contains(fractionBits),
      "\(fractionBits) bits are outside \(AlignedFixedPointModel.fractionBitRange)")
    require(
      AlignedFixedPointModel.lengthRange.contains(length),
      "\(length) elements are outside \(AlignedFixedPointModel.lengthRange)")
    self.fractionBits = fractionBits
    self.length = length
  }

  /// The id: `bdr(f=25)`, or `bdr(f=25,length=128)` with another length than 64.
  public var id: String {
    length == 64 ? "bdr(f=\(fractionBits))" : "bdr(f=\(fractionBits),length=\(length))"
  }

  /// The model that an id names, or `nil`; `bdr` names the default one.
  public init?(id: String) {
    if id == "bdr" {
      self.init()
      return
    }
    guard let match = id.wholeMatch(of: /bdr\(f=(\d{1,2})(?:,length=(\d{1,5}))?\)/),
      let fractionBits = Int(match.1),
      AlignedFixedPointModel.fractionBitRange.contains(fractionBits)
    else { return nil }
    let length = match.2.flatMap { Int($0) } ?? 64
    guard AlignedFixedPointModel.lengthRange.contains(length) else { return nil }
    self.init(fractionBits: fractionBits, length: length)
  }

  /// One line with all choices.
  public var summary: String {
    """
    exact block dot products, those of \(length) elements aligned to the largest exponent and \
    truncated toward zero to \(fractionBits) bits, their exact sum converted to FP32 and added in \
    FP32, both to nearest, ties to even
    """
  }
}

extension AlignedFixedPointModel: AccumulatorModel {
  static let standard = AlignedFixedPointModel()

  func sum(_ operands: DotOperands, registers blocks: inout [ExactSum]) -> Float {
    guard operands.unit != .float32 else { return sumOfProducts(operands) }
    var y: Float = 0
    let count = max(1, length / operands.groupLength)
    if blocks.count < min(count, operands.groupCount) {
      blocks = Array(repeating: ExactSum(), count: min(count, operands.groupCount))
    }
    for first in stride(from: 0, to: operands.groupCount, by: count) {
      let groups = first..<min(first + count, operands.groupCount)
      y += accumulation(operands, groups, &blocks)
    }
    return y
  }

  /// The sum of some blocks in FP32.
  private func accumulation(
    _ operands: DotOperands, _ groups: Range<Int>, _ blocks: inout [ExactSum]
  ) -> Float {
    var special = 0.0
    var top: Int?
    for group in groups {
      let block = group - groups.lowerBound
      blocks[block].reset()
      operands.add(group, to: &blocks[block])
      special += blocks[block].specialValue
      let reach: Int?
      if operands.unit.isExact {
        let scale = operands.exactScale(group)
        reach = scale == 0 || !scale.isFinite ? nil : scale.binaryExponent + operands.dotBitWidth
      } else {
        reach = ExactSum.Magnitude(blocks[block]).exponent.map { $0 + 1 }
      }
      if let reach { top = max(top ?? reach, reach) }
    }
    guard special == 0 else { return Float(special) }
    guard let top else { return 0 }
    var sum: Int64 = 0
    for block in 0..<groups.count {
      sum += ExactSum.Magnitude(blocks[block]).truncated(toMultipleOf: top - fractionBits)
    }
    return Float(Double.scaled(Double(sum), byPowerOfTwo: top - fractionBits))
  }

  /// The sum without scales: every product is a block.
  private func sumOfProducts(_ operands: DotOperands) -> Float {
    var y: Float = 0
    let (a, b) = (operands.a, operands.b)
    for start in stride(from: 0, to: a.count, by: length) {
      let range = start..<min(start + length, a.count)
      var special = 0.0
      var top = Int.min
      for index in range {
        // Exact, as in all below: at most 48 bits, times a power of two.
        let product = a[index] * b[index]
        if !product.isFinite { special += product }
        if product != 0 { top = max(top, product.binaryExponent + 1) }
      }
      if special != 0 {
        y += Float(special)
      } else if top > Int.min {
        let unit = Double.scaled(1, byPowerOfTwo: fractionBits - top)
        var sum: Int64 = 0
        for index in range { sum += Int64(a[index] * b[index] * unit) }
        y += Float(Double.scaled(Double(sum), byPowerOfTwo: top - fractionBits))
      }
    }
    return y
  }
}

extension Accumulator {
  /// The dot product pipeline of the BDR paper, which aligns block results to the largest one.
  public static func alignedFixedPoint(_ model: AlignedFixedPointModel) -> Accumulator {
    Accumulator(model)
  }

  /// The dot product pipeline of the BDR paper.
  ///
  /// - Parameters:
  ///   - fractionBits: the bits f of the fixed-point accumulation.
  ///   - length: the elements of an accumulation.
  /// - Precondition: as for `AlignedFixedPointModel.init(fractionBits:length:)`.
  public static func alignedFixedPoint(fractionBits: Int, length: Int = 64) -> Accumulator {
    Accumulator(AlignedFixedPointModel(fractionBits: fractionBits, length: length))
  }
}

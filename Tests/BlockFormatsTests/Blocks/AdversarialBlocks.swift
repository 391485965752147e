import BlockFormats
import FormatTestSupport

/// Rows of values chosen to upset an encoder: values of the element, halves between them, their
/// neighbours in FP32, edges of binades, and whole blocks near the ends of FP32, up to 2^126.
struct AdversarialBlocks {
  private let magnitudes: [Double]
  private var generator: SeededGenerator

  init(_ element: ElementFormat, seed: UInt64) {
    let codes = (0...min(element.greatestFiniteCode, 1 << 12))
    magnitudes = codes.map { element.value(of: $0) }.filter { $0 > 0 && $0.isFinite }
    generator = SeededGenerator(seed: seed)
  }

  /// Rows of a block or less, all of one length.
  mutating func rows(_ count: Int, of length: Int, exponents: ClosedRange<Int>? = nil) -> Tensor {
    var values: [Float] = []
    for _ in 0..<count { values += row(length, exponents: exponents) }
    return Tensor(values, shape: [count, length])
  }

  private mutating func row(_ length: Int, exponents: ClosedRange<Int>?) -> [Float] {
    let zones: [ClosedRange<Int>] = exponents.map { [$0] } ?? [-30...30, -149 ... -110, 118...125]
    let top = Int.random(
      in: zones[Int.random(in: 0..<4, using: &generator) % zones.count], using: &generator)
    let depth = [0, 1, 3, 12][Int.random(in: 0..<4, using: &generator)]
    return (0..<length).map { _ in value(top: top - Int.random(in: 0...depth, using: &generator)) }
  }

  /// A value with a floor(log2) near `top`.
  private mutating func value(top: Int) -> Float {
    let kind = Int.random(in: 0..<8, using: &generator)
    if kind == 0 { return Bool.random(using: &generator) ? 0 : -0.0 }
    var significand = Double.random(in: 1..<2, using: &generator)
    if kind < 6 {
      let index = Int.random(in: 0..<magnitudes.count, using: &generator)
      let upper = magnitudes[min(index + 1, magnitudes.count - 1)]
      let middle = (magnitudes[index] + upper) / 2
      significand = [magnitudes[index], upper, middle][kind % 3].significand
    } else if kind == 6 {
      let digits = Int.random(in: 1...24, using: &generator)
      significand = 2 - Double(sign: .plus, exponent: -digits, significand: 1)
    }
    var value = Float(Double(sign: .plus, exponent: top, significand: significand))
    for _ in 0..<Int.random(in: 0...2, using: &generator) {
      value = Bool.random(using: &generator) ? value.nextUp : value.nextDown
    }
    return Bool.random(using: &generator) ? value : -value
  }
}

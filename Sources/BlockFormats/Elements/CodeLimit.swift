import NumericSupport

/// The largest magnitude code that the values of a block may get.
///
/// Under `OverflowRule.saturate` a finite value never decodes to infinity. Where the largest element
/// value times the block's scales would leave FP32, codes end at the largest one whose decoded value
/// is finite, by the decoder's own arithmetic; the scales stay what their rule says. A value that
/// loses its code to the limit counts as saturated. Under `special` there is no limit: such a value
/// overflows in the decoder as it might have in the element.
public struct CodeLimit: Hashable, Sendable {
  /// The code without its sign; of an integer, its magnitude; of a table, the rank of its magnitude.
  let magnitude: UInt32

  /// Every finite code of the element may be used.
  public static let none = CodeLimit(magnitude: .max)
}

extension ElementFormat {
  /// The largest code without its sign that is finite: in a two's-complement format that uses its
  /// full range, the magnitude of the least integer; in a table, the rank of the largest magnitude.
  var greatestMagnitudeCode: UInt32 {
    switch encoding {
    case .floatingPoint: greatestFiniteCode
    case .twosComplement(let layout): greatestFiniteCode + (layout.range == .full ? 1 : 0)
    case .table(let table): UInt32(table.magnitudes.count - 1)
    }
  }

  /// The value of a magnitude code, which may be one that only a negative integer has.
  func magnitude(of code: UInt32) -> Double {
    switch encoding {
    case .floatingPoint: value(of: code)
    case .twosComplement(let layout):
      Double.scaled(Double(code), byPowerOfTwo: -layout.fractionBitCount)
    case .table(let table): table.magnitudes[Int(code)]
    }
  }

  /// The limit at the largest code whose decoded value is finite.
  ///
  /// - Parameter decoded: the FP32 value of an element value under a block's scales, which never
  ///   falls where the element value rises. It may be NaN above some value: an element beyond FP32
  ///   under a scale of zero. Where zero decodes to NaN, the scale is one, and there is no limit.
  func codeLimit(_ decoded: (Double) -> Float) -> CodeLimit {
    func isFinite(_ code: UInt32) -> Bool { decoded(magnitude(of: code)).isFinite }
    var (finite, infinite) = (UInt32(0), greatestMagnitudeCode)
    guard !isFinite(infinite), !decoded(0).isNaN else { return .none }
    while infinite - finite > 1 {
      let middle = finite + (infinite - finite) / 2
      if isFinite(middle) { finite = middle } else { infinite = middle }
    }
    return CodeLimit(magnitude: finite)
  }
}

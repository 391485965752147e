/// The fixed values that digests of released bits are made of; they depend on no format.
public enum ReleasedInput: CaseIterable, Sendable {
  /// Values around one, as weights are.
  case ordinary
  /// Every binade of FP32, subnormals and the largest value included, with runs of zeros.
  case wide
  /// Ordinary values with a NaN, an infinity or a signed zero here and there.
  case special

  /// The first `count` values.
  public func values(_ count: Int, seed: UInt64 = 1) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      let word = generator.next()
      // A sum of four uniform numbers has about the shape of a normal distribution.
      let ordinary = (0..<4).reduce(Float(0)) { sum, part in
        sum + Float(Int16(truncatingIfNeeded: word >> (16 * UInt64(part)))) * 0x1p-15
      }
      switch self {
      case .ordinary: return ordinary
      case .wide:
        // Seven rows of blocks of similar magnitude, from subnormals to the end of the range.
        let kinds: [Float] = [0, 0x1p-144, 0x1p-126, 0x1p-64, 1, 0x1p64, 0x1p126]
        let scale = kinds[index / 23 % kinds.count]
        if scale == 0x1p126 && index % 11 == 3 { return -.greatestFiniteMagnitude }
        return ordinary * scale
      case .special:
        switch index % 61 {
        case 7: return .nan
        case 29: return index % 2 == 0 ? .infinity : -.infinity
        case 30, 31: return -0.0
        default: return ordinary
        }
      }
    }
  }
}

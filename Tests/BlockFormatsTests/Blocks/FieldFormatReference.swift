import BlockFormats
import FormatTestSupport

/// The formats of other fields written a second time from their definitions, block by block, for finite
/// values of ordinary sizes.
enum FieldFormatReference {
  /// A block as it is stored.
  struct Block {
    /// The codes of every field by name.
    var fields: [String: [UInt32]]
    /// Finite values that exceed the codes after rounding.
    var saturatedCount: Int
  }

  private static let bf16 = NearestSearch(ReferenceFacts.named("bf16").element)
  private static let fp16 = NearestSearch(ReferenceFacts.named("fp16").element)

  private static func number(_ name: String, _ value: Float) -> UInt32 {
    switch name {
    case "bf16": bf16.code(for: Double(value), .nearestEven, .saturate)
    case "fp16": fp16.code(for: Double(value), .nearestEven, .saturate)
    default: value.bitPattern
    }
  }

  /// Affine groups: a line from the end of larger magnitude, moved so that zero is on it.
  static func affine(
    _ values: [Float], bits: Int, scale name: String, _ rounding: NearestSearch.Rounding
  ) -> Block {
    let steps = Float((1 << bits) - 1)
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let (edge, sign): (Float, Float) = abs(low) > abs(high) ? (low, 1) : (high, -1)
    let step = sign * max((high - low) / steps, 1e-7)
    let count = (edge / step).rounded(.toNearestOrEven)
    let (s, b) = count == 0 ? (step, 0) : (edge / count, edge)
    let codes = values.map { rounding.integer(Double(($0 - b) / s)) }
    return Block(
      fields: [
        "codes": codes.map { UInt32(min(max($0, 0), Double(steps))) },
        "scales": [number(name, s)], "biases": [number(name, b)],
      ], saturatedCount: codes.count { $0 > Double(steps) })
  }

  /// NF4: the value of the table on the right side of every midpoint.
  static func nf4(
    _ values: [Float], table: [Float], _ rounding: NearestSearch.Rounding
  ) -> Block {
    let amax = values.map(abs).max() ?? 0
    let r = 1 / max(amax, 1e-38)
    let codes = values.map { value -> UInt32 in
      let x = value * r
      if x >= 1 { return 15 }
      if x <= -1 { return 0 }
      let low = table.lastIndex { $0 <= x } ?? 0
      if table[low] == x { return UInt32(low) }
      let goesUp =
        switch rounding {
        // Rules of the nearest go by the midpoint in FP32, which belongs to the lower value.
        case .nearestEven, .nearestAway, .nearestTowardZero, .nearestUp:
          x > (table[low] + table[low + 1]) / 2
        case .towardZero: x < 0
        case .up: true
        case .down: false
        case .toOdd: low % 2 == 0
        }
      return UInt32(goesUp ? low + 1 : low)
    }
    // Rounding upward can take only what is beyond an end past it.
    let beyond = values.count { value in
      switch rounding {
      case .up: value * r > 1
      case .down: value * r < -1
      // After the last code, which is odd, an even one would come; before the first one an odd one.
      case .toOdd: value * r < -1
      case .nearestEven, .nearestAway, .nearestTowardZero, .nearestUp, .towardZero: false
      }
    }
    return Block(
      fields: ["codes": codes, "scales": [amax.bitPattern]], saturatedCount: beyond)
  }

  /// Q4_0 and Q5_0: the first value of the largest magnitude is -L steps.
  static func ggmlSigned(_ values: [Float], least: Float) -> Block {
    let largest = values.map(abs).max() ?? 0
    let first = values.first { abs($0) == largest } ?? 0
    let d = first / -least
    let inverse = d == 0 || (1 / d).isInfinite ? 0 : 1 / d
    let codes = values.map { ($0 * inverse + (least + 0.5)).rounded(.down) }
    let end = 2 * least - 1
    return Block(
      fields: ["codes": codes.map { UInt32(min(end, $0)) }, "scales": [number("fp16", d)]],
      saturatedCount: codes.count { $0 > end })
  }

  /// Q4_1 and Q5_1: the range of the block in N steps.
  static func ggmlRange(_ values: [Float], steps: Float) -> Block {
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    let d = (high - low) / steps
    let inverse = d == 0 || (1 / d).isInfinite ? 0 : 1 / d
    let codes = values.map { (($0 - low) * inverse + 0.5).rounded(.down) }
    return Block(
      fields: [
        "codes": codes.map { UInt32(min(steps, $0)) }, "scales": [number("fp16", d)],
        "mins": [number("fp16", low)],
      ], saturatedCount: codes.count { $0 > steps })
  }

  /// Q8_0, TQ1_0 and TQ2_0: integers of ±N, stored as they are or plus one.
  static func ggmlAmax(
    _ values: [Float], greatest: Float, _ rounding: NearestSearch.Rounding, offset: Int?
  ) -> Block {
    let d = (values.map(abs).max() ?? 0) / greatest
    let inverse = d == 0 || (1 / d).isInfinite ? 0 : 1 / d
    let integers = values.map { value -> Double in
      // Codes of trits are those plus one, and it is codes that are even or odd.
      let isByParity = rounding == .toOdd || rounding == .nearestEven
      let shift = isByParity ? Double(offset ?? 0) : 0
      return rounding.integer(Double(value * inverse) + shift) - shift
    }
    let end = Double(greatest)
    let codes = integers.map { integer -> UInt32 in
      let clipped = Int(min(max(integer, -end), end))
      return UInt32(offset.map { clipped + $0 } ?? clipped & 0xFF)
    }
    return Block(
      fields: ["codes": codes, "scales": [number("fp16", d)]],
      saturatedCount: integers.count { abs($0) > end })
  }

  /// HiF4: three levels of powers of two, of which the lower two are a bit.
  static func hif4(_ values: [Float], _ rounding: NearestSearch.Rounding) -> Block {
    func bf16(_ x: Double) -> Double {
      Double(Float(bitPattern: Self.bf16.code(for: x, .nearestEven, .saturate) << 16))
    }
    // E6M2 without zero: 2^(E - 48) · (1 + M / 4), of which the last code is NaN.
    let scales = (0..<255).map { code in
      ReferenceElement.powerOfTwo(code / 4 - 48) * (1 + Double(code % 4) / 4)
    }
    func amax(_ range: Range<Int>) -> Double {
      Double(values[range.clamped(to: 0..<values.count)].map(abs).max() ?? 0)
    }
    let wanted = min(max(bf16(amax(0..<64) * bf16(1.0 / 7)), scales[0]), scales[254])
    let scale =
      scales.indices.min { first, second in
        let (a, b) = (abs(scales[first] - wanted), abs(scales[second] - wanted))
        return a < b || a == b && first % 2 == 0
      } ?? 0
    let r = bf16(1 / scales[scale])
    let eights = (0..<(values.count + 7) / 8).map { amax(8 * $0..<8 * $0 + 8) * r >= 4 ? 1 : 0 }
    let fours = (0..<(values.count + 3) / 4).map { index in
      amax(4 * index..<4 * index + 4) * r / Double(1 << eights[index / 2]) >= 2 ? 1 : 0
    }
    // Quarters up to 7, and a sign that zeros keep.
    let quarters = values.enumerated().map { index, value in
      rounding.integer(4 * Double(value) * r / Double(1 << (eights[index / 8] + fours[index / 4])))
    }
    return Block(
      fields: [
        "codes": quarters.map { UInt32(min(abs($0), 7)) + ($0.sign == .minus ? 8 : 0) },
        "scales": [UInt32(scale)], "exponents8": eights.map { UInt32($0) },
        "exponents4": fours.map { UInt32($0) },
      ], saturatedCount: quarters.count { abs($0) > 7 })
  }
}

extension NearestSearch.Rounding {
  /// The integer that a number is rounded to.
  fileprivate func integer(_ x: Double) -> Double {
    switch self {
    case .nearestEven: return x.rounded(.toNearestOrEven)
    case .nearestAway: return x.rounded(.toNearestOrAwayFromZero)
    case .nearestTowardZero:
      let away = x.rounded(.toNearestOrAwayFromZero)
      return abs(away - x) == 0.5 ? x.rounded(.towardZero) : away
    case .nearestUp: return Double(signOf: x, magnitudeOf: (x + 0.5).rounded(.down))
    case .towardZero: return x.rounded(.towardZero)
    case .up: return x.rounded(.up)
    case .down: return x.rounded(.down)
    case .toOdd:
      let low = x.rounded(.down)
      let odd = (low / 2).rounded(.down) * 2 + 1
      return low == x ? x : odd
    }
  }
}

/// Rounding by its definition: find the two neighbours of a value in the sorted table of all
/// values, and apply the rule to them.
///
/// The table of each sign ends with one value more than the format has, the next one with an
/// unbounded exponent, so that overflow is judged after rounding.
public struct NearestSearch: Sendable {
  public enum Rounding: Sendable, CaseIterable {
    case nearestEven, nearestAway, nearestTowardZero, nearestUp, towardZero, up, down, toOdd
  }

  public enum Overflow: Sendable, CaseIterable {
    case saturate, special
  }

  /// The magnitudes of one sign in ascending order, with their codes.
  ///
  /// `sizes` has one entry more than `codes`: what would follow the largest value.
  public struct Ladder: Sendable {
    public let sizes: [Double]
    public let codes: [UInt32]

    public var beyond: Double { sizes[sizes.count - 1] }

    /// Whether the step of an index has an even code, counting one on for the value beyond.
    func isEven(_ index: Int) -> Bool {
      index < codes.count ? codes[index] % 2 == 0 : codes[codes.count - 1] % 2 == 1
    }
  }

  public let element: ReferenceElement
  public let positive: Ladder
  public let negative: Ladder
  public let infinityCode: UInt32?
  public let negativeInfinityCode: UInt32?
  /// The NaN code; of several, the positive one with only the first fraction bit, or all ones.
  public let nanCode: UInt32?

  /// - Parameter element: a format of at most 19 bits, since every code is decoded.
  public init(_ element: ReferenceElement) {
    self.element = element
    var steps: [FloatingPointSign: [(size: Double, code: UInt32)]] = [.plus: [], .minus: []]
    var nans: [Int] = []
    var infinities: [FloatingPointSign: UInt32] = [:]
    for code in 0..<element.codeCount {
      let value = element.value(of: code)
      if value.isNaN {
        nans.append(code)
      } else if value.isInfinite {
        infinities[value.sign] = UInt32(code)
      } else if element.kind != .symmetricInteger || code != element.codeCount / 2 {
        steps[value.sign, default: []].append((abs(value), UInt32(code)))
      }
    }
    let zero = steps[.plus, default: []].first { $0.size == 0 }
    if let zero, steps[.minus, default: []].allSatisfy({ $0.size != 0 }) {
      steps[.minus, default: []].append(zero)
    }
    func ladder(_ sign: FloatingPointSign) -> Ladder {
      let sorted = steps[sign, default: []].sorted { $0.size < $1.size }
      let greatest = sorted.last?.size ?? 0
      return Ladder(
        sizes: sorted.map(\.size) + [greatest + element.spacing(at: greatest)],
        codes: sorted.map(\.code))
    }
    positive = ladder(.plus)
    negative = element.isSigned ? ladder(.minus) : positive
    infinityCode = infinities[.plus]
    negativeInfinityCode = infinities[.minus]
    let isIEEE = element.specials == .ieee
    let firstNegative = element.isSigned ? element.codeCount / 2 : element.codeCount
    let nan =
      isIEEE
      ? nans.first { Self.isQuiet($0, element) }
      : nans.last { $0 < firstNegative } ?? nans.last
    nanCode = nan.map { UInt32($0) }
  }

  private static func isQuiet(_ code: Int, _ element: ReferenceElement) -> Bool {
    code % (1 << element.fractionBits) == 1 << (element.fractionBits - 1)
  }

  public func ladder(ofSign sign: FloatingPointSign) -> Ladder {
    sign == .minus ? negative : positive
  }

  /// The code of a value by definition of the rules.
  public func code(for value: Double, _ rounding: Rounding, _ overflow: Overflow) -> UInt32 {
    if value.isNaN {
      return nanCode ?? (element.isInteger ? 0 : positive.codes[positive.codes.count - 1])
    }
    let sign = value.sign
    if value < 0 && !element.isSigned {
      return roundsToZero(value, rounding) || overflow == .saturate ? 0 : nanCode ?? 0
    }
    let ladder = ladder(ofSign: element.isSigned ? sign : .plus)
    let size = abs(value)
    if size.isInfinite { return overflowCode(sign, rounding, overflow, isFinite: false) }
    // Below the first step lies nothing to round to: only a format without zero gets here.
    if size <= ladder.sizes[0] { return ladder.codes[0] }
    let lower = Self.lastIndex(in: ladder.sizes, notAbove: size)
    var chosen = lower
    if ladder.sizes[lower] != size && lower < ladder.codes.count {
      chosen += goesAway(size, from: lower, ladder, sign, rounding) ? 1 : 0
    }
    return chosen < ladder.codes.count
      ? ladder.codes[chosen] : overflowCode(sign, rounding, overflow, isFinite: true)
  }

  /// Whether a negative value becomes zero in an unsigned format that has a zero.
  private func roundsToZero(_ value: Double, _ rounding: Rounding) -> Bool {
    guard positive.sizes[0] == 0, -value < positive.sizes[1] else { return false }
    return !goesAway(-value, from: 0, positive, .minus, rounding)
  }

  private func goesAway(
    _ size: Double, from lower: Int, _ ladder: Ladder, _ sign: FloatingPointSign,
    _ rounding: Rounding
  ) -> Bool {
    // Neighbours have at most 24 significant bits and lie within a binade, so their sum is exact.
    let (twice, sum) = (2 * size, ladder.sizes[lower] + ladder.sizes[lower + 1])
    switch rounding {
    case .nearestEven: return twice > sum || twice == sum && !ladder.isEven(lower)
    case .nearestAway: return twice >= sum
    case .nearestTowardZero: return twice > sum
    case .nearestUp: return twice > sum || twice == sum && sign == .plus
    case .towardZero: return false
    case .up: return sign == .plus
    case .down: return sign == .minus
    case .toOdd: return ladder.isEven(lower)
    }
  }

  func overflowCode(
    _ sign: FloatingPointSign, _ rounding: Rounding, _ overflow: Overflow, isFinite: Bool
  ) -> UInt32 {
    let codes = ladder(ofSign: sign).codes
    let extreme = codes[codes.count - 1]
    if overflow == .saturate { return extreme }
    if isFinite {
      switch rounding {
      case .towardZero: return extreme
      case .up where sign == .minus: return extreme
      case .down where sign == .plus: return extreme
      default: break
      }
    }
    return (sign == .minus ? negativeInfinityCode : infinityCode) ?? nanCode ?? extreme
  }

  /// The last index whose size is not above a bound that is at least the first size.
  public static func lastIndex(in sizes: [Double], notAbove bound: Double) -> Int {
    var (low, high) = (0, sizes.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if sizes[middle] <= bound { low = middle } else { high = middle }
    }
    return low
  }
}

extension ReferenceElement {
  /// The distance from a finite value to the next larger one, with an unbounded exponent.
  public func spacing(at size: Double) -> Double {
    if isInteger { return Self.powerOfTwo(-fractionBits) }
    let floor = Self.powerOfTwo(1 - bias - fractionBits)
    guard kind == .floatWithoutZero || size >= Self.powerOfTwo(1 - bias) else { return floor }
    return Self.powerOfTwo(Int(size.exponent) - fractionBits)
  }
}

extension NearestSearch {
  /// The code that stochastic rounding gives for a random word R of N bits: away from zero when
  /// floor(ν · 2^N) + R ≥ 2^N, where ν is the value's fraction of the way to the outer neighbour.
  public func code(
    for value: Double, random word: UInt32, ofBits count: Int, _ overflow: Overflow
  ) -> UInt32 {
    let ladder = ladder(ofSign: element.isSigned ? value.sign : .plus)
    let exact = abs(value)
    guard exact.isFinite, exact > ladder.sizes[0] else {
      return code(for: value, .nearestEven, overflow)
    }
    let lower = Self.lastIndex(in: ladder.sizes, notAbove: exact)
    guard lower < ladder.codes.count else { return code(for: value, .nearestEven, overflow) }
    // Spacings are powers of two and the difference is exact, so ν is; so is the scaled ν.
    let nu = (exact - ladder.sizes[lower]) / (ladder.sizes[lower + 1] - ladder.sizes[lower])
    let scaled = Int64(nu * ReferenceElement.powerOfTwo(count))
    let goesAway = scaled + Int64(word) >= Int64(1) << Int64(count)
    let size = ladder.sizes[goesAway ? lower + 1 : lower]
    return code(for: value.sign == .minus ? -size : size, .nearestEven, overflow)
  }
}

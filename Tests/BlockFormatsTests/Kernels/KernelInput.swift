import BlockFormats
import FormatTestSupport

/// Values for tests of kernels: blocks of many kinds in one tensor.
struct KernelInput {
  /// What a block holds.
  enum Kind: CaseIterable {
    /// Normal values around a random power of two.
    case normal
    /// Values halfway between neighbours of the element under the block's scale, and one ulp off.
    case ties
    /// Largest magnitudes where scale rules change their mind, and one ulp off.
    case scaleThresholds
    /// Values of many binades among zeros.
    case sparse
    case zeros
    case subnormal
    case huge
    /// Values up to the largest of FP32, which coarse scales round beyond it, among others.
    case top
    case finitePatterns
    case patterns
    case oneNaN
    case oneInfinity
    case specials
  }

  /// Which kinds a tensor mixes.
  ///
  /// One block decides how kernels treat a whole panel, so that tensors without the difficult kinds
  /// are needed as well.
  enum Mix: CaseIterable {
    case tame, finite, all

    var kinds: [Kind] {
      switch self {
      case .tame: [.normal, .ties, .scaleThresholds, .sparse, .zeros, .ties]
      case .finite:
        Kind.allCases.filter { ![.patterns, .oneNaN, .oneInfinity, .specials].contains($0) }
      case .all: Kind.allCases
      }
    }
  }

  private let element: ElementFormat
  private let steps: UInt32
  private var generator: SeededGenerator

  init(_ element: ElementFormat, seed: UInt64) {
    self.element = element
    // Codes of tables have any order.
    steps =
      element.mirror == nil && element.bitWidth <= 8
      ? UInt32(element.valueTable.count(where: \.isFinite) - 1) : element.greatestFiniteCode
    generator = SeededGenerator(seed: seed)
  }

  /// A tensor whose blocks take turns through the kinds of a mix, from a random one on.
  static func values(
    _ format: some BlockFormat, _ shape: KernelShape, _ mix: Mix, seed: UInt64
  ) -> [Float] {
    var input = KernelInput(format.layout.element, seed: seed)
    var result = [Float](repeating: 0, count: shape.count)
    let kinds = mix.kinds
    var turn = Int.random(in: 0..<kinds.count, using: &input.generator)
    for block in blockIndices(format.layout, shape: shape.extents, axis: shape.axis) {
      for (index, value) in zip(block, input.block(kinds[turn % kinds.count], block.count)) {
        result[index] = value
      }
      turn += 1
    }
    return result
  }

  mutating func block(_ kind: Kind, _ count: Int) -> [Float] {
    let scale = power(Int.random(in: -12...12, using: &generator))
    switch kind {
    case .normal: return (0..<count).map { _ in uniform() * scale }
    case .ties: return ties(count, scale)
    case .scaleThresholds:
      var values = (0..<count).map { _ in uniform() * scale }
      let fractions: [Float] = [
        1, 1.25, 1.375, 1.4142135, 1.4375, 1.5, 1.75, 1.875, 1.9375, 1.9990234,
      ]
      let most = Float(element.greatestFiniteMagnitude).significand
      let amax = near((fractions + [most, most]).randomElement(using: &generator) ?? 1) * 2 * scale
      values[place(count)] = flip() ? amax : -amax
      return values
    case .sparse:
      return (0..<count).map { _ in
        flip() ? 0 : uniform() * power(Int.random(in: -30...0, using: &generator)) * scale
      }
    case .zeros: return (0..<count).map { _ in flip() ? 0 : -0.0 }
    case .subnormal:
      return (0..<count).map { _ in Float(bitPattern: word() & 0x807F_FFFF) }
    case .huge:
      return (0..<count).map { _ in uniform() * power(Int.random(in: 90...127, using: &generator)) }
    case .top: return top(count)
    case .finitePatterns:
      return (0..<count).map { _ in
        let value = Float(bitPattern: word())
        return value.isFinite ? value : Float(bitPattern: word() & 0xBFFF_FFFF)
      }
    case .patterns: return (0..<count).map { _ in Float(bitPattern: word()) }
    case .oneNaN, .oneInfinity:
      var values = (0..<count).map { _ in uniform() * scale }
      values[place(count)] =
        kind == .oneNaN
        ? Float(bitPattern: 0x7F80_0001 | word() & 0x807F_FFFF) : flip() ? .infinity : -.infinity
      return values
    case .specials:
      let specials: [Float] = [
        0, -0.0, .infinity, -.infinity, .nan, -.nan, .signalingNaN, .leastNonzeroMagnitude,
        -.leastNonzeroMagnitude, .leastNormalMagnitude, -.leastNormalMagnitude,
        .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1, 0x1p-127, 0x1p96, 0x1p127,
      ]
      return (0..<count).map { _ in specials.randomElement(using: &generator) ?? 0 }
    }
  }

  /// Midpoints of neighbouring element values, which are those of the block under a scale of two to
  /// a power, since the largest element is among them.
  private mutating func ties(_ count: Int, _ scale: Float) -> [Float] {
    let most = element.greatestFiniteMagnitude
    // Casts know no scale.
    let scale = most > 0x1p60 || flip() ? 1 : scale
    var values = (0..<count).map { _ -> Float in
      let code = UInt32.random(in: 0..<steps, using: &generator)
      let middle = (element.value(of: code) + element.value(of: code + 1)) / 2
      let value = near(Float(middle)) * scale * (most > 0x1p60 ? 1 : [1, 1, 0.5, 2][place(4)])
      return flip() ? value : -value
    }
    values[place(count)] = Float(most) * scale
    return values
  }

  /// The largest numbers, values in their binade, and midpoints of neighbouring elements scaled up
  /// to it, one ulp off or not, beside zeros and values of any size.
  private mutating func top(_ count: Int) -> [Float] {
    (0..<count).map { _ in
      let value: Float
      switch place(6) {
      case 0: value = [.greatestFiniteMagnitude, 0x1.FFp127, 3.3895e38, 0x1.8p127][place(4)]
      case 1, 2: value = Float(bitPattern: 0x7F00_0000 | word() & 0x7F_FFFF)
      case 3:
        let code = UInt32(max(1, Int(steps) - place(8)))
        let middle = (element.value(of: code) + element.value(of: code - 1)) / 2
        let scaled = Float(
          sign: .plus, exponent: [125, 126, 127][place(3)], significand: Float(middle.significand))
        value = near(scaled.isFinite && scaled > 0 ? scaled : 0x1p127)
      case 4: value = flip() ? 0 : uniform() * power(Int.random(in: 110...126, using: &generator))
      default: value = uniform() * power(Int.random(in: -40...100, using: &generator))
      }
      return flip() ? value : -value
    }
  }

  /// A value, the next above or the next below.
  private mutating func near(_ value: Float) -> Float {
    switch place(3) {
    case 0: value
    case 1: value.nextUp
    default: value.nextDown
    }
  }

  private mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: generator.next()) }
  private mutating func flip() -> Bool { generator.next() & 1 == 0 }
  private mutating func place(_ count: Int) -> Int { Int(generator.next() >> 33) % count }

  /// A value of -2 to 2 with a random significand of 24 bits.
  private mutating func uniform() -> Float {
    let word = word()
    return Float(Int32(bitPattern: word)) * 0x1p-30
  }

  private func power(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent, significand: 1)
  }
}

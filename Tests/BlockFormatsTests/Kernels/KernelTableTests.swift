import CBlockKernels
import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Kernels of elements that are tables")
struct KernelTableTests {
  /// Tables of every size, in any order of codes: with one zero, with two, without one, without a
  /// sign, with values that FP32 does not hold, and with thresholds of their own.
  private static func table(_ number: Int) -> ValueTable {
    var generator = SeededGenerator(seed: UInt64(number))
    let count = 2 + number % 15
    var values: [Double] = number % 3 == 0 ? [0] : number % 3 == 1 ? [0, -0.0] : []
    while values.count < count {
      let word = generator.next()
      let fraction = Double(word >> 32) * 0x1p-32 + 0x1p-33
      let size = number % 4 == 0 ? Double(Float(fraction)) : fraction
      values.append(number % 5 != 4 && word & 1 == 0 ? -size : size)
    }
    // The largest magnitude is one.
    let last = values.count - 1
    values[last] = 1
    values.shuffle(using: &generator)
    guard number % 7 == 2, !values.contains(where: { $0.sign == .minus && $0 == 0 }) else {
      return ValueTable(values)
    }
    let ascending = values.sorted()
    let thresholds = zip(ascending, ascending.dropFirst()).map { $0 + ($1 - $0) * 0.4 }
    return ValueTable(values, thresholds: thresholds)
  }

  /// The numbers around every place where a table's codes may change, and anything else.
  private static func values(_ table: ValueTable, seed: UInt64) -> [Float] {
    let ascending = table.ascending.map { table.values[Int($0)] }
    let middles = zip(ascending, ascending.dropFirst()).map { $0 + ($1 - $0) / 2 }
    let beyond = [2 * ascending[0], 2 * ascending[ascending.count - 1]]
    let places =
      ascending + middles + (table.thresholds ?? []) + beyond
      + [
        ascending[0] + table.next(to: 0, isAbove: false),
        ascending[ascending.count - 1]
          + table.next(to: ascending.count - 1, isAbove: true),
      ].map { $0 / 2 }
    var values: [Float] = [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude]
    for place in places {
      var (above, below) = (Float(place), Float(place))
      for _ in 0..<3 {
        values += [above, below]
        (above, below) = (above.nextUp, below.nextDown)
      }
    }
    var input = KernelInput(.e5m2, seed: seed)
    for kind in [KernelInput.Kind.normal, .finitePatterns, .subnormal] {
      values += input.block(kind, 64)
    }
    return values
  }

  @Test("Bare elements, every number beside a threshold, every rounding without random bits")
  func casts() {
    for number in 0..<(Intensity.isDeep ? 2000 : 90) {
      let table = Self.table(number)
      let format = CastFormat(
        element: ElementFormat(name: "table\(number)", table: table), source: "test")
      var values = Self.values(table, seed: UInt64(number))
      for rounding in RoundingRule.deterministic {
        for nonFinite in [NonFiniteRule.element, .nanToZero] {
          let policy = format.policy {
            ($0.rounding, $0.nonFinite) = (rounding, nonFinite)
            $0.overflow = number % 2 == 0 ? .saturate : .special
          }
          let quantizer = TensorQuantizer(format: format, shape: [values.count], policy: policy)
          #expect(quantizer.kernelLevel != nil)
          expectSameOnEveryLevel(
            values, KernelShape([values.count]), format: format, policy: policy)
        }
        values += [.infinity, -.infinity, .nan, -.greatestFiniteMagnitude]
      }
    }
  }

  @Test("Under scales: the largest magnitude, its reciprocal, near the ends of FP32")
  func scaled() {
    for number in 0..<(Intensity.isDeep ? 1000 : 60) {
      let element = ElementFormat(name: "table\(number)", table: Self.table(number))
      let block = BlockShape.run(length: [16, 64, 5, 32, 100][number % 5])
      let formats: [any BlockFormat] = [
        AbsmaxFormat(id: "absmax", source: "test", element: element, block: block),
        ScaledFormat(id: "scaled", source: "test", element: element, block: .row),
        ScaledFormat(
          id: "scaled", source: "test", element: element, block: .tile(rows: 3, columns: 8)),
      ]
      for (index, format) in formats.enumerated() {
        let shapes = KernelShape.all(for: format.layout)
        for (turn, mix) in KernelInput.Mix.allCases.enumerated() {
          let shape = shapes[(number + 5 * turn + index) % shapes.count]
          var policy = format.defaultPolicy
          policy.rounding = RoundingRule.deterministic[(number + turn) % 6]
          policy.nonFinite = NonFiniteRule.allCases[(number / 2 + turn) % 3]
          expectSameOnEveryLevel(
            KernelInput.values(format, shape, mix, seed: UInt64(number)), shape, format: format,
            policy: policy)
        }
        // Every threshold under every kind of scale.
        var values: [Float] = []
        for scale: Float in [1, 0.37, 1e-30, 2.5e-38, 0x1p-140, 2.9e38] {
          values += Self.values(Self.table(number), seed: 1).prefix(100).map { $0 * scale }
        }
        values = values.map { $0.isFinite ? $0 : 1 }
        expectSameOnEveryLevel(
          values, KernelShape([values.count]), format: format, policy: format.defaultPolicy)
      }
    }
  }

  @Test("Stored codes of any scale decode as in the reference, codes without a value among them")
  func storedCodes() throws {
    for number in 0..<45 {
      let element = ElementFormat(name: "table\(number)", table: Self.table(number))
      let format = AbsmaxFormat(
        id: "absmax", source: "test", element: element, block: .run(length: 32))
      for isComplete in [true, false] {
        let codeCount = UInt32(isComplete ? Self.table(number).values.count : element.codeCount)
        let codes = (0..<1056).map { UInt32($0) &* 2_654_435_761 >> 9 % codeCount }
        let scales: [Float] = [1, 0.37, -2, .infinity, 0, -0.0, .nan, -.nan, 3e38, 0x1p-149]
        let tensor = try QuantizedTensor(
          format: format, shape: [1056],
          codes: fieldCodes(
            codes, scales: (0..<33).map { scales[($0 + number) % 10].bitPattern },
            tensorScale: nil))
        func decoded(_ kernels: KernelSelection) -> [UInt32] {
          bits(1056) {
            TensorQuantizer(format: format, shape: [1056], kernels: kernels).decode(
              tensor, into: $0)
          }
        }
        let expected = decoded(.reference)
        for level in KernelLevel.supported {
          #expect(decoded(.level(level)) == expected, "\(number) on \(level.id)")
        }
      }
    }
  }

  @Test("Tables of more values, under powers of two or with random bits run in the reference")
  func others() {
    func hasKernels(_ format: some BlockFormat, _ rounding: RoundingRule = .toNearestOrEven) -> Bool
    {
      let policy = format.policy { $0.rounding = rounding }
      return TensorQuantizer(format: format, shape: [64], policy: policy).kernelLevel != nil
    }
    let long = ElementFormat(name: "long", table: ValueTable((0..<17).map { 1 - Double($0) / 8 }))
    #expect(!hasKernels(CastFormat(element: long, source: "test")))
    #expect(
      !hasKernels(
        SharedExponentFormat(
          id: "mx", source: "test", element: .nf4, block: .vector(length: 32))))
    #expect(hasKernels(AbsmaxFormat.nf4))
    #expect(!hasKernels(AbsmaxFormat.nf4, .stochastic(StochasticSource(seed: 1))))
  }

  @Test("Scales in units of a table's largest magnitude, and what multiplies values")
  func units() {
    let magnitudes: [Float] = [
      0, .leastNonzeroMagnitude, 0x1p-127, 1e-38, 3e-38, 0.1, 1, 6, 3.4e30, 0x1p127,
      .greatestFiniteMagnitude, .infinity, .nan,
    ]
    for unit: Float in [1, 0.7, 6, 0x1p-64, 0x1p64] {
      var rule = BKFloatScale(
        greatest: 1, tame_limit: 2 * unit, least_multiplier: unit * 0x1p-127,
        is_power_of_two: false, unit: unit, least: 1e-38)
      for count in 1...magnitudes.count {
        for level in KernelLevel.supported {
          let maxima = magnitudes.prefix(count).map(\.bitPattern)
          var scales = [UInt32](repeating: 0, count: count)
          var multipliers = [Float](repeating: 0, count: count)
          _ = kernelTable(level).float_scales(&rule, maxima, count, &scales, &multipliers)
          for (index, magnitude) in magnitudes.prefix(count).enumerated() {
            let scale = min(magnitude / unit, .greatestFiniteMagnitude)
            // Zeros need no multiplier.
            let multiplier = magnitude == 0 ? 1 : 1 / max(scale, 1e-38)
            let isUsual = magnitude.isFinite
            #expect(Float(bitPattern: scales[index]).isNaN == !isUsual)
            #expect(multipliers[index].isNaN == !isUsual)
            guard isUsual else { continue }
            #expect(scales[index] == scale.bitPattern, "\(magnitude) by \(unit), \(level.id)")
            #expect(multipliers[index] == multiplier, "\(magnitude) by \(unit), \(level.id)")
          }
        }
      }
    }
  }

  @Test("Numbers have keys in their order, and the least one of a kind is found from anywhere")
  func keys() {
    let numbers: [Float] = [
      -.greatestFiniteMagnitude, -1, -.leastNonzeroMagnitude, -0.0, 0, .leastNonzeroMagnitude, 1,
      .greatestFiniteMagnitude,
    ]
    let keys = numbers.map { FloatKey.of(Double($0)) }
    #expect(zip(keys, keys.dropFirst()).allSatisfy { $0 < $1 })
    #expect(keys[3] + 1 == keys[4])
    for (number, key) in zip(numbers, keys) {
      #expect(FloatKey.value(key).bitPattern == number.bitPattern)
      for guess in keys {
        #expect(FloatKey.first(near: guess) { $0 >= key } == key)
      }
    }
    #expect(FloatKey.first(near: 5) { _ in false } == keys[7] + 1)
    #expect(FloatKey.of(1e300) == keys[7])
  }
}

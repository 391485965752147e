import CBlockKernels
import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Kernels of blocks whose parts are doubled")
struct KernelDoublingTests {
  private static let format = HiF4Format()
  private static let roundings = RoundingRule.deterministic

  /// Policies of every rounding that kernels know, with other choices in turn.
  private static func policy(_ number: Int) -> EncodingPolicy {
    var policy = format.defaultPolicy
    if number % 3 > 0 { policy.rounding = roundings[number / 3 % roundings.count] }
    policy.zeroSign = number % 5 == 4 ? .positive : .kept
    policy.nonFinite = NonFiniteRule.allCases[number % 4]
    policy.overflow = OverflowRule.allCases[number % 2]
    return policy
  }

  @Test("Rows that end anywhere in a block, a part or a vector, with every mix of values")
  func ragged() {
    let lengths = [1, 3, 4, 5, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200, 1023, 1025, 2113]
    for (number, length) in lengths.enumerated() {
      for (turn, mix) in KernelInput.Mix.allCases.enumerated() {
        for shape in [KernelShape([length]), KernelShape([3, length])] {
          let values = KernelInput.values(Self.format, shape, mix, seed: UInt64(number))
          expectSameOnEveryLevel(
            values, shape, format: Self.format, policy: Self.policy(3 * turn + number))
          expectSameOnEveryLevel(
            values, shape, format: Self.format, policy: Self.format.defaultPolicy)
        }
      }
    }
  }

  /// Blocks whose largest magnitudes lie around those where scales change, and one step off.
  private static var scaleSteps: [Float] {
    var values: [Float] = []
    for code in 0..<UInt32(255) {
      // Any magnitude of the upper scale's binade decides; the step is where the code changes.
      var (low, high) = (Float.leastNonzeroMagnitude.bitPattern, Float(0x1p20).bitPattern)
      while high - low > 1 {
        let middle = (low + high) / 2
        if HiF4Format.scaleCode(amax: Float(bitPattern: middle)) > code {
          high = middle
        } else {
          low = middle
        }
      }
      for pattern in [low - 1, low, high, high + 1] {
        let amax = Float(bitPattern: pattern)
        values += (0..<64).map { $0 == 17 ? -amax : amax * Float($0) / 64 }
      }
    }
    return values
  }

  @Test("Largest magnitudes around every step of the scale")
  func steps() {
    let values = Self.scaleSteps
    for number in 0..<4 {
      expectSameOnEveryLevel(
        values, KernelShape([values.count]), format: Self.format, policy: Self.policy(number))
    }
  }

  /// A block for each fraction of the scale and some powers of two, of magnitudes around those at which
  /// eights and fours double and codes change, one step off or not.
  private static func limits(_ seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    var values: [Float] = []
    for code in stride(from: UInt32(0), to: 255, by: 7) {
      let reciprocal = HiF4Format.reciprocal(ofScale: code)
      let scale = ElementFormat.ue6m2.value(of: code)
      for doublings in 0..<3 {
        for first in 0..<16 {
          values += (0..<4).map { index -> Float in
            // Halves of a spacing, scaled up, are all where anything changes.
            let halves = Double(Int.random(in: 0...17, using: &generator))
            let exact = halves / 8 * Double(1 << doublings) / reciprocal
            let value = Float(exact)
            let steps = [value, value.nextUp, value.nextDown, value.nextUp.nextUp]
            let near = steps[Int.random(in: 0..<4, using: &generator)]
            // One value says what the scale is.
            if first == 0 && index == 0 { return Float(7 * scale) }
            return Bool.random(using: &generator) ? near : -near
          }
        }
      }
    }
    return values
  }

  @Test("Magnitudes around every limit of a code and a doubling, under every rounding")
  func decisions() {
    for number in 0..<(Intensity.isDeep ? 300 : 3 * Self.roundings.count + 3) {
      let values = Self.limits(UInt64(number))
      expectSameOnEveryLevel(
        values, KernelShape([values.count]), format: Self.format, policy: Self.policy(number))
    }
  }

  @Test("Any stored codes decode as in the reference, NaN scales among them")
  func storedCodes() throws {
    let shapes = [
      KernelShape([4, 1031]), KernelShape([9000]), KernelShape([7, 64]),
      KernelShape([131, 45], axis: 0), KernelShape([3, 70, 5], axis: 1),
    ]
    for (number, shape) in shapes.enumerated() {
      let empty = TensorQuantizer(format: Self.format, shape: shape.extents, axis: shape.axis)
        .makeStorage()
      var generator = SeededGenerator(seed: UInt64(number))
      let codes = zip(Self.format.layout.fields, empty.planes).map { field, plane in
        (
          field.name,
          (0..<plane.rowCount * plane.rowLength).map { index -> UInt32 in
            // Every scale in turn, NaN only among the later ones.
            if field.name == "scales" { return UInt32(index * 37 % (number == 0 ? 255 : 256)) }
            return UInt32(generator.next() >> UInt64(64 - plane.bitWidth))
          }
        )
      }
      let tensor = try QuantizedTensor(
        format: Self.format, shape: shape.extents, axis: shape.axis,
        codes: Dictionary(uniqueKeysWithValues: codes))
      func decoded(_ kernels: KernelSelection) -> [UInt32] {
        bits(shape.count) {
          TensorQuantizer(
            format: Self.format, shape: shape.extents, axis: shape.axis, kernels: kernels
          ).decode(tensor, into: $0)
        }
      }
      let expected = decoded(.reference)
      for level in KernelLevel.supported {
        #expect(decoded(.level(level)) == expected, "\(shape) on \(level.id)")
      }
    }
  }

  @Test("Kernels stop in front of the first unusual block, and at no other")
  func stops() {
    guard case .doubled(var rule) = Self.format.kernelScale(policy: Self.format.defaultPolicy),
      var element = Self.format.kernelElement(policy: Self.format.defaultPolicy)
    else {
      Issue.record("hif4 has no kernels")
      return
    }
    let count = 64 * 37 + 5
    for level in KernelLevel.supported {
      for unusual in [nil, 0, 1, 15, 16, 17, 31, 36, 37] as [Int?] {
        for value: Float in [.nan, .infinity, -0x1p30] {
          var values = (0..<count).map { Float($0 % 29 - 14) }
          if let unusual { values[64 * unusual + 3] = value }
          var codes = [UInt8](repeating: 0xAA, count: (count + 1) / 2)
          var scales = [UInt8](repeating: 0xAA, count: 38)
          var (eights, fours) = (scales, scales + scales)
          var overflows = 0
          let workspace = UnsafeMutableRawPointer.allocate(
            byteCount: Int(BK_WORKSPACE_BYTES), alignment: Int(BK_WORKSPACE_ALIGNMENT))
          defer { workspace.deallocate() }
          let done = kernelTable(level).encode_doubled(
            &element, &rule, values, count, &codes, &scales, &eights, &fours, &overflows,
            workspace)
          #expect(done == unusual.map { 64 * $0 } ?? count, "\(level.id) \(unusual ?? -1)")
          // Nothing behind the last block that is done is written.
          let rest = unusual ?? 38
          #expect(scales[rest...].allSatisfy { $0 == 0xAA }, "\(level.id) \(rest)")
          #expect(eights[rest...].allSatisfy { $0 == 0xAA }, "\(level.id) \(rest)")
          #expect(fours[(2 * rest)...].allSatisfy { $0 == 0xAA }, "\(level.id) \(rest)")
          #expect(codes[min(32 * rest, codes.count)...].allSatisfy { $0 == 0xAA }, "\(level.id)")
        }
      }
    }
  }

  @Test("Blocks along other axes, the last of which may be short, with every mix of values")
  func columns() {
    let shapes = [
      KernelShape([64, 70], axis: 0), KernelShape([1, 33], axis: 0), KernelShape([3, 17], axis: 0),
      KernelShape([200, 9], axis: 0), KernelShape([65, 130], axis: 0),
      KernelShape([63, 1], axis: 0),
      KernelShape([2, 69, 35], axis: 1), KernelShape([3, 130, 2, 5], axis: 1),
      KernelShape([5, 2000], axis: 0), KernelShape([12, 1100], axis: 0),
    ]
    for (number, shape) in shapes.enumerated() {
      for (turn, mix) in KernelInput.Mix.allCases.enumerated() {
        let values = KernelInput.values(Self.format, shape, mix, seed: UInt64(number))
        for policy in [Self.format.defaultPolicy, Self.policy(7 * turn + number)] {
          expectSameOnEveryLevel(values, shape, format: Self.format, policy: policy)
        }
      }
    }
    // The blocks of `decisions`, each a column.
    for number in 0..<3 * Self.roundings.count {
      let values = Self.limits(UInt64(number))
      let count = values.count / 64
      let turned = values.indices.map { values[$0 % count * 64 + $0 / count] }
      expectSameOnEveryLevel(
        turned, KernelShape([64, count], axis: 0), format: Self.format,
        policy: Self.policy(number))
    }
  }

  @Test("Random rounding runs in the reference, and all else in kernels")
  func levels() {
    func level(_ policy: EncodingPolicy, axis: Int = -1) -> KernelLevel? {
      TensorQuantizer(format: Self.format, shape: [70, 70], axis: axis, policy: policy).kernelLevel
    }
    for number in 0..<60 { #expect(level(Self.policy(number)) == KernelLevel.best) }
    var random = Self.format.defaultPolicy
    random.rounding = .stochastic(StochasticSource(seed: 5))
    #expect(level(random) == nil && level(random, axis: 0) == nil)
    #expect(level(Self.format.defaultPolicy, axis: 0) == KernelLevel.best)
  }

  @Test("Results past the caches and in place, of any number of threads, are the same")
  func streamsAndThreads() {
    let shape = KernelShape([9, 1_000_003])
    let part = KernelInput.values(Self.format, KernelShape([6400]), .tame, seed: 1)
    var values = (0..<shape.count).map { part[$0 % part.count] }
    for index in stride(from: 1000, to: shape.count, by: 500_000) { values[index] = .nan }
    func outcome(_ threads: Int) -> KernelOutcome {
      KernelOutcome(
        TensorQuantizer(
          format: Self.format, shape: shape.extents, parallelism: .threads(threads)), values)
    }
    let one = outcome(1)
    #expect(one.difference(from: one, values) == nil)
    #expect(outcome(3).difference(from: one, values) == nil)
  }
}

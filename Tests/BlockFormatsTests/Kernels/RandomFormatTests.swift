import BlockFormats
import FormatTestSupport
import Foundation
import Testing

@Suite("Formats drawn at random")
struct RandomFormatTests {
  /// A deep run takes a seed and a number of formats from the environment, for others than its own.
  private static func setting(_ name: String, _ fallback: Int) -> Int {
    guard Intensity.isDeep else { return fallback }
    return ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? fallback
  }

  @Test("Every kernel level gives the reference's bits, and finite values stay finite")
  func identity() {
    let first = Self.setting("BLOCKFORMATS_FUZZ_SEED", 1)
    let count = Self.setting("BLOCKFORMATS_FUZZ_COUNT", Intensity.isDeep ? 20_000 : 150)
    for seed in first..<first + count {
      if Intensity.isDeep && seed % 1000 == 0 { print("random formats from seed \(seed)") }
      expectSame(seed)
    }
  }

  private func expectSame(_ seed: Int) {
    var random = RandomFormat(seed: UInt64(seed))
    let (format, policy) = random.next()
    let extent = random.integer(1...70)
    let shape = random.pick([
      KernelShape([extent]), KernelShape([random.integer(1...4), extent]),
      KernelShape([extent, random.integer(1...5)], axis: 0),
      KernelShape([2, random.integer(1...9), random.integer(1...9)], axis: 1),
    ])
    let isFinite = random.integer(0...1) == 0
    let kinds: [KernelInput.Kind] =
      isFinite
      ? [.top, .huge, .finitePatterns, .subnormal, .normal, .ties, .zeros]
      : KernelInput.Kind.allCases
    var input = KernelInput(format.layout.element, seed: UInt64(seed))
    var values: [Float] = []
    while values.count < shape.count {
      values += input.block(random.pick(kinds), random.integer(1...40))
    }
    values.removeLast(values.count - shape.count)
    // Midpoints of elements beyond FP32 are infinite.
    if isFinite { values = values.map { $0.isFinite ? $0 : .greatestFiniteMagnitude } }
    let scales: [Float?] = [
      nil, nil, 1, 0.0371, 0x1p-100, 0x1p-126, 0x1p100, 0x1p127, .greatestFiniteMagnitude,
    ]
    let tensorScale = random.pick(scales)
    expectSameOnEveryLevel(
      values, shape, format: format, policy: policy, tensorScale: tensorScale)
    guard isFinite, policy.overflow == .saturate else { return }
    let decoded = Tensor(values, shape: shape.extents)
      .fakeQuantized(to: format, axis: shape.axis, policy: policy, tensorScale: tensorScale)
      .tensor.elements
    if let index = decoded.indices.first(where: { !decoded[$0].isFinite }) {
      Issue.record(
        "seed \(seed), \(format.id) \(policy.text) \(shape) tensor scale \(tensorScale.map { "\($0)" } ?? "own"): \(values[index]) decodes to \(decoded[index])"
      )
    }
  }
}

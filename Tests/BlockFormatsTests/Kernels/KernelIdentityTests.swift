import BlockFormats
import FormatTestSupport
import Testing

@Suite("Every kernel level gives the bits of the reference")
struct KernelIdentityTests {
  /// A given tensor scale for a third of the cases; formats without one ignore it.
  private func tensorScale(_ number: Int) -> Float? {
    number % 3 == 0 ? [0.25, 1, 0.0371, 1024][number / 3 % 4] : nil
  }

  @Test("All formats, with every rule, rounding, input and shape in turn")
  func allFormats() {
    for (number, format) in FormatCatalog.all.enumerated() {
      let shapes = KernelShape.all(for: format.layout)
      for round in 0..<3 {
        let policies = KernelPolicies.some(format, round: number + 7 * round)
        for (index, policy) in ([format.defaultPolicy] + policies).enumerated() {
          let turn = number + 11 * index + 5 * round
          let shape = shapes[turn % shapes.count]
          let mix = KernelInput.Mix.allCases[(turn + number / 3 + round) % 3]
          let values = KernelInput.values(format, shape, mix, seed: UInt64(turn))
          expectSameOnEveryLevel(
            values, shape, format: format, policy: policy, tensorScale: tensorScale(turn))
        }
      }
    }
  }

  @Test("The standard formats with their defaults, every mix of inputs")
  func defaults() {
    for (number, format) in FormatCatalog.standard.enumerated() {
      let shapes = KernelShape.all(for: format.layout)
      for (index, mix) in KernelInput.Mix.allCases.enumerated() {
        for shape in [shapes[0], shapes[(number + 5 * index) % shapes.count]] {
          let values = KernelInput.values(format, shape, mix, seed: UInt64(number))
          expectSameOnEveryLevel(values, shape, format: format, policy: format.defaultPolicy)
        }
      }
    }
  }

  @Test("All formats, with the cross product of all choices", .enabled(if: Intensity.isDeep))
  func deep() {
    for (number, format) in FormatCatalog.all.enumerated() {
      let shapes = KernelShape.all(for: format.layout)
      for (index, policy) in KernelPolicies.all(format).enumerated() {
        for (turn, mix) in (KernelInput.Mix.allCases + KernelInput.Mix.allCases).enumerated() {
          let shape = shapes[(index + number + 5 * turn) % shapes.count]
          let values = KernelInput.values(format, shape, mix, seed: UInt64(index))
          expectSameOnEveryLevel(
            values, shape, format: format, policy: policy, tensorScale: tensorScale(index + turn))
        }
      }
      for shape in shapes {
        for mix in KernelInput.Mix.allCases {
          for round in 0..<30 {
            let values = KernelInput.values(format, shape, mix, seed: UInt64(round) << 32)
            let policies = KernelPolicies.some(format, round: round)
            expectSameOnEveryLevel(
              values, shape, format: format, policy: policies[round % policies.count],
              tensorScale: tensorScale(round))
          }
        }
      }
    }
  }
}

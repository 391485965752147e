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

  /// Widths, block lengths, sub-blocks and special codes that no default format has.
  static let unusualIDs = [
    "mxfp4(block=1)", "mxfp8_e4m3(block=5)", "mxint8(block=12)", "mx(element=e4m3fnuz,block=24)",
    "mx(element=e3m4)", "mx(element=e5m2fnuz,block=8)", "mx(element=float(e=2,m=4),block=48)",
    "mx(element=float(e=3,m=9))", "mx(element=int4,block=2)", "mx(element=binary5p3sf)",
    "mx(element=binary8p4se)", "bdr(m=5,k1=32,k2=4,d1=8,d2=2)", "bdr(m=3,k1=6,k2=3,d1=5,d2=3)",
    "bdr(m=1,k1=8,k2=1,d1=8,d2=8)", "bdr(m=10,k1=64,k2=32,d1=6,d2=4)", "bfp(m=1,block=3)",
    "bfp(m=11)", "bfp(m=4,block=64,d1=3)", "nvfp4(block=8)", "nvfp4(block=4x4)", "nvfp4(block=3x5)",
    "nvfp4_4over6(block=7)", "nvfp4_4over6(block=3x5)", "vsq(bits=6,block=9,scale_bits=4)",
    "vsq(bits=3,scale_bits=10)", "fp8(element=e5m2fnuz,block=tensor)",
    "fp8(element=e4m3b11fnuz,block=row)",
    "fp8(element=e4m3fn,block=3x5)", "int(bits=7,block=5)", "int(bits=12,block=32)",
    "int(bits=3,block=row)",
    "scaled(element=e3m2fn,block=row,scale=e4m3fn)", "scaled(element=e2m1fn,block=16,scale=bf16)",
    "scaled(element=e4m3fn,block=16,scale=e5m2)", "float(e=1,m=2)", "float(e=6,m=9)",
    "float(e=5,m=0,specials=fn)",
    "binary8p3se", "binary6p2sf",
    "scaled(element=e2m1fn,block=run32,scale=e8m0fnu)",
    "scaled(element=int8,block=run5,scale=fp32)",
    "scaled(element=e2m1fn,block=run16,scale=e4m3fn,tensor_scale=yes)",
    "nf4(block=128)", "nf4(block=24)", "scaled(element=nf4,block=32,scale=fp32)",
    "scaled(element=nf4,block=16,scale=e4m3fn,tensor_scale=yes)",
    "scaled(element=e4m3fn,block=run24,scale=bf16)", "nvfp4_4over6(block=run16)",
  ]

  @Test("Formats with unusual parameters, those that run in the reference among them")
  func unusualFormats() throws {
    for (number, id) in Self.unusualIDs.enumerated() {
      let format = try FormatCatalog.format(id: id)
      let shapes = KernelShape.all(for: format.layout)
      for round in 0..<(Intensity.isDeep ? 40 : 1) {
        for (index, policy) in KernelPolicies.some(format, round: number + round).enumerated() {
          let turn = number + 7 * index + 3 * round
          let shape = shapes[turn % shapes.count]
          let mix = KernelInput.Mix.allCases[(turn + number / 3) % 3]
          expectSameOnEveryLevel(
            KernelInput.values(format, shape, mix, seed: UInt64(turn)), shape, format: format,
            policy: policy, tensorScale: tensorScale(turn))
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

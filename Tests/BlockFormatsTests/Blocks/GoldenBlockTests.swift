import BlockFormats
import Testing

@Suite("Published and hand-worked blocks")
struct GoldenBlockTests {
  private static let demo: [Float] = [1, -2, 3, 3.5, 5, 6.5, 7, 7.9]

  private func encode(
    _ values: [Float], _ format: SharedExponentFormat, _ rule: PowerOfTwoRule
  ) -> (scale: UInt32, codes: [UInt32], values: [Float]) {
    var policy = format.defaultPolicy
    policy.scaleRule = .powerOfTwo(rule)
    let tensor = values.quantized(to: format, policy: policy)
    return (tensor.scales.unpacked()[0], tensor.codes.unpacked(), tensor.dequantized().elements)
  }

  /// One line of the demo: format, floor scale, codes and values, then those of the other rules.
  private static let demoRows:
    [(
      format: SharedExponentFormat, floor: (UInt32, [UInt32], [Float]),
      others: (UInt32, [UInt32], [Float])
    )] = [
      (
        .mxfp8E4M3,
        (
          121, [0x68, 0xF0, 0x74, 0x76, 0x7A, 0x7D, 0x7E, 0x7E], [1, -2, 3, 3.5, 5, 6.5, 7, 7]
        ),
        (122, [0x60, 0xE8, 0x6C, 0x6E, 0x72, 0x75, 0x76, 0x78], [1, -2, 3, 3.5, 5, 6.5, 7, 8])
      ),
      (
        .mxfp8E5M2,
        (114, [0x70, 0xF4, 0x76, 0x77, 0x79, 0x7A, 0x7B, 0x7B], [1, -2, 3, 3.5, 5, 6, 7, 7]),
        (115, [0x6C, 0xF0, 0x72, 0x73, 0x75, 0x76, 0x77, 0x78], [1, -2, 3, 3.5, 5, 6, 7, 8])
      ),
      (
        .mxfp6E2M3,
        (
          127, [0x08, 0x30, 0x14, 0x16, 0x1A, 0x1D, 0x1E, 0x1F], [1, -2, 3, 3.5, 5, 6.5, 7, 7.5]
        ),
        (128, [0x04, 0x28, 0x0C, 0x0E, 0x12, 0x15, 0x16, 0x18], [1, -2, 3, 3.5, 5, 6.5, 7, 8])
      ),
      (
        .mxfp6E3M2,
        (125, [0x14, 0x38, 0x1A, 0x1B, 0x1D, 0x1E, 0x1F, 0x1F], [1, -2, 3, 3.5, 5, 6, 7, 7]),
        (126, [0x10, 0x34, 0x16, 0x17, 0x19, 0x1A, 0x1B, 0x1C], [1, -2, 3, 3.5, 5, 6, 7, 8])
      ),
      (
        .mxfp4, (127, [2, 0xC, 5, 6, 6, 7, 7, 7], [1, -2, 3, 4, 4, 6, 6, 6]),
        (128, [1, 0xA, 3, 4, 4, 5, 6, 6], [1, -2, 3, 4, 4, 6, 8, 8])
      ),
    ]

  @Test("The MX demo block has its known bytes under every scale rule")
  func mxDemo() {
    for row in Self.demoRows {
      let floor = encode(Self.demo, row.format, .floor)
      #expect(floor == row.floor, "\(row.format.id)")
      for rule in [PowerOfTwoRule.ceil, .even, .rceil] {
        #expect(encode(Self.demo, row.format, rule) == row.others, "\(row.format.id) \(rule)")
      }
    }
  }

  private static let bdrInput: [Float] = [
    1.0, -0.7, 0.4, 0.33, -1.99, 0.05, 0.99, -0.999, 0.25, 0.125, 1.5, -1.75, 0, 0, 3.9, -2.1,
  ]

  /// Codes of signed magnitudes: the sign is the top of m + 1 bits.
  private func signMagnitude(_ values: [Int], _ m: Int) -> [UInt32] {
    values.map { UInt32(abs($0)) | ($0 < 0 ? 1 << UInt32(m) : 0) }
  }

  @Test("The BDR golden block has its mantissas, microexponents and values")
  func bdrGolden() {
    let mx9 = Self.bdrInput.quantized(to: .mx9)
    #expect(mx9.scales.unpacked() == [128])
    #expect(mx9.subscales.unpacked() == [1, 1, 1, 1, 1, 1, 1, 0])
    #expect(mx9.subscales.bytes == [0x7F])
    #expect(
      mx9.codes.unpacked()
        == signMagnitude(
          [64, -45, 26, 21, -127, 3, 63, -64, 16, 8, 96, -112, 0, 0, 125, -67], 7))
    #expect(
      mx9.dequantized().elements == [
        1, -0.703125, 0.40625, 0.328125, -1.984375, 0.046875, 0.984375, -1, 0.25, 0.125, 1.5,
        -1.75, 0, 0, 3.90625, -2.09375,
      ])
    var truncating = SharedExponentFormat.mx9.defaultPolicy
    truncating.rounding = .towardZero
    #expect(
      Self.bdrInput.quantized(to: .mx9, policy: truncating).codes.unpacked()
        == signMagnitude(
          [64, -44, 25, 21, -127, 3, 63, -63, 16, 8, 96, -112, 0, 0, 124, -67], 7))
    #expect(
      Self.bdrInput.quantized(to: .mx6).codes.unpacked()
        == signMagnitude([8, -6, 3, 3, -15, 0, 8, -8, 2, 1, 12, -14, 0, 0, 15, -8], 4))
    #expect(
      Self.bdrInput.quantized(to: .mx4).codes.unpacked()
        == signMagnitude([2, -1, 1, 1, -3, 0, 2, -2, 0, 0, 3, -3, 0, 0, 3, -2], 2))
  }

  /// torchao's MXFP8 E4M3 cases: blocks of 32 of one value, with scale and element under the floor
  /// and the rceil rule.
  ///
  /// For the largest number torchao has 0x78 under rceil, which decodes to
  /// infinity.
  private static let torchao: [(Float, (UInt32, UInt32), (UInt32, UInt32))] = [
    (0, (0, 0), (0, 0)), (0x1p-126, (0, 0x40), (0, 0x40)), (.infinity, (255, 0x7F), (255, 0x7F)),
    (.nan, (255, 0x7F), (255, 0x7F)), (448, (127, 0x7E), (127, 0x7E)),
    (-448, (127, 0xFE), (127, 0xFE)), (.greatestFiniteMagnitude, (246, 0x7E), (247, 0x77)),
    (.leastNonzeroMagnitude, (0, 0), (0, 0)), (0x1p-133, (0, 0x08), (0, 0x08)),
    (Float(3.5).nextUp, (120, 0x7E), (121, 0x76)),
    (Float(bitPattern: 0x43FF_FFFF), (127, 0x7E), (128, 0x78)), (512, (128, 0x78), (128, 0x78)),
    (480, (127, 0x7E), (128, 0x77)),
  ]

  @Test("torchao's uniform MXFP8 blocks have their bytes")
  func torchaoBlocks() {
    for (value, floor, rceil) in Self.torchao {
      let block = [Float](repeating: value, count: 32)
      for (rule, expected) in [(PowerOfTwoRule.floor, floor), (.rceil, rceil)] {
        let actual = encode(block, .mxfp8E4M3, rule)
        #expect(actual.scale == expected.0, "\(value) \(rule)")
        #expect(actual.codes == [UInt32](repeating: expected.1, count: 32), "\(value) \(rule)")
      }
    }
    var block = [Float](repeating: 0x1p-140, count: 32)
    block[3] = 1
    block[9] = -0x1p-140
    let outlier = encode(block, .mxfp8E4M3, .floor)
    #expect(outlier.scale == 119)
    #expect(outlier.codes[3] == 0x78 && outlier.codes[0] == 0 && outlier.codes[9] == 0x80)
  }

  @Test("The first values of torchao's normal vector have its codes")
  func torchaoNormalVector() {
    let bits: [UInt32] = [
      1_037_408_064, 1_058_534_842, 1_053_630_662, 1_063_310_394, 994_704_128, 1_057_245_441,
      1_060_663_708, 1_058_053_571,
    ]
    // The block's largest magnitude lies in [1, 2), hence scale 119; 1.5 stands in for it.
    let actual = encode(bits.map { Float(bitPattern: $0) } + [1.5], .mxfp8E4M3, .rceil)
    #expect(actual.scale == 119)
    #expect(Array(actual.codes.prefix(8)) == [93, 113, 109, 118, 53, 112, 116, 113])
  }

  @Test("microxcaling's MXINT8 and INT4 corners come out with ties away from zero")
  func microxcaling() {
    var away = SharedExponentFormat.mxint8.defaultPolicy
    away.rounding = .toNearestOrAway
    let input: [Float] = [
      1.015625, 1.0234375, 1.03125, 1.0390625, 1.25, 1.2578125, 1.9375, 1.9453125, 1.984375,
      1.9921875,
    ]
    #expect(
      input.quantized(to: .mx(element: .mxint8, block: 10), policy: away).dequantized().elements
        == [
          1.015625, 1.03125, 1.03125, 1.046875, 1.25, 1.265625, 1.9375, 1.953125, 1.984375,
          1.984375,
        ])
    #expect(
      [-1, -1.75, -1.99, 1.99].quantized(to: .mx(element: .mxint4), policy: away).dequantized()
        .elements == [-1, -1.75, -1.75, 1.75])
  }

  @Test("The NVFP4 example has TransformerEngine's bytes")
  func nvfp4Golden() {
    var values: [Float] = (1...16).map { Float($0) / 10 * ($0 % 2 == 0 ? -1 : 1) }
    values += [
      0, 0.01, 0.02, -0.03, 0.04, 0.05, -0.06, 0.07, 0.08, -0.09, 0.1, 0.11, -0.12, 0.13, 0.14,
      -0.15,
    ]
    let tensor = values.quantized(to: .nvfp4)
    #expect(tensor.tensorScale == 1 / Float(1680))
    #expect(tensor.scales.unpacked() == [0x7E, 0x62])
    let digits = "19 2B 4C 5D 5E 6E 6F 7F 01 2B 34 D5 5E 66 F7 7F".filter { $0 != " " }
    #expect(tensor.codes.unpacked() == digits.compactMap { UInt32(String($0), radix: 16) })
    let decoded = tensor.dequantized().elements
    let unit = 1 / Float(1680)
    #expect(decoded[0] == 224 * unit && decoded[15] == -2688 * unit && decoded[31] == -240 * unit)
  }

  @Test("Four over six maps 10, 20, 30, 40 to 4 and decodes them exactly")
  func fourOverSix() {
    // With tensor scale 1, step 6 stores e4m3(6.67) = 6.5 and errs; step 4 stores 10 exactly.
    let tensor = Tensor([10, 20, 30, 40])
    let plain = tensor.fakeQuantized(to: .nvfp4, tensorScale: 1)
    #expect(plain.tensor.elements == [9.75, 19.5, 26, 39])
    let better = tensor.quantized(to: .nvfp4FourOverSix, tensorScale: 1)
    #expect(better.scales.unpacked() == [0x52])
    #expect(better.codes.unpacked() == [2, 4, 5, 6])
    #expect(better.dequantized().elements == [10, 20, 30, 40])
    // Its own tensor scale maps amax to 6 · 256 = 1536.
    #expect(tensor.quantized(to: .nvfp4FourOverSix).tensorScale == 1 / (1536 / Float(40)))
    #expect(tensor.quantized(to: .nvfp4).tensorScale == 1 / (2688 / Float(40)))
  }
}

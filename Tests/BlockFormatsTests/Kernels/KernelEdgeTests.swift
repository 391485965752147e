import BlockFormats
import FormatTestSupport
import Testing

@Suite("Kernels at the edges of their arithmetic")
struct KernelEdgeTests {
  /// Magnitudes around `center`, both signs, a few binades wide, with zeros and exact ties.
  private func values(around center: Float, count: Int = 4128) -> [Float] {
    var generator = SeededGenerator(seed: 11)
    return (0..<count).map { index in
      if index % 31 == 0 { return index % 2 == 0 ? 0 : -0.0 }
      let binade = Float(
        sign: .plus, exponent: Int.random(in: -12...3, using: &generator), significand: 1)
      let fraction = Float(Int.random(in: 0..<4096, using: &generator)) / 4096
      let magnitude = center * binade * (index % 3 == 0 ? 1.5 : 1 + fraction)
      return Bool.random(using: &generator) ? -magnitude : magnitude
    }
  }

  private func expectSame(_ ids: [String], _ shape: KernelShape, _ values: [Float]) throws {
    for id in ids {
      let format = try FormatCatalog.format(id: id)
      expectSameOnEveryLevel(values, shape, format: format, policy: format.defaultPolicy)
    }
  }

  @Test("Sixteen-bit elements with a wide fraction, or without a negative zero")
  func sixteenBits() throws {
    for center: Float in [1, 1.2, 3, 0x1p-20, 0x1p14] {
      try expectSame(
        [
          "float(e=1,m=14,specials=none)", "float(e=2,m=13,specials=none)",
          "float(e=5,m=10,specials=none)", "float(e=5,m=10,specials=fnuz)",
          "float(e=5,m=10,specials=fn)",
        ], KernelShape([4128]), values(around: center))
    }
    let element = ElementFormat.signMagnitude(magnitudeBitCount: 15)
    let format = CastFormat(element: element, source: "test")
    for center: Float in [0.25, 1, 3, 1.2] {
      expectSameOnEveryLevel(
        values(around: center), KernelShape([4128]), format: format, policy: format.defaultPolicy)
    }
  }

  @Test("Exact blocks are counted where the last axis is short")
  func shortAxis() throws {
    for columns in [3, 24, 31] {
      let shape = KernelShape([700, columns])
      // Two values at the ends of every other row do not decode to themselves.
      let values = (0..<shape.count).map { index -> Float in
        let (row, column) = index.quotientAndRemainder(dividingBy: columns)
        return row % 2 == 0 && [0, columns - 1].contains(column) ? 1.01 : 1
      }
      try expectSame(["e4m3fn", "int8", "fp8_e4m3_tensor", "mxfp8_e4m3"], shape, values)
    }
  }

  @Test("Scales so small that their product with an element's unit is not exact")
  func smallScales() throws {
    for center: Float in [0x1p-124, 0x1p-128, 0x1p-133, 0x1p-140] {
      try expectSame(
        [
          "scaled(element=mxint8,block=32,scale=fp32)", "scaled(element=sm7,block=32,scale=fp32)",
          "scaled(element=sm5,block=row,scale=fp32)", "bdr(m=7,k1=32,k2=4,d1=8,d2=4)",
          "scaled(element=mxint8,block=tensor,scale=fp32)", "mxint8", "mx9",
        ], KernelShape([4128]), values(around: center))
    }
  }

  @Test("Scale formats without a fraction, and with a range near that of FP32")
  func unusualScales() throws {
    for center: Float in [1, 0x1p-30, 0x1p40, 0x1p100] {
      try expectSame(
        [
          "scaled(element=e2m1fn,block=16,scale=float(e=5,m=0,specials=fn))",
          "scaled(element=e2m1fn,block=16,scale=float(e=5,m=0,specials=fn),tensor_scale=yes)",
          "scaled(element=e2m1fn,block=16,scale=float(e=7,m=0,bias=20,specials=fn))",
          "scaled(element=e2m1fn,block=16,scale=float(e=6,m=1,bias=0,specials=fn))",
        ], KernelShape([4128]), values(around: center))
    }
    // Scales halfway between two powers of two.
    try expectSame(
      ["scaled(element=e2m1fn,block=16,scale=float(e=5,m=0,specials=fn))"], KernelShape([4128]),
      (0..<4128).map { 9 * Float(sign: .plus, exponent: $0 / 16 % 9, significand: 1) })
  }

  @Test("Tensor scales so large that a block scale's factor overflows")
  func hugeTensorScales() throws {
    for id in [
      "nvfp4", "scaled(element=sm3,block=16,scale=e4m3fn,tensor_scale=yes)",
      "scaled(element=float(e=2,m=1,bias=20,specials=none),block=16,scale=e5m2,tensor_scale=yes)",
    ] {
      let format = try FormatCatalog.format(id: id)
      for center: Float in [0x1p-118, 0x1p-126, 0x1p-140, 1] {
        // A block of zeros, and one of the smallest numbers.
        let values =
          [Float](repeating: 0, count: 16) + [Float](repeating: 0x1p-149, count: 16)
          + values(around: center)
        for tensorScale: Float? in [nil, 0x1p-126, 0x1p127] {
          expectSameOnEveryLevel(
            values, KernelShape([4160]), format: format, policy: format.defaultPolicy,
            tensorScale: tensorScale)
        }
        let tensor = Tensor(values).quantized(to: format)
        #expect(tensor.dequantized().elements[..<16].allSatisfy { $0 == 0 }, "\(id) \(center)")
      }
    }
  }

  @Test("Elements far from one, whose spacings count as more than FP32 holds")
  func distantElements() throws {
    for center: Float in [1, 0x1p-60, 0x1p-110, 0x1p-122] {
      try expectSame(
        [
          "mx(element=float(e=1,m=3,bias=60,specials=none))",
          "scaled(element=float(e=1,m=2,bias=50,specials=none),block=32,scale=fp32)",
        ], KernelShape([4128]), values(around: center))
      let int = ElementFormat.integer("tiny", bitCount: 8, fractionBitCount: 48)
      let mx = SharedExponentFormat(
        id: "mx(tiny)", source: "test", element: int, block: .vector(length: 32))
      let scaled = ScaledFormat(
        id: "scaled(tiny)", source: "test", element: int, block: .vector(length: 32))
      expectSameOnEveryLevel(
        values(around: center), KernelShape([4128]), format: mx, policy: mx.defaultPolicy)
      expectSameOnEveryLevel(
        values(around: center), KernelShape([4128]), format: scaled, policy: scaled.defaultPolicy)
    }
  }

  @Test("Stored scales that no encoder writes decode as in the reference")
  func hostileScales() throws {
    let tensorScales: [Float] = [0, -0.0, -1, .infinity, -.infinity, .nan, -.nan, 0x1p-149, -3e38]
    let blockScales: [Float] = tensorScales + [3e38, -0x1p-133, 0x1p-147]
    let shape = [4, 1040]
    func expectSame(_ format: some BlockFormat, scales: [UInt32], tensorScale: Float?) throws {
      let mask = UInt32(format.layout.element.codeCount - 1)
      let codes = (0..<4160).map { UInt32($0) &* 2_654_435_761 >> 7 & mask }
      let tensor = try QuantizedTensor(
        format: format, shape: shape,
        codes: fieldCodes(codes, scales: scales, tensorScale: tensorScale))
      func decoded(_ kernels: KernelSelection) -> [UInt32] {
        let quantizer = TensorQuantizer(format: format, shape: shape, kernels: kernels)
        return bits(4160) { quantizer.decode(tensor, into: $0) }
      }
      let reference = decoded(.reference)
      for level in KernelLevel.supported {
        let own = decoded(.level(level))
        let index = own.indices.first { own[$0] != reference[$0] }
        #expect(
          index == nil,
          "\(format.id) \(tensorScale ?? 1) \(level.id): \(index.map { (codes[$0], own[$0], reference[$0]) } ?? (0, 0, 0))"
        )
      }
    }
    for id in [
      "nvfp4",
      "scaled(element=e5m2,block=16,scale=float(e=7,m=0,bias=0,specials=fn),tensor_scale=yes)",
    ] {
      let format = try FormatCatalog.format(id: id)
      let count = 4 * 65
      for scale in tensorScales {
        try expectSame(
          format, scales: (0..<count).map { UInt32($0 * 37 % 256) }, tensorScale: scale)
      }
    }
    for id in [
      "fp8_e4m3_tensor", "fp8_e5m2_tensor", "scaled(element=mxint8,block=tensor,scale=fp32)",
    ] {
      let format = try FormatCatalog.format(id: id)
      for scale in blockScales {
        try expectSame(format, scales: [scale.bitPattern], tensorScale: nil)
      }
    }
    let blocked = try FormatCatalog.format(id: "scaled(element=sm7,block=16,scale=fp32)")
    for scale in blockScales {
      try expectSame(
        blocked,
        scales: (0..<4 * 65).map { $0 % 5 == 0 ? scale.bitPattern : Float(1.3).bitPattern },
        tensorScale: nil)
    }
    for id in ["mxfp8_e4m3", "mxint8", "mxfp6_e2m3", "mxfp4"] {
      let format = try FormatCatalog.format(id: id)
      try expectSame(format, scales: (0..<4 * 33).map { UInt32($0 * 2 % 256) }, tensorScale: nil)
    }
  }
}

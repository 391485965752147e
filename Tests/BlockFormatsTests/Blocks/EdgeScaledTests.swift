import BlockFormats
import Testing

@Suite("Edges of blocks with finer scales")
struct EdgeScaledTests {
  @Test("NVFP4 zero and underflowed blocks store scale 0x00 and codes 0")
  func nvfp4Zeros() {
    // The second block's scale is 1e-9 / 6 · 2688 / 6, far below half of 2^-9.
    var values = [Float](repeating: 0, count: 48)
    values[0] = 6
    values[16] = -1e-9
    values[33] = -0.0
    let tensor = values.quantized(to: .nvfp4)
    #expect(tensor.scales.unpacked() == [0x7E, 0, 0])
    #expect(tensor.codes.unpacked()[16...].allSatisfy { $0 == 0 })
    #expect(tensor.dequantized().elements[16...].allSatisfy { $0.bitPattern == 0 })
    let zeros = [Float](repeating: 0, count: 16).quantized(to: .nvfp4)
    #expect(
      zeros.tensorScale == 1
        && zeros.storedBytes == [UInt8](repeating: 0, count: 9) + [0, 0, 0x80, 0x3F])
  }

  @Test("A scale floor lifts tiny blocks to the least nonzero or least normal scale")
  func scaleFloors() {
    var values = [Float](repeating: 0, count: 32)
    values[0] = 6
    values[16] = 1e-5
    func scales(_ floor: ScaleFloor, _ zero: ZeroBlockRule = .fromRule) -> [UInt32] {
      var policy = TwoLevelFormat.nvfp4.defaultPolicy
      (policy.scaleFloor, policy.zeroBlock) = (floor, zero)
      return (values + [Float](repeating: 0, count: 16)).quantized(to: .nvfp4, policy: policy)
        .scales.unpacked()
    }
    // 1e-5 · 448 / 6 = 0.00075 is below half of 2^-9.
    #expect(scales(.unbounded) == [0x7E, 0, 0])
    #expect(scales(.leastNonzero) == [0x7E, 1, 1])
    #expect(scales(.leastNormal) == [0x7E, 8, 8])
    #expect(scales(.unbounded, .one) == [0x7E, 0, 0x38])
    #expect(scales(.leastNonzero, .one) == [0x7E, 1, 0x38])
  }

  @Test("One NaN makes one NVFP4 block NaN, and all of a VSQ tensor")
  func poison() {
    var values = [Float](repeating: 1, count: 48)
    values[20] = .infinity
    let tensor = values.quantized(to: .nvfp4)
    #expect(tensor.scales.unpacked() == [0x7E, 0x7F, 0x7E])
    #expect(tensor.tensorScale == 1 / Float(2688))
    let decoded = tensor.dequantized().elements
    #expect(decoded[16..<32].allSatisfy { $0.bitPattern == 0x7FC0_0000 })
    #expect(decoded[..<16].allSatisfy { $0.isFinite } && decoded[32...].allSatisfy { $0.isFinite })
    let vsq = values.quantized(to: .vsq())
    #expect(vsq.tensorScale?.isNaN == true)
    #expect(vsq.codes.unpacked().allSatisfy { $0 == 0 })
    #expect(vsq.dequantized().elements.allSatisfy { $0.bitPattern == 0x7FC0_0000 })
  }

  @Test("A tiny tensor's scale stops at the largest FP32 number")
  func tinyTensors() {
    let tensor = [0x1p-140, -0x1p-135].quantized(to: .nvfp4)
    #expect(tensor.tensorScale == 1 / Float.greatestFiniteMagnitude)
    let fp8 = [0x1p-140, -0x1p-135].quantized(to: .fp8(.e4m3fn, block: .tensor))
    #expect(fp8.scales.unpacked() == [(1 / Float.greatestFiniteMagnitude).bitPattern])
  }

  @Test("The tensor scale that the encoder stores for the smallest tensors can be given")
  func leastTensorScale() {
    let x = Tensor([0x1p-140, -0x1p-135, 0x3p-140])
    let own = x.quantized(to: .nvfp4)
    #expect(own.tensorScale == 0x1p-128 && TensorScale.isValid(decode: 0x1p-128))
    #expect(x.quantized(to: .nvfp4, tensorScale: 0x1p-128).storedBytes == own.storedBytes)
    let scaled = ScaledFormat.fp8(.e4m3fn, block: .tensor)
    #expect(
      x.quantized(to: scaled, tensorScale: 0x1p-128).storedBytes
        == x.quantized(to: scaled).storedBytes)
    #expect(!TensorScale.isValid(decode: Float(0x1p-128).nextDown))
    for scale: Float in [0, -1, .infinity, .nan] { #expect(!TensorScale.isValid(decode: scale)) }
    #expect(TensorScale.isValid(decode: .greatestFiniteMagnitude))
  }

  @Test("A given tensor scale is stored as it is")
  func givenScale() {
    let tensor = Tensor([6, 3, -1.5]).quantized(to: .nvfp4, tensorScale: 0.5)
    // S = 2, so s = e4m3(6 · 2 / 6) = 2 and the elements map 6 to 6.
    #expect(tensor.tensorScale == 0.5 && tensor.scales.unpacked() == [0x40])
    #expect(tensor.codes.unpacked() == [7, 5, 0xB])
    #expect(tensor.dequantized().elements == [6, 3, -1.5])
    // Formats without a tensor scale ignore it.
    #expect(
      Tensor([6, 3, -1.5]).quantized(to: .mxfp4, tensorScale: 0.5).storedBytes
        == [6, 3, -1.5].quantized(to: .mxfp4).storedBytes)
  }

  @Test("FP8 with FP32 scales keeps a NaN in its element and saturates infinities")
  func scaledFP8() {
    let values: [Float] = [2, .nan, .infinity, -.infinity, -1]
    for block in [BlockShape.tensor, .row, .vector(length: 128), .tile(rows: 128, columns: 128)] {
      let tensor = values.quantized(to: .fp8(.e4m3fn, block: block))
      #expect(tensor.codes.unpacked() == [0x7E, 0x7F, 0x7E, 0xFE, 0xF6])
      #expect(tensor.scales.unpacked() == [(1 / (448 / Float(2))).bitPattern])
    }
    let zeros = [Float](repeating: -0.0, count: 3).quantized(to: .fp8(.e5m2, block: .row))
    #expect(zeros.scales.unpacked() == [Float(1).bitPattern])
    #expect(zeros.codes.unpacked() == [0x80, 0x80, 0x80])
  }

  @Test("Power-of-two FP8 scales round the encode multiplier down")
  func powerOfTwoScales() {
    var policy = ScaledFormat.fp8(.e4m3fn, block: .row).defaultPolicy
    policy.scaleRule = .amaxPowerOfTwo
    for (amax, scale): (Float, Float) in [
      (448, 1), (Float(448).nextUp, 2), (Float(448).nextDown, 1), (3, 0x1p-7), (3.5, 0x1p-7),
    ] {
      let tensor = [amax].quantized(to: .fp8(.e4m3fn, block: .row), policy: policy)
      #expect(tensor.scales.unpacked() == [scale.bitPattern], "\(amax)")
    }
  }

  @Test("An integer group with a NaN or infinity gets a NaN scale")
  func integers() {
    let values: [Float] = [127, -3, 0.5, 1.5, .infinity, 1, 1, 1]
    let tensor = values.quantized(to: .integer(bits: 8, block: .vector(length: 4)))
    #expect(tensor.codes.unpacked() == [127, 0xFD, 0, 2, 0, 0, 0, 0])
    #expect(tensor.scales.unpacked() == [Float(1).bitPattern, Float.nan.bitPattern])
    #expect(tensor.dequantized().elements[4...].allSatisfy { $0.isNaN })
  }

  @Test("VSQ maps amax to 7 under a six-bit scale of at most 63")
  func vsq() {
    var values = [Float](repeating: 0, count: 32)
    (values[0], values[1], values[16]) = (441, -63, 21)
    let tensor = values.quantized(to: .vsq())
    // S = 7 · 63 / 441 = 1; the vectors' scales are 441 / 7 and 21 / 7.
    #expect(tensor.tensorScale == 1 && tensor.scales.unpacked() == [63, 3])
    let codes = tensor.codes.unpacked()
    #expect(codes[0] == 7 && codes[1] == 0xF && codes[16] == 7)
    #expect(tensor.dequantized().elements == values)
  }
}

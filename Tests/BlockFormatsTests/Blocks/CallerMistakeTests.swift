import BlockFormats
import Testing

@Suite("Mistakes of the caller trap with the numbers")
struct CallerMistakeTests {
  @Test("A block of no elements, and sub-blocks that do not fit")
  func layouts() async {
    let empty = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SharedExponentFormat.mx(element: .e2m1fn, block: 0)
    }
    #expect(reports(empty, "a block of 0 elements is outside 1...2^20"))
    let divisor = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SharedExponentFormat.bdr(m: 4, k1: 16, k2: 3, d1: 8, d2: 1)
    }
    #expect(reports(divisor, "subscales: 3 elements do not divide a block of 16"))
    let tile = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockLayout(
        block: .tile(rows: 2, columns: 0), fields: [.codes(.e2m1fn), .blockScale(.e8m0fnu)])
    }
    #expect(reports(tile, "a block of 2x0 elements is outside 1...2^20"))
    let inTile = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockLayout(
        block: .tile(rows: 2, columns: 4),
        fields: [.codes(.e2m1fn), .microexponents(bitCount: 1, length: 2)])
    }
    #expect(reports(inTile, "subscales: parts of blocks need vectors or runs, not 2x4"))
    let offset = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockLayout(
        block: .vector(length: 8),
        fields: [.codes(.e2m1fn), StoredField("shift", .fp32, .perTensor, role: .offset)])
    }
    #expect(
      reports(
        offset,
        "shift: a number of the tensor is FP32, and a factor or opaque, not offset in fp32 beside "
          + "blocks of 8"))
    let numbers = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = BlockLayout(
        block: .vector(length: 8),
        fields: [
          .codes(.e2m1fn), .tensorScale, StoredField("mean", .fp32, .perTensor, role: .opaque),
        ])
    }
    #expect(reports(numbers, "a layout with two numbers of the tensor"))
    let width = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = StoredField.microexponents(bitCount: 9, length: 2)
    }
    #expect(reports(width, "9 sub-scale bits are outside 1...8"))
    let scale = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = SharedExponentFormat.blockFloatingPoint(m: 3, exponentBitCount: 9)
    }
    #expect(reports(scale, "9 scale exponent bits are outside 2...8"))
    let zero = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = TwoLevelFormat.nvfp4(block: .vector(length: 16), scale: .e8m0fnu)
    }
    #expect(reports(zero, "e8m0fnu has no zero, so it cannot be a block scale"))
  }

  @Test("A scale rule that the format does not follow")
  func scaleRules() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [1].quantized(to: .nvfp4, policy: SharedExponentFormat.mxfp4.defaultPolicy)
    }
    #expect(reports(result, "nvfp4 has no scale rule floor; it has amax, four_over_six"))
  }

  @Test("An axis outside the tensor, a shape that its elements do not fill, a negative extent")
  func shapes() async {
    let axis = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2], shape: [1, 2]).quantized(to: .mxfp4, axis: 2)
    }
    #expect(reports(axis, "axis 2 is outside -2..<2"))
    let scalar = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1], shape: []).quantized(to: .mxfp4, axis: -2)
    }
    #expect(reports(scalar, "axis -2 is outside -1..<1"))
    let count = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3], shape: [2, 2])
    }
    #expect(reports(count, "3 elements for a tensor of shape [2, 2]"))
    let negative = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([], shape: [-1, 0])
    }
    #expect(reports(negative, "shape [-1, 0] has a negative extent"))
  }

  @Test("No threads, and more random bits than a word has")
  func policies() async {
    let threads = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1]).quantized(to: .mxfp4, parallelism: .threads(0))
    }
    #expect(reports(threads, "0 threads cannot work"))
    let bits = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = StochasticSource(seed: 1, randomBitCount: 33)
    }
    #expect(reports(bits, "33 random bits are outside 1...32"))
  }
}

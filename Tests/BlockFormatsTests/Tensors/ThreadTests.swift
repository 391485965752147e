import BlockFormats
import FormatTestSupport
import Testing

@Suite("Threads")
struct ThreadTests {
  /// Above two grains of 65,536 elements, so that several threads do work.
  static let shapes: [(shape: [Int], axis: Int)] = [
    ([200_009], 0), ([3, 66_701], 1), ([463, 431], 0), ([5, 41, 1009], 1), ([2, 100_003], 0),
  ]

  private func values(_ count: Int) -> [Float] {
    var state: UInt32 = 12345
    return (0..<count).map { index in
      state = state &* 1_664_525 &+ 1_013_904_223
      return Float(Int32(bitPattern: state)) * (index % 97 == 0 ? 1e-6 : 1e-9)
    }
  }

  @Test("Bytes, values and counts are the same for every number of threads")
  func sameForEveryThreadCount() throws {
    let formats: [any BlockFormat] = [
      .mxfp6E2M3, .mx6, .nvfp4, .nvfp4TwoDimensional, .fp8(.e4m3fn, block: .tensor), .int8Row,
      .bf16,
    ]
    for (number, format) in formats.enumerated() {
      let (shape, axis) = Self.shapes[number % Self.shapes.count]
      let tensor = Tensor(values(shape.reduce(1, *)), shape: shape)
      var policy = format.defaultPolicy
      policy.rounding = .stochastic(StochasticSource(seed: 3, randomBitCount: 8))
      let one = tensor.quantized(to: format, axis: axis, policy: policy, parallelism: .threads(1))
      let decoded = one.dequantized(parallelism: .threads(1))
      for parallelism in [Parallelism.threads(2), .threads(3), .threads(7), .allCores] {
        let many = tensor.quantized(
          to: format, axis: axis, policy: policy, parallelism: parallelism)
        #expect(many.codes == one.codes && many.scales == one.scales, "\(format.id)")
        #expect(many.subscales == one.subscales && many.tally == one.tally, "\(format.id)")
        #expect(many.tensorScale == one.tensorScale)
        #expect(one.dequantized(parallelism: parallelism) == decoded, "\(format.id)")
      }
      let alone = tensor.fakeQuantized(
        to: format, axis: axis, policy: policy, parallelism: .threads(1))
      let fake = tensor.fakeQuantized(
        to: format, axis: axis, policy: policy, parallelism: .threads(3))
      #expect(fake.tensor == decoded && alone.tensor == decoded, "\(format.id)")
      #expect(fake.tally == one.tally && fake.exactBlockCount == alone.exactBlockCount)
    }
  }

  @Test("Slabs of a long row leave the reference's bytes at their seams")
  func seams() throws {
    for id in ["bdr(m=3,k1=6,k2=3,d1=5,d2=3)", "mxfp4(block=3)", "int(bits=5,block=7)"] {
      let format = try FormatCatalog.format(id: id)
      let reference = try #require(ReferenceTable.unusual.first { $0.id == id }).format
      expectReference(
        values(8192 + 8192 + 77), shape: [16_461], format: format, reference: reference)
    }
  }
}

import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Tensors in pieces")
struct TensorPiecesTests {
  private static let shapes = [
    [], [300], [9, 70], [3, 21, 10], [2, 2, 3, 20], [0, 8], [1, 90, 1],
  ]

  /// Every family, and blocks of every kind.
  private static let ids =
    FormatCatalog.all.map(\.id) + [
      "fp8(element=e4m3fn,block=tensor)", "fp8(element=e4m3fn,block=row)",
      "fp8(element=e5m2,block=5x24)", "mxfp4(block=48)",
      "scaled(element=int8,block=run5,scale=fp32)",
      "scaled(element=e2m1fn,block=run12,scale=e8m0fnu)",
      "scaled(element=e2m1fn,block=run16,scale=e4m3fn,tensor_scale=yes)", "nf4(block=7)",
    ]

  /// Values over many binades; some infinite or NaN on request.
  private static func values(_ count: Int, nonFinite: Bool) -> [Float] {
    var generator = SeededGenerator(seed: 5)
    var values = (0..<count).map { _ in
      Float.random(in: -1...1, using: &generator)
        * Float(sign: .plus, exponent: Int.random(in: -12...6, using: &generator), significand: 1)
    }
    if nonFinite, count > 40 {
      values[33] = .infinity
      values[count - 2] = .nan
    }
    return values
  }

  /// What a tensor's pieces give: the values, and what was counted.
  private static func pieces(
    of values: [Float], _ pieces: TensorPieces, _ format: any BlockFormat, _ policy: EncodingPolicy
  ) -> ([Float], PieceQuantizer) {
    let statistics = values.withUnsafeBufferPointer { ValueStatistics($0) }
    var quantizer = PieceQuantizer(
      format: format, policy: policy, pieces: pieces, statistics: statistics,
      parallelism: .threads(1))
    var result = [Float](repeating: 0, count: values.count)
    for piece in pieces.ranges {
      result.withUnsafeMutableBytes { result in
        values.withUnsafeBytes { values in
          let bytes = 4 * piece.lowerBound..<4 * piece.upperBound
          quantizer.reconstruct(
            UnsafeRawBufferPointer(rebasing: values[bytes]), of: piece,
            into: UnsafeMutableRawBufferPointer(rebasing: result[bytes]))
        }
      }
    }
    return (result, quantizer)
  }

  private static func expectSame(
    _ format: any BlockFormat, _ policy: EncodingPolicy, _ tensor: Tensor, axis: Int,
    _ pieces: TensorPieces
  ) {
    func whole(_ format: some BlockFormat) -> FakeQuantization {
      tensor.fakeQuantized(to: format, axis: axis, policy: policy, parallelism: .threads(1))
    }
    let expected = whole(format)
    let (values, quantizer) = Self.pieces(of: tensor.elements, pieces, format, policy)
    let name = "\(format.id) \(policy.rounding.id) \(tensor.shape) axis \(axis) \(pieces.ranges)"
    #expect(
      values.map(\.bitPattern) == expected.tensor.elements.map(\.bitPattern), "\(name)")
    #expect(quantizer.tally == expected.tally, "\(name)")
    #expect(quantizer.blockCount == expected.blockCount, "\(name)")
    #expect(quantizer.exactBlockCount == expected.exactBlockCount, "\(name)")
    #expect(quantizer.storedByteCount == expected.storedByteCount, "\(name)")
  }

  @Test(
    "The pieces of a tensor give what the whole gives, in every format and every way to cut",
    arguments: ids)
  func identity(_ id: String) throws {
    let format = try FormatCatalog.format(id: id)
    let stochastic = RoundingRule.stochastic(StochasticSource(seed: 9, randomBitCount: 8))
    for shape in Self.shapes {
      for (axis, rounding, nonFinite) in [
        (-1, stochastic, false), (0, .toNearestOrEven, true),
      ] {
        let tensor = Tensor(
          Self.values(shape.reduce(1, *), nonFinite: nonFinite), shape: shape)
        var policy = format.defaultPolicy
        if format.follows(.rounding) { policy.rounding = rounding }
        for limit in [20, 100] {
          let pieces = TensorPieces(
            shape: shape, axis: axis, formats: [(format, policy)], limit: limit)
          Self.expectSame(format, policy, tensor, axis: axis, pieces)
        }
      }
    }
  }

  @Test("One cut serves formats of different blocks, and scales that are searched for")
  func together() throws {
    let ids = [
      "mxfp4(block=48)", "nvfp4", "fp8(element=e4m3fn,block=16x16)",
      "fp8(element=e4m3fn,block=tensor)",
    ]
    var formats: [(format: any BlockFormat, policy: EncodingPolicy)] = []
    for id in ids {
      let format = try FormatCatalog.format(id: id)
      for rule in format.scaleRules {
        var policy = format.defaultPolicy
        policy.scaleRule = rule
        formats.append((format, policy))
      }
    }
    #expect(formats.count > ids.count)
    for shape in [[7, 200], [100, 10], [2, 70, 9]] {
      let tensor = Tensor(Self.values(shape.reduce(1, *), nonFinite: false), shape: shape)
      for axis in [-1, -2] {
        let pieces = TensorPieces(shape: shape, axis: axis, formats: formats, limit: 250)
        for (format, policy) in formats {
          Self.expectSame(format, policy, tensor, axis: axis, pieces)
        }
      }
    }
  }

  @Test("Pieces keep to the limit where blocks allow it, and cover the tensor in order")
  func limits() throws {
    let format = try FormatCatalog.format(id: "mxfp4")
    for shape in [[100, 64], [3, 50, 40], [6400], [1, 1, 6400]] {
      let pieces = TensorPieces(
        shape: shape, axis: -1, formats: [(format, format.defaultPolicy)], limit: 640)
      #expect(pieces.ranges.allSatisfy { $0.count <= 640 })
      #expect(pieces.ranges.count < 30)
      #expect(pieces.ranges.flatMap(Array.init) == Array(0..<shape.reduce(1, *)))
    }
    // Blocks along the first axis of 4 rows cannot be cut there, nor could a slice be a piece.
    let across = TensorPieces(
      shape: [4, 1000], axis: 0, formats: [(format, format.defaultPolicy)], limit: 640)
    #expect(across.ranges == [0..<4000])
  }
}

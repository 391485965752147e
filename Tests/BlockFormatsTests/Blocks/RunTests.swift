import BlockFormats
import FormatTestSupport
import Testing

/// Blocks that run over the flattened tensor: whatever its shape, they are vectors of that one row.
@Suite("Runs over the flattened tensor")
struct RunTests {
  /// A format of runs beside the same encoder over vectors of the same length.
  private struct Pair: CustomTestStringConvertible, Sendable {
    let run: any BlockFormat
    let vector: any BlockFormat
    var testDescription: String { run.id }
  }

  private static let pairs: [Pair] = [
    Pair(
      run: SharedExponentFormat(
        id: "runs", source: "a test", element: .e2m1fn, block: .run(length: 32)),
      vector: SharedExponentFormat(
        id: "vectors", source: "a test", element: .e2m1fn, block: .vector(length: 32))),
    Pair(
      run: SharedExponentFormat(
        id: "runs", source: "a test", element: .signMagnitude(magnitudeBitCount: 3),
        block: .run(length: 6), microexponents: .init(bitCount: 1, length: 2)),
      vector: SharedExponentFormat(
        id: "vectors", source: "a test", element: .signMagnitude(magnitudeBitCount: 3),
        block: .vector(length: 6), microexponents: .init(bitCount: 1, length: 2))),
    Pair(
      run: TwoLevelFormat(
        id: "runs", source: "a test", element: .e2m1fn, block: .run(length: 16), scale: .e4m3fn),
      vector: TwoLevelFormat(
        id: "vectors", source: "a test", element: .e2m1fn, block: .vector(length: 16),
        scale: .e4m3fn)),
    Pair(
      run: ScaledFormat(id: "runs", source: "a test", element: .int8, block: .run(length: 5)),
      vector: ScaledFormat(
        id: "vectors", source: "a test", element: .int8, block: .vector(length: 5))),
    Pair(
      run: AbsmaxFormat(id: "runs", source: "a test", element: .nf4, block: .run(length: 7)),
      vector: AbsmaxFormat(
        id: "vectors", source: "a test", element: .nf4, block: .vector(length: 7))),
  ]

  private static let shapes = [
    [], [1], [5], [64], [67], [3, 7], [9, 11], [2, 3, 5], [4, 16], [1, 1, 1], [70, 1], [0], [0, 4],
    [4, 0],
  ]

  @Test(
    "A run sees the tensor as one row: codes, scales, values, counts and random bits",
    arguments: pairs)
  private func flattened(_ pair: Pair) {
    let roundings: [RoundingRule] = [
      .toNearestOrEven, .stochastic(StochasticSource(seed: 6, randomBitCount: 8)),
    ]
    for (number, shape) in Self.shapes.enumerated() {
      let values = randomValues(shape.reduce(1, *), exponents: -6...6, seed: UInt64(number))
      for rounding in roundings {
        for axis in 0..<max(shape.count, 1) {
          let runPolicy = pair.run.policy { $0.rounding = rounding }
          let runs = Tensor(values, shape: shape).quantized(
            to: pair.run, axis: axis, policy: runPolicy)
          let vectors = Tensor(values).quantized(
            to: pair.vector, policy: pair.vector.policy { $0.rounding = rounding })
          let name = "\(shape) axis \(axis) \(rounding.id)"
          #expect(runs.planes == vectors.planes, "\(name)")
          #expect(runs.tally == vectors.tally && runs.blockCount == vectors.blockCount, "\(name)")
          #expect(runs.dequantized().elements == vectors.dequantized().elements, "\(name)")
          #expect(runs.shape == shape && runs.dequantized().shape == shape, "\(name)")
          let fake = Tensor(values, shape: shape).fakeQuantized(
            to: pair.run, axis: axis, policy: runPolicy)
          #expect(fake.tensor == runs.dequantized(), "\(name)")
          #expect(fake.blockCount == runs.blockCount, "\(name)")
          #expect(fake.storedByteCount == runs.storedByteCount, "\(name)")
        }
      }
    }
  }

  @Test("Fields have the flattened shape, one code an element and one for each run begun")
  func shapesOfFields() {
    for shape in Self.shapes {
      let count = shape.reduce(1, *)
      let tensor = Tensor([Float](repeating: 1, count: count), shape: shape).quantized(
        to: .nf4(block: 6))
      let runs = (count + 5) / 6
      #expect(tensor.shape(of: "codes") == (shape.isEmpty ? [] : [count]), "\(shape)")
      #expect(tensor.shape(of: "scales") == [runs] && tensor.blockCount == runs, "\(shape)")
      #expect(tensor.storedByteCount == (count + 1) / 2 + 4 * runs, "\(shape)")
    }
  }

  @Test("A run crosses rows, and the last one is short")
  func crossing() {
    // Rows of three; runs of four: 1 2 3 | 4 ends the first, 5 6 | 7 8 the second, 9 is alone.
    let tensor = Tensor((1...9).map(Float.init), shape: [3, 3]).quantized(
      to: ScaledFormat(id: "runs", source: "a test", element: .int8, block: .run(length: 4)))
    let scales = tensor["scales"].unpacked().map { Float(bitPattern: $0) }
    // The stored number is the reciprocal of fl(127 / amax).
    #expect(scales == [4, 8, 9].map { 1 / (127 / $0) })
    #expect(tensor["codes"].unpacked() == [32, 64, 95, 127, 79, 95, 111, 127, 127])
  }

  @Test("Ids name runs, and the texts that do not say so are refused")
  func ids() throws {
    for (id, length) in [
      ("scaled(element=int8,block=run5,scale=fp32)", 5),
      ("scaled(element=e2m1fn,block=run32,scale=e8m0fnu)", 32),
      ("scaled(element=e2m1fn,block=run16,scale=e4m3fn,tensor_scale=yes)", 16),
      ("fp8(element=e4m3fn,block=run128)", 128), ("int(bits=4,block=run32)", 32),
      ("nvfp4(block=run16)", 16), ("nf4(block=7)", 7), ("nf4", 64),
    ] {
      let format = try FormatCatalog.format(id: id)
      #expect(format.id == id && format.layout.block == .run(length: length))
    }
    for text in ["run", "run0", "run-4", "runs4", "run4x4", "run1048577"] {
      #expect(throws: FormatNameError.self, "\(text)") {
        try FormatCatalog.format(id: "int(bits=4,block=\(text))")
      }
    }
    let error = #expect(throws: FormatNameError.self) {
      try FormatCatalog.format(id: "int(bits=4,block=run)")
    }
    #expect(error?.description.contains("runLENGTH") == true)
  }

  @Test("Kernels take runs of the four encoders that have kernels, and give the reference's bits")
  func kernels() throws {
    for id in [
      "scaled(element=e2m1fn,block=run32,scale=e8m0fnu)",
      "scaled(element=int8,block=run5,scale=fp32)",
      "scaled(element=e2m1fn,block=run16,scale=e4m3fn,tensor_scale=yes)",
      "scaled(element=e4m3fn,block=run24,scale=bf16)",
    ] {
      let format = try FormatCatalog.format(id: id)
      let vectors = try FormatCatalog.format(id: id.replacing("block=run", with: "block="))
      let level = TensorQuantizer(format: format, shape: [9, 40]).kernelLevel
      #expect(level == TensorQuantizer(format: vectors, shape: [9, 40]).kernelLevel, "\(id)")
      for (number, extents) in ([[9, 40], [3, 5, 7], [1], [0], [], [2, 4099], [33]] as [[Int]])
        .enumerated()
      {
        for (turn, policy) in KernelPolicies.some(format, round: number).enumerated()
        where Intensity.isDeep || extents.count < 3 || turn % 3 == 0 {
          let shape = KernelShape(extents, axis: extents.count > 1 ? 0 : -1)
          guard shape.count < 1000 || turn == 0 else { continue }
          let mix = KernelInput.Mix.allCases[(number + turn) % 3]
          let values = KernelInput.values(format, shape, mix, seed: UInt64(10 * number + turn))
          expectSameOnEveryLevel(values, shape, format: format, policy: policy)
        }
      }
    }
    for pair in Self.pairs.prefix(4) {
      let shape = KernelShape([11, 9])
      let values = KernelInput.values(pair.run, shape, .finite, seed: 3)
      expectSameOnEveryLevel(values, shape, format: pair.run, policy: pair.run.defaultPolicy)
      #expect(TensorQuantizer(format: pair.run, shape: [11, 9]).kernelLevel != nil)
    }
  }

  @Test("Stored bytes, planes and codes give the tensor back", arguments: pairs)
  private func stored(_ pair: Pair) throws {
    for shape in Self.shapes {
      let values = randomValues(shape.reduce(1, *), exponents: -4...4, seed: 5)
      let tensor = Tensor(values, shape: shape).quantized(to: pair.run)
      let fromBytes = try QuantizedTensor(
        format: pair.run, shape: shape, storedBytes: tensor.storedBytes)
      let fromPlanes = try QuantizedTensor(format: pair.run, shape: shape, planes: tensor.planes)
      let fields = pair.run.layout.fields.map { ($0.name, tensor[$0.name].unpacked()) }
      let fromCodes = try QuantizedTensor(
        format: pair.run, shape: shape, codes: Dictionary(uniqueKeysWithValues: fields))
      for copy in [fromBytes, fromPlanes, fromCodes] {
        #expect(copy == tensor && copy.dequantized() == tensor.dequantized(), "\(shape)")
      }
    }
  }
}

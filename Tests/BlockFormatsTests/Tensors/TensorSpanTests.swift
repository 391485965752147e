import FormatTestSupport
import Testing

@testable import BlockFormats

@Suite("Tensors, and quantizers over spans")
struct TensorSpanTests {
  @Test("Elements are read and written by index and in place")
  func access() {
    var tensor = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(tensor[0] == 1 && tensor[5] == 6)
    tensor[4] = -5
    #expect(tensor.elements == [1, 2, 3, 4, -5, 6])
    let sum = tensor.withMutableSpan { span in
      var sum: Float = 0
      for index in span.indices {
        span[index] *= 2
        sum += span[index]
      }
      return sum
    }
    #expect(sum == 22 && tensor.elements == [2, 4, 6, 8, -10, 12] && tensor.shape == [2, 3])
    var empty = Tensor([], shape: [0, 3])
    #expect(empty.withMutableSpan { $0.count } == 0)
    let copy = tensor
    tensor.withMutableSpan { $0[0] = 7 }
    #expect(copy[0] == 2 && tensor[0] == 7)
    #expect(throws: CancellationError.self) {
      try tensor.withMutableSpan { _ in throw CancellationError() }
    }
  }

  #if os(macOS) || os(Linux)
  @Test("An index outside the tensor traps with the numbers")
  func indices() async {
    let reading = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tensor([1, 2, 3, 4], shape: [2, 2])[4]
    }
    #expect(reports(reading, "element 4 of 4, shape [2, 2]"))
    let writing = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var tensor = Tensor([1, 2])
      tensor[-1] = 0
    }
    #expect(reports(writing, "element -1 of 2, shape [2]"))
  }

  @Test("Spans of another number of values trap with the numbers")
  func sizes() async {
    let short = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let quantizer = TensorQuantizer(format: .mxfp4, shape: [2, 32])
      var storage = quantizer.makeStorage()
      quantizer.encode([Float](repeating: 0, count: 63).span, into: &storage)
    }
    #expect(
      reports(
        short, "252 bytes for a tensor of shape [2, 32], which takes 64 fp32 values of 4 bytes"))
    let long = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var values = [Float](repeating: 0, count: 65)
      var span = values.mutableSpan
      _ = TensorQuantizer(format: .mxfp4, shape: [2, 32]).fakeQuantize(&span)
    }
    #expect(reports(long, "260 bytes for a tensor of shape [2, 32]"))
  }
  #endif

  private static let ids = [
    "mxfp4", "nvfp4", "fp8_e4m3_tensor", "mx9", "nf4", "affine4", "q4_1", "q4_k", "q6_k",
    "iq4_nl", "tq1_0", "hif4", "bf16",
  ]

  @Test("Spans of FP32 give what pointers give", arguments: ids)
  func floats(id: String) throws {
    let format = try FormatCatalog.format(id: id)
    for (shape, axis) in [([5, 67], -1), ([67, 5], 0), ([], 0), ([0, 4], 1)] {
      let values = randomValues(shape.reduce(1, *), exponents: -9...9, seed: 3)
      for scale: Float? in [nil, 0.125] {
        let quantizer = TensorQuantizer(format: format, shape: shape, axis: axis)
        var (byPointer, bySpan) = (quantizer.makeStorage(), quantizer.makeStorage())
        values.withUnsafeBytes { quantizer.encode($0, tensorScale: scale, into: &byPointer) }
        quantizer.encode(values.span, tensorScale: scale, into: &bySpan)
        #expect(bySpan == byPointer && bySpan.tally == byPointer.tally, "\(shape)")
        #expect(
          bySpan
            == Tensor(values, shape: shape).quantized(to: format, axis: axis, tensorScale: scale))

        let expected = bits(values.count) { quantizer.decode(byPointer, into: $0) }
        var decoded = [Float](repeating: .nan, count: values.count)
        var decodedSpan = decoded.mutableSpan
        quantizer.decode(bySpan, into: &decodedSpan)
        #expect(decoded.map(\.bitPattern) == expected, "\(shape)")

        var (result, inPlace) = ([Float](repeating: .nan, count: values.count), values)
        var span = result.mutableSpan
        let tally = quantizer.fakeQuantize(values.span, into: &span, tensorScale: scale)
        #expect(result.map(\.bitPattern) == expected && tally == byPointer.tally, "\(shape)")
        span = inPlace.mutableSpan
        let inPlaceTally = quantizer.fakeQuantize(&span, tensorScale: scale)
        #expect(inPlace.map(\.bitPattern) == expected && inPlaceTally == tally, "\(shape)")
      }
    }
  }

  @Test("Raw spans of every number type give what pointers give", arguments: ids)
  func rawSpans(id: String) throws {
    let format = try FormatCatalog.format(id: id)
    let shape = [3, 71]
    let quantizer = TensorQuantizer(format: format, shape: shape)
    let values = randomValues(213, exponents: -6...6, seed: 4)
    for type in ScalarType.allCases {
      let element: ElementFormat = type == .float32 ? .fp32 : type == .float16 ? .fp16 : .bf16
      let source = values.flatMap { value in
        let code = element.code(for: Double(value))
        return (0..<type.byteCount).map { UInt8(truncatingIfNeeded: code >> UInt32(8 * $0)) }
      }
      var (byPointer, bySpan) = (quantizer.makeStorage(), quantizer.makeStorage())
      source.withUnsafeBytes { quantizer.encode($0, as: type, into: &byPointer) }
      quantizer.encode(source.span.bytes, as: type, into: &bySpan)
      #expect(bySpan == byPointer && bySpan.tally == byPointer.tally, "\(type.id)")

      var (expected, decoded) = (source, [UInt8](repeating: 0xAA, count: source.count))
      expected.withUnsafeMutableBytes { quantizer.decode(byPointer, into: $0, as: type) }
      var target = decoded.mutableSpan
      var bytes = target.mutableBytes
      quantizer.decode(bySpan, into: &bytes, as: type)
      #expect(decoded == expected, "\(type.id)")

      var inPlace = source
      target = inPlace.mutableSpan
      bytes = target.mutableBytes
      let tally = quantizer.fakeQuantize(&bytes, as: type)
      #expect(inPlace == expected && tally == byPointer.tally, "\(type.id)")
    }
  }

  @Test("Quantized tensors are equal where format, choices, shape, axis and codes are")
  func equality() throws {
    let values = randomValues(64, exponents: -3...3, seed: 9)
    let tensor = Tensor(values, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8))
    #expect(tensor == Tensor(values, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8)))
    // Axes that count from either end are one.
    #expect(
      tensor
        == Tensor(values, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8), axis: 1))
    let others = [
      Tensor(values, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 4)),
      Tensor(values, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8), axis: 0),
      Tensor(values, shape: [64]).quantized(to: .mx(element: .e2m1fn, block: 8)),
      Tensor(values, shape: [2, 4, 8]).quantized(to: .mx(element: .e2m1fn, block: 8)),
      Tensor(values.map { -$0 }, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8)),
      Tensor(values.map { 2 * $0 }, shape: [8, 8]).quantized(to: .mx(element: .e2m1fn, block: 8)),
    ]
    for other in others { #expect(tensor != other) }
    // The same bytes, by another policy on record.
    let policy = SharedExponentFormat.mxfp4.policy { $0.zeroBlock = .one }
    let relabelled = try QuantizedTensor(
      format: .mx(element: .e2m1fn, block: 8), shape: [8, 8], policy: policy, planes: tensor.planes)
    #expect(relabelled != tensor && relabelled.planes == tensor.planes)
    // What was counted while encoding is no part of a tensor.
    let read = try QuantizedTensor(
      format: .mx(element: .e2m1fn, block: 8), shape: [8, 8], storedBytes: tensor.storedBytes)
    #expect(read == tensor)
    let saturated = [Float](repeating: 1.9, count: 8).quantized(to: .mx(element: .e2m1fn, block: 8))
    let copy = try QuantizedTensor(
      format: .mx(element: .e2m1fn, block: 8), shape: [8], storedBytes: saturated.storedBytes)
    #expect(
      saturated.tally.saturatedCount == 8 && copy.tally.saturatedCount == 0 && copy == saturated)
    // One id, two formats.
    let format = { (element: ElementFormat) in
      SharedExponentFormat(
        id: "mine", source: "a test", element: element, block: .vector(length: 8))
    }
    #expect([1].quantized(to: format(.e2m1fn)) != [1].quantized(to: format(.int4)))
  }

  @Test(
    "Planes that do not fit are refused with both extents, and padding that is set with its row")
  func planes() throws {
    let tensor = Tensor([Float](repeating: 1, count: 15), shape: [3, 5]).quantized(
      to: .mx(element: .e2m1fn, block: 4))
    #expect(
      try QuantizedTensor(
        format: .mx(element: .e2m1fn, block: 4), shape: [3, 5], planes: tensor.planes) == tensor)
    #expect(throws: StorageError.wrongCount(field: "planes", expected: 2, actual: 1)) {
      try QuantizedTensor(
        format: .mx(element: .e2m1fn, block: 4), shape: [3, 5], planes: [tensor.planes[0]])
    }
    let turned = [tensor.planes[0], BitPlane(rowCount: 2, rowLength: 3, bitWidth: 8)]
    #expect(
      throws: StorageError.wrongPlane(
        field: "scales", expected: PlaneLayout(rowCount: 3, rowLength: 2, bitWidth: 8),
        actual: PlaneLayout(rowCount: 2, rowLength: 3, bitWidth: 8))
    ) {
      try QuantizedTensor(format: .mx(element: .e2m1fn, block: 4), shape: [3, 5], planes: turned)
    }
    var bytes = tensor.planes[0].bytes
    bytes[5] |= 0x10
    let padded = BitPlane(rowCount: 3, rowLength: 5, bitWidth: 4, bytes: bytes)
    #expect(throws: StorageError.paddingNotZero(field: "codes", row: 1)) {
      try QuantizedTensor(
        format: .mx(element: .e2m1fn, block: 4), shape: [3, 5], planes: [padded, tensor.planes[1]])
    }
  }
}

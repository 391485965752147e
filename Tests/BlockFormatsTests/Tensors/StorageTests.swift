import BlockFormats
import FormatTestSupport
import Testing

@Suite("Stored tensors")
struct StorageTests {
  /// Bits per element by hand: element bits + scale bits / block + sub-scale bits / sub-block.
  static let nominalBits: [(id: String, bits: Double)] = [
    ("mxfp8_e4m3", 8.25), ("mxfp8_e5m2", 8.25), ("mxfp6_e2m3", 6.25), ("mxfp6_e3m2", 6.25),
    ("mxfp4", 4.25), ("mxint8", 8.25), ("mxint8_full", 8.25), ("mxint4", 4.25), ("mxint2", 2.25),
    ("mx9", 9), ("mx6", 6), ("mx4", 4), ("msfp12", 4.5), ("msfp13", 5.5), ("msfp14", 6.5),
    ("msfp15", 7.5), ("msfp16", 8.5), ("nvfp4", 4.5), ("nvfp4_2d", 4.03125),
    ("mxfp4_e1m2", 4.25), ("mxfp4_oas", 4.5), ("nvint4", 4.5), ("nvfp6_e2m3", 6.5),
    ("fp8_e4m3_1x128_ue8m0", 8.0625), ("fp8_e4m3_128x128_ue8m0", 8 + 8.0 / 16384),
    ("fp4_bnb", 4.5), ("e1m2fn", 4), ("hif8", 8), ("if4", 4.5),
    ("nf4_double", 4 + 8.0 / 64 + 32.0 / 16384), ("mxfp4_oas_mbs", 4 + 8.0 / 16 + 8.0 / 128),
    ("nvfp4_4over6", 4.5), ("nvfp4_ue5m3", 4.5), ("nvfp4_ue5m3_61440", 4.5), ("vsq", 4.375),
    ("fp8_e4m3_tensor", 8), ("fp8_e4m3_row", 8), ("fp8_e4m3_1x128", 8.25),
    ("fp8_e4m3_128x128", 8.001953125), ("fp8_e5m2_tensor", 8), ("fp8_e5m2_row", 8),
    ("fp8_e5m2_1x128", 8.25), ("fp8_e5m2_128x128", 8.001953125), ("int8_row", 8),
    ("int8_tensor", 8), ("int8_1x128", 8.25), ("int4_row", 4), ("int4_1x128", 4.25),
    ("int4_1x32", 5), ("int2_1x32", 3), ("nf4", 4.5), ("affine2", 3), ("affine3", 4),
    ("affine4", 5), ("affine5", 6), ("affine6", 7), ("affine7", 8), ("affine8", 9), ("q4_0", 4.5),
    ("q4_1", 5), ("q5_0", 5.5), ("q5_1", 6), ("q8_0", 8.5), ("iq4_nl", 4.5), ("nvfp4_ggml", 4.5),
    ("tq1_0", 2.0625),
    ("tq2_0", 2.0625), ("q2_k", 2.625), ("q3_k", 3.4375), ("q4_k", 4.5), ("q5_k", 5.5),
    ("q6_k", 6.5625), ("hif4", 4.5), ("fp32", 32), ("bf16", 16), ("fp16", 16), ("tf32", 19),
    ("e4m3fn", 8), ("e5m2", 8), ("e4m3", 8), ("e3m4", 8), ("e4m3fnuz", 8), ("e5m2fnuz", 8),
    ("e4m3b11fnuz", 8), ("e2m3fn", 6), ("e3m2fn", 6), ("e2m1fn", 4), ("e8m0fnu", 8),
    ("ue4m3", 7), ("ue5m3", 8), ("ue5m3_61440", 8), ("int8", 8), ("int4", 4), ("int2", 2),
  ]

  @Test("Every catalog format has the bits per element worked out by hand")
  func nominal() throws {
    #expect(Self.nominalBits.map(\.id).sorted() == FormatCatalog.all.map(\.id).sorted())
    for (id, bits) in Self.nominalBits {
      #expect(try FormatCatalog.format(id: id).layout.nominalBitsPerElement == bits, "\(id)")
    }
  }

  @Test(
    "The stored bytes are as many as bits per element says, and as the nominal bits plus the scales of rows and tensor"
  )
  func bitsAreTrue() throws {
    // 256 x 1024 divides every block and keeps every plane's rows on bytes.
    let tensor = Tensor([Float](repeating: 1.5, count: 256 * 1024), shape: [256, 1024])
    for (id, bits) in Self.nominalBits {
      let encoded = tensor.quantized(to: try FormatCatalog.format(id: id))
      let elements = Double(tensor.elements.count)
      #expect(encoded.storedBytes.count == encoded.storedByteCount)
      #expect(encoded.bitsPerElement == Double(8 * encoded.storedBytes.count) / elements)
      var extra = 0.0
      if id.hasSuffix("_row") { extra = 256 * 32 }
      let hasTensorScale =
        id.hasSuffix("_tensor") || ["vsq", "if4", "nf4_double"].contains(id)
        || (id.hasPrefix("nv") && id != "nvfp4_ggml")
      if hasTensorScale { extra = 32 }
      #expect(encoded.bitsPerElement == bits + extra / elements, "\(id)")
    }
  }

  @Test("The layout of a tensor that is not there is that of the encoded one")
  func layoutsAlone() throws {
    for format in FormatCatalog.all {
      for (shape, axis) in [([129, 131], -1), ([129, 131], 0), ([3, 1, 33], 1), ([0, 5], 1)] {
        let tensor = Tensor([Float](repeating: 1, count: shape.reduce(1, *)), shape: shape)
          .quantized(to: format, axis: axis)
        let layout = StorageLayout(of: format.layout, shape: shape, axis: axis)
        #expect(layout.byteCount == tensor.storedByteCount, "\(format.id) \(shape)")
        for (plane, stored) in zip(layout.planes, tensor.planes) {
          #expect(plane.rowCount == stored.rowCount, "\(format.id) \(shape)")
          #expect(plane.rowLength == stored.rowLength, "\(format.id) \(shape)")
          #expect(plane.byteCount == stored.bytes.count, "\(format.id) \(shape)")
        }
      }
    }
  }

  @Test("A tensor assembled from its unpacked fields has the same bytes and values")
  func roundTrip() throws {
    for (format, _) in try ReferenceTable.all() {
      let values = randomValues(7 * 19, exponents: -3...3, seed: 5)
      for axis in [0, -1] {
        let original = Tensor(values, shape: [7, 19]).quantized(to: format, axis: axis)
        let copy = try QuantizedTensor(
          format: format, shape: [7, 19], axis: axis,
          codes: Dictionary(
            uniqueKeysWithValues: format.layout.fields.map {
              ($0.name, original[$0.name].unpacked())
            }))
        #expect(copy.storedBytes == original.storedBytes && copy.axis == original.axis)
        #expect(copy.dequantized() == original.dequantized())
        #expect(copy.planes == original.planes && copy.policy == format.defaultPolicy)
      }
    }
  }

  @Test("A tensor assembled from its stored bytes is the same")
  func storedBytesRoundTrip() throws {
    for (format, _) in try ReferenceTable.all() {
      let values = randomValues(7 * 19, exponents: -3...3, seed: 6)
      for (shape, axis) in [([7, 19], 0), ([7, 19], -1), ([133], 0), ([0, 5], 1), ([7, 0], 0)] {
        let elements = Array(values.prefix(shape.reduce(1, *)))
        let original = Tensor(elements, shape: shape).quantized(to: format, axis: axis)
        let copy = try QuantizedTensor(
          format: format, shape: shape, axis: axis, storedBytes: original.storedBytes)
        #expect(copy.codes == original.codes && copy.scales == original.scales)
        #expect(copy.subscales == original.subscales)
        #expect(copy.tensorScale?.bitPattern == original.tensorScale?.bitPattern)
        #expect(copy.axis == original.axis && copy.policy == format.defaultPolicy)
      }
    }
  }

  @Test("Stored bytes of the wrong number, and bits that belong to no code, are refused")
  func storedByteErrors() {
    func error(_ shape: [Int], _ bytes: [UInt8], axis: Int = -1) -> StorageError? {
      do throws(StorageError) {
        _ = try QuantizedTensor(
          format: SharedExponentFormat.mxfp4, shape: shape, axis: axis, storedBytes: bytes)
        return nil
      } catch {
        return error
      }
    }
    // Two rows of three codes in two bytes, and two scales.
    #expect(error([2, 3], [0x21, 0x03, 0x21, 0x03, 127, 127]) == nil)
    #expect(
      error([2, 3], [0x21, 0x03, 0x21, 0x13, 127, 127]) == .paddingNotZero(field: "codes", row: 1))
    #expect(
      error([2, 3], [0, 0, 0, 0, 127]) == .wrongCount(field: "storage", expected: 6, actual: 5))
    #expect(error([2, 3], [0, 0, 0, 0, 127, 127], axis: 2) == .badAxis(2, rank: 2))
    #expect(error([2, -3], []) == .badShape([2, -3]))
    #expect(
      error([1 << 48], [0])
        == .wrongCount(field: "storage", expected: (1 << 47) + (1 << 43), actual: 1))
  }

  @Test("Fields of the wrong number, size or kind are refused with the numbers")
  func errors() {
    func error(_ make: () throws(StorageError) -> QuantizedTensor) -> StorageError? {
      do throws(StorageError) {
        _ = try make()
        return nil
      } catch {
        return error
      }
    }
    let codes = [UInt32](repeating: 0, count: 20)
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(
          format: .mxfp4, shape: [4, 5], codes: fieldCodes([1], scales: [1, 1, 1, 1]))
      } == .wrongCount(field: "codes", expected: 20, actual: 1))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(
          format: .mxfp4, shape: [4, 5], codes: fieldCodes(codes, scales: [1, 1, 1]))
      } == .wrongCount(field: "scales", expected: 4, actual: 3))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .mx9, shape: [20], codes: fieldCodes(codes, scales: [1, 1]))
      } == .wrongCount(field: "subscales", expected: 10, actual: 0))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .bf16, shape: [20], codes: fieldCodes(codes, scales: [1]))
      } == .unknownField("scales", known: ["codes"]))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .mxfp4, shape: [1], codes: fieldCodes([16], scales: [0]))
      } == .codeTooLarge(field: "codes", code: 16, bitWidth: 4))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .mxfp4, shape: [1], codes: fieldCodes([15], scales: [256]))
      } == .codeTooLarge(field: "scales", code: 256, bitWidth: 8))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(
          format: .mx9, shape: [1], codes: fieldCodes([1], scales: [0], subscales: [2]))
      } == .codeTooLarge(field: "subscales", code: 2, bitWidth: 1))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .nvfp4, shape: [1], codes: fieldCodes([1], scales: [0]))
      } == .wrongCount(field: "tensor_scale", expected: 1, actual: 0))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(
          format: .mxfp4, shape: [1], codes: fieldCodes([1], scales: [0], tensorScale: 1))
      } == .unknownField("tensor_scale", known: ["codes", "scales"]))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .bf16, shape: [1, 1], axis: 2, codes: fieldCodes([1]))
      } == .badAxis(2, rank: 2))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .bf16, shape: [2, -1], codes: fieldCodes([1]))
      } == .badShape([2, -1]))
    #expect(
      error { () throws(StorageError) in
        try QuantizedTensor(format: .bf16, shape: [0, .max, 2], codes: fieldCodes([]))
      } == .badShape([0, .max, 2]))
  }

  @Test("Stored bytes are codes, scales, sub-scales and the tensor scale, in this order")
  func byteOrder() throws {
    let bdr = try QuantizedTensor(
      format: .mx9, shape: [2], codes: fieldCodes([0x7F, 0x81], scales: [0x85], subscales: [1]))
    #expect(bdr.storedBytes == [0x7F, 0x81, 0x85, 0x01])
    let nvfp4 = try QuantizedTensor(
      format: .nvfp4, shape: [3], codes: fieldCodes([1, 2, 3], scales: [0x38], tensorScale: 1.5))
    #expect(nvfp4.storedBytes == [0x21, 0x03, 0x38, 0x00, 0x00, 0xC0, 0x3F])
    #expect(nvfp4.dequantized().elements == [0.75, 1.5, 2.25])
  }
}

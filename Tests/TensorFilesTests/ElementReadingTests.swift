import Testing

@testable import TensorFiles

@Suite("Reading elements")
struct ElementReadingTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func file(_ tensors: [TensorData]) throws -> SafetensorsFile {
    try SafetensorsWriter.write(tensors, to: folder["file"])
    return try SafetensorsFile(path: folder["file"])
  }

  /// The value of a binary16 pattern by the definition of the format, in double precision, which
  /// holds every such value exactly.
  private func binary16(_ pattern: UInt16) -> Double {
    let exponent = Int(pattern >> 10 & 31)
    let fraction = Double(pattern & 1023)
    let magnitude: Double
    switch exponent {
    case 0: magnitude = Double(sign: .plus, exponent: -24, significand: fraction)
    case 31: magnitude = fraction == 0 ? .infinity : .nan
    default: magnitude = Double(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
    return pattern >> 15 == 0 ? magnitude : -magnitude
  }

  @Test("Every binary16 pattern is read as its exact value, and NaNs keep sign and payload")
  func everyBinary16() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let data = TensorData(
      name: "h", dtype: .f16, shape: [256, 256], bytes: littleEndianBytes(patterns))
    let file = try file([data])
    let values = try file.floats(of: try #require(file.tensor(named: "h")))
    #expect(values.count == patterns.count)
    let wrong = zip(patterns, values).filter { pattern, value in
      let exact = binary16(pattern)
      if exact.isNaN {
        let payload = UInt32(pattern & 1023) << 13
        let sign = UInt32(pattern >> 15) << 31
        return value.bitPattern != sign | 0x7fc0_0000 | payload
      }
      return Double(value) != exact || value.sign != exact.sign
    }
    #expect(wrong.isEmpty)
  }

  @Test("Every bfloat16 pattern is read as the upper half of a binary32 pattern")
  func everyBFloat16() throws {
    let patterns = Array(UInt16.min...UInt16.max)
    let file = try file([
      TensorData(name: "b", dtype: .bf16, shape: [65536], bytes: littleEndianBytes(patterns))
    ])
    let values = try file.floats(of: file.tensors[0])
    #expect(values.map(\.bitPattern) == patterns.map { UInt32($0) << 16 })
  }

  @Test("Binary32 patterns survive a round trip bit for bit, signalling NaNs included")
  func binary32() throws {
    let patterns: [UInt32] = [
      0, 0x8000_0000, 1, 0x807f_ffff, 0x0080_0000, 0x3f80_0001, 0x7f7f_ffff, 0x7f80_0000,
      0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffff_ffff,
    ]
    let stored = TensorData(
      name: "f", dtype: .f32, shape: [3, 4], bytes: littleEndianBytes(patterns))
    let file = try file([stored])
    let values = try file.floats(of: file.tensors[0])
    #expect(values.map(\.bitPattern) == patterns)
    #expect(TensorData(name: "f", shape: [3, 4], values) == stored)
  }

  @Test("Tensors at odd offsets are read like any other")
  func unaligned() throws {
    // A header of 131 bytes puts the data at offset 139, and one byte shifts each tensor further.
    let header =
      #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
      + #""f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]},"#
      + #""y":{"dtype":"U8","shape":[1],"data_offsets":[9,10]},"#
      + #""h":{"dtype":"F16","shape":[2],"data_offsets":[10,14]},"#
      + #""i":{"dtype":"U32","shape":[1],"data_offsets":[14,18]}}"#
    let data: [UInt8] = [
      9, 0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 8, 0, 0x3c, 1, 0, 0x78, 0x56, 0x34, 0x12,
    ]
    for padding in 0..<8 {
      let text = header + String(repeating: " ", count: padding)
      let file = try SafetensorsFile(path: folder.write(safetensors(text) + data))
      #expect(try file.floats(of: file.tensors[1]) == [1, -2.5])
      #expect(try file.floats(of: file.tensors[3]) == [1, 0x1p-24])
      #expect(try file.integers(of: file.tensors[4]) == [0x1234_5678] as [UInt32])
    }
  }

  @Test("Integers come back as they were written, and only in their own width")
  func integers() throws {
    let file = try file([
      TensorData(name: "u8", shape: [3], [0, 127, 255] as [UInt8]),
      TensorData(name: "u16", shape: [1, 2], [1, 0xfffe] as [UInt16]),
      TensorData(name: "u32", shape: [], [0x0102_0304] as [UInt32]),
    ])
    let u8 = try #require(file.tensor(named: "u8"))
    let u16 = try #require(file.tensor(named: "u16"))
    let u32 = try #require(file.tensor(named: "u32"))
    #expect(try file.integers(of: u8) == [0, 127, 255] as [UInt8])
    #expect(try file.integers(of: u16) == [1, 0xfffe] as [UInt16])
    #expect(try file.integers(of: u32) == [0x0102_0304] as [UInt32])
    #expect(try file.bytes(of: u32) == [4, 3, 2, 1])
    let error = #expect(throws: TensorFileError.self) {
      try file.integers(of: u16, as: UInt8.self)
    }
    #expect(
      error
        == .unsupportedDType(path: file.path, tensor: "u16", dtype: "U16", supported: "U8"))
  }

  @Test("Binary64 is rounded once to the nearest binary32 pattern, ties to even")
  func binary64() throws {
    let cases: [(Double, UInt32)] = [
      (0, 0), (-0.0, 0x8000_0000), (-2.5, 0xc020_0000),
      // Half an ulp above 1, the least more, and one and a half.
      (0x1.000001p0, 0x3f80_0000), (0x1.0000010000001p0, 0x3f80_0001), (0x1.000003p0, 0x3f80_0002),
      // Half the smallest, the least more, and one and a half times.
      (0x1p-150, 0), (0x1.0000000000001p-150, 1), (-0x1.8p-149, 0x8000_0002),
      // Above a tie by a bit that a rounding in between would lose.
      (0x1.0000010000001p-126, 0x0080_0001),
      // The largest, the last that rounds to it, half an ulp beyond it, and the largest of all.
      (0x1.fffffep127, 0x7f7f_ffff), (0x1.fffffefffffffp127, 0x7f7f_ffff),
      (0x1.ffffffp127, 0x7f80_0000), (-.greatestFiniteMagnitude, 0xff80_0000),
      (.infinity, 0x7f80_0000),
    ]
    let bytes = littleEndianBytes(cases.map(\.0.bitPattern))
    let file = try file([TensorData(name: "d", dtype: .f64, shape: [cases.count], bytes: bytes)])
    #expect(try file.floats(of: file.tensors[0]).map(\.bitPattern) == cases.map(\.1))
    let array = npy(
      "{'descr': '>f8', 'fortran_order': False, 'shape': (\(cases.count),), }",
      data: cases.flatMap { value, _ in
        withUnsafeBytes(of: value.bitPattern.bigEndian) { Array($0) }
      })
    #expect(
      try NpyFile(path: folder.write(array)).floats().map(\.bitPattern) == cases.map(\.1))
    let nan = TensorData(
      name: "n", dtype: .f64, shape: [], bytes: littleEndianBytes([Double.nan.bitPattern]))
    let values = try self.file([nan])
    #expect(try values.floats(of: values.tensors[0])[0].isNaN)
  }

  @Test("Only the four floating-point dtypes are read as floats")
  func unsupportedFloats() throws {
    let readable: Set<TensorDType> = [.f64, .f32, .f16, .bf16]
    let file = try file(
      TensorDType.allCases.map {
        TensorData(name: $0.rawValue, dtype: $0, shape: [0, 8], bytes: [])
      })
    for tensor in file.tensors {
      if readable.contains(tensor.dtype) {
        #expect(try file.floats(of: tensor).isEmpty)
      } else {
        let error = #expect(throws: TensorFileError.self) { try file.floats(of: tensor) }
        #expect(
          error
            == .unsupportedDType(
              path: file.path, tensor: tensor.name, dtype: tensor.dtype.rawValue,
              supported: "F16, BF16, F32, F64"))
      }
    }
  }

  @Test("Parts of a tensor are what is at their places in the whole")
  func parts() throws {
    // Longer than what is read at a time, so that parts begin and end everywhere.
    let count = 150_001
    let values = (0..<count).map { Float($0) }
    let halves = (0..<count).map { UInt16(truncatingIfNeeded: $0) }
    let file = try file([
      TensorData(name: "f", shape: [count], values),
      TensorData(name: "b", dtype: .bf16, shape: [count], bytes: littleEndianBytes(halves)),
    ])
    try NpyWriter.write(floats: values, shape: [count], to: folder["array"])
    let array = try TensorFile(path: folder["array"])
    for range in [0..<0, count..<count, 0..<1, 65_535..<65_537, 99_999..<count, 0..<count] {
      let expected = Array(values[range])
      #expect(try file.floats(of: file.tensors[0], in: range) == expected)
      #expect(try array.floats(of: array.tensors[0], in: range) == expected)
      let wide = try file.floats(of: file.tensors[1], in: range)
      #expect(wide.map { UInt16($0.bitPattern >> 16) } == Array(halves[range]))
    }
  }

  @Test("A tensor may be read after its file has been replaced")
  func replaced() throws {
    let file = try file([TensorData(name: "a", shape: [2], [5, 6] as [UInt8])])
    try SafetensorsWriter.write(
      [TensorData(name: "b", shape: [1], [7] as [UInt8])], to: folder["file"])
    #expect(try file.bytes(of: file.tensors[0]) == [5, 6])
    #expect(try SafetensorsFile(path: folder["file"]).tensors.map(\.name) == ["b"])
  }
}

import Foundation
import Testing

@testable import TensorFiles

@Suite("Safetensors files byte for byte")
struct SafetensorsGoldenTests {
  /// Written by the reference implementation, safetensors 0.8.0, for `{"w": F4 [1, 4]}`.
  static let fourBit =
    lengthField(56) + Array(#"{"w":{"dtype":"F4","shape":[1,4],"data_offsets":[0,2]}}"#.utf8)
    + [0x20, 0x10, 0x32]

  /// A file made by the reference implementation, safetensors 0.8.0, with NumPy 2.4.6.
  ///
  /// The call, from `safetensors.numpy`:
  ///
  ///     save({'b': np.array([1, 2], 'u1'), 'a': np.array([3], 'u1'),
  ///           'z"\\\n\u00e9\x01/\x7f': np.array(1, 'f4'), 'e': np.zeros((0, 3), 'u2'),
  ///           'i': np.array([4], 'u4'), 'h': np.array([1.5], 'f2')}, {'k': 'v\t"'})
  static let mixed =
    lengthField(376)
    + Array(
      (#"{"__metadata__":{"k":"v\t\""},"#
        + #""z\"\\\né\u0001/\#u{7f}":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"#
        + #""i":{"dtype":"U32","shape":[1],"data_offsets":[4,8]},"#
        + #""h":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},"#
        + #""e":{"dtype":"U16","shape":[0,3],"data_offsets":[10,10]},"#
        + #""a":{"dtype":"U8","shape":[1],"data_offsets":[10,11]},"#
        + #""b":{"dtype":"U8","shape":[2],"data_offsets":[11,13]}}      "#).utf8)
    + [0, 0, 0x80, 0x3f, 4, 0, 0, 0, 0, 0x3e, 3, 1, 2]

  static let mixedTensors = [
    TensorData(name: "b", shape: [2], [1, 2] as [UInt8]),
    TensorData(name: "a", shape: [1], [3] as [UInt8]),
    TensorData(name: "z\"\\\né\u{1}/\u{7f}", shape: [], [1] as [Float]),
    TensorData(name: "e", shape: [0, 3], [] as [UInt16]),
    TensorData(name: "i", shape: [1], [4] as [UInt32]),
    TensorData(name: "h", dtype: .f16, shape: [1], bytes: [0, 0x3e]),
  ]

  @Test("The writer reproduces the reference file of a packed four-bit tensor")
  func writesFourBit() throws {
    let folder = try TemporaryFolder()
    let tensor = TensorData(name: "w", dtype: .f4, shape: [1, 4], bytes: [0x10, 0x32])
    try SafetensorsWriter.write([tensor], to: folder["a"])
    #expect(try folder.read("a") == Self.fourBit)
    #expect(try folder.names() == ["a"])
  }

  @Test("The writer reproduces the reference file of mixed types, odd names and metadata")
  func writesMixed() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write(Self.mixedTensors, metadata: ["k": "v\t\""], to: folder["a"])
    #expect(try folder.read("a") == Self.mixed)
  }

  @Test("The reader finds every tensor and the metadata of the reference file")
  func readsMixed() throws {
    let folder = try TemporaryFolder()
    let file = try SafetensorsFile(path: folder.write(Self.mixed))
    #expect(file.metadata == ["k": "v\t\""])
    #expect(file.tensors.map(\.name) == ["z\"\\\né\u{1}/\u{7f}", "i", "h", "e", "a", "b"])
    #expect(file.tensors.map(\.dtype) == [.f32, .u32, .f16, .u16, .u8, .u8])
    #expect(file.tensors.map(\.shape) == [[], [1], [1], [0, 3], [1], [2]])
    #expect(file.tensors.map(\.elementCount) == [1, 1, 1, 0, 1, 2])
    #expect(file.tensors.first?.byteRange == 384..<388)
    #expect(file.tensors.first?.printableName == "z\"\\\\né\\u{1}/\\u{7f}")
    for expected in Self.mixedTensors {
      let found = try #require(file.tensor(named: expected.name))
      #expect(try file.bytes(of: found) == expected.bytes)
    }
    #expect(file.tensor(named: "absent") == nil)
  }

  @Test("Without tensors and metadata the file is an empty object, which reads back")
  func empty() throws {
    let folder = try TemporaryFolder()
    try SafetensorsWriter.write([], to: folder["a"])
    #expect(try folder.read("a") == safetensors("{}      "))
    let file = try SafetensorsFile(path: folder["a"])
    #expect(file.tensors.isEmpty)
    #expect(file.metadata.isEmpty)
  }

  @Test("Tensors of every dtype are laid out from the last of the enumeration to the first")
  func layoutOrder() throws {
    let folder = try TemporaryFolder()
    // Eight elements fill whole bytes whatever the width.
    let tensors = TensorDType.allCases.enumerated().map { index, dtype in
      TensorData(
        name: dtype.rawValue, dtype: dtype, shape: [8],
        bytes: [UInt8](repeating: UInt8(index), count: dtype.bitWidth))
    }
    try SafetensorsWriter.write(tensors.shuffled(), to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    #expect(file.tensors.map(\.name) == TensorDType.allCases.reversed().map(\.rawValue))
    #expect(
      file.tensors.prefix(3).map(\.name) == ["U64", "I64", "F64"]
        && file.tensors.suffix(3).map(\.name) == ["F6_E2M3", "F4", "BOOL"])
    for (tensor, info) in zip(tensors.reversed(), file.tensors) {
      #expect(try file.bytes(of: info) == tensor.bytes)
    }
  }

  @Test("The name of the metadata is refused as that of a tensor")
  func reservedName() async {
    await #expect(processExitsWith: .failure) {
      _ = TensorData(name: "__metadata__", shape: [1], [1] as [UInt8])
    }
  }

  @Test("Names and metadata are ordered by their UTF-8 bytes, not by Unicode collation")
  func nameOrder() throws {
    let folder = try TemporaryFolder()
    let names = ["a", "Z", "\u{e9}", "\u{1f600}", "\u{fffd}", "", "a.b", "a-b"]
    let bytes = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    try SafetensorsWriter.write(
      names.map { TensorData(name: $0, shape: [1], [7] as [UInt8]) },
      metadata: Dictionary(uniqueKeysWithValues: names.map { ($0, "x") }), to: folder["a"])
    let file = try SafetensorsFile(path: folder["a"])
    #expect(file.tensors.map(\.name) == bytes)
    let text = String(decoding: try folder.read("a").dropFirst(8), as: UTF8.self)
    let expected = bytes.map { "\"\($0)\":\"x\"" }.joined(separator: ",")
    #expect(text.hasPrefix("{\"__metadata__\":{\(expected)},"))
  }
}

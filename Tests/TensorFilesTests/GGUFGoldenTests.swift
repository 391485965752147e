import Foundation
import Testing

@testable import TensorFiles

@Suite("GGUF files byte for byte")
struct GGUFGoldenTests {
  /// A file made by the reference implementation, gguf 0.19.0, with NumPy 2.4.6.
  ///
  /// The calls, in order:
  ///
  ///     w = GGUFWriter('g.gguf', 'a')
  ///     w.add_custom_alignment(8)
  ///     w.add_uint8('u8', 200); w.add_int8('i8', -5); w.add_uint16('u16', 60000)
  ///     w.add_int16('i16', -300); w.add_uint32('u32', 4000000000); w.add_int32('i32', -7)
  ///     w.add_float32('f32', 0.1); w.add_bool('b', True); w.add_string('s', 'é漢')
  ///     w.add_uint64('u64', 2**63 + 1); w.add_int64('i64', -2**40); w.add_float64('f64', 0.1)
  ///     w.add_array('is', [1, -2, 3]); w.add_array('ss', ['', 'x', 'yz'])
  ///     w.add_array('fs', [0.5, 1.5]); w.add_array('bs', [False, True])
  ///     q = np.arange(68, dtype='u1').reshape(2, 34)
  ///     w.add_tensor('v', np.array([1, -2, 3], 'f4'))
  ///     w.add_tensor('q', q, raw_dtype=GGMLQuantizationType.Q8_0)
  ///     w.add_tensor('m', q[:1, :17], raw_dtype=GGMLQuantizationType.MXFP4)
  ///     w.add_tensor('c', np.zeros((2, 1, 3), 'f2'))
  ///     w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()
  static let bytes: [UInt8] = {
    let text = """
      R0dVRgMAAAAEAAAAAAAAABIAAAAAAAAAFAAAAAAAAABnZW5lcmFsLmFyY2hpdGVjdHVyZQgAAAABAAAAAAAAAGER
      AAAAAAAAAGdlbmVyYWwuYWxpZ25tZW50BAAAAAgAAAACAAAAAAAAAHU4AAAAAMgCAAAAAAAAAGk4AQAAAPsDAAAA
      AAAAAHUxNgIAAABg6gMAAAAAAAAAaTE2AwAAANT+AwAAAAAAAAB1MzIEAAAAAChr7gMAAAAAAAAAaTMyBQAAAPn/
      //8DAAAAAAAAAGYzMgYAAADNzMw9AQAAAAAAAABiBwAAAAEBAAAAAAAAAHMIAAAABQAAAAAAAADDqea8ogMAAAAA
      AAAAdTY0CgAAAAEAAAAAAACAAwAAAAAAAABpNjQLAAAAAAAAAAD///8DAAAAAAAAAGY2NAwAAACamZmZmZm5PwIA
      AAAAAAAAaXMJAAAABQAAAAMAAAAAAAAAAQAAAP7///8DAAAAAgAAAAAAAABzcwkAAAAIAAAAAwAAAAAAAAAAAAAA
      AAAAAAEAAAAAAAAAeAIAAAAAAAAAeXoCAAAAAAAAAGZzCQAAAAYAAAACAAAAAAAAAAAAAD8AAMA/AgAAAAAAAABi
      cwkAAAAHAAAAAgAAAAAAAAAAAQEAAAAAAAAAdgEAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAcQIAAAAg
      AAAAAAAAAAIAAAAAAAAACAAAABAAAAAAAAAAAQAAAAAAAABtAgAAACAAAAAAAAAAAQAAAAAAAAAnAAAAWAAAAAAA
      AAABAAAAAAAAAGMDAAAAAwAAAAAAAAABAAAAAAAAAAIAAAAAAAAAAQAAAHAAAAAAAAAAAAAAAACAPwAAAMAAAEBA
      AAAAAAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9
      Pj9AQUJDAAAAAAABAgMEBQYHCAkKCwwNDg8QAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
      """
    return Data(base64Encoded: text, options: .ignoreUnknownCharacters).map(Array.init) ?? []
  }()

  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// The values that the calls above name.
  private static let metadata: [(key: String, value: GGUFValue)] = [
    ("general.architecture", .string("a")), ("general.alignment", .uint32(8)),
    ("u8", .uint8(200)), ("i8", .int8(-5)), ("u16", .uint16(60000)), ("i16", .int16(-300)),
    ("u32", .uint32(4_000_000_000)), ("i32", .int32(-7)), ("f32", .float32(0.1)),
    ("b", .bool(true)), ("s", .string("é漢")), ("u64", .uint64(1 << 63 + 1)),
    ("i64", .int64(-1 << 40)), ("f64", .float64(0.1)),
    ("is", .array(GGUFArray([1, -2, 3] as [Int32]))), ("ss", .array(GGUFArray(["", "x", "yz"]))),
    ("fs", .array(GGUFArray([0.5, 1.5] as [Float]))), ("bs", .array(GGUFArray([false, true]))),
  ]

  @Test("The reader finds every key, type and value of the reference file")
  func readsMetadata() throws {
    let file = try GGUFFile(path: folder.write(Self.bytes))
    #expect(file.version == 3)
    #expect(file.alignment == 8)
    #expect(file.metadata.entries.map(\.key) == Self.metadata.map(\.key))
    #expect(file.metadata.entries.map(\.value) == Self.metadata.map(\.value))
    for (key, value) in Self.metadata { #expect(file.metadata[key] == value) }
    // The values again, without the encoder that the comparison goes through.
    let metadata = file.metadata
    #expect(metadata["s"]?.text == "é漢")
    #expect(metadata["b"]?.truth == true)
    #expect(metadata["f32"]?.floatingPoint == Double(0.1 as Float))
    #expect(metadata["f64"]?.floatingPoint == 0.1)
    let integers = ["u8": 200, "i8": -5, "u16": 60000, "i16": -300, "u32": 4_000_000_000]
    for (key, integer) in integers { #expect(metadata[key]?.integer == integer) }
    #expect(metadata["i64"]?.integer == -1_099_511_627_776)
    #expect(metadata["u64"]?.integer == nil)
    #expect(metadata["is"]?.elements?.integers() == [1, -2, 3])
    #expect(metadata["ss"]?.elements?.strings() == ["", "x", "yz"])
    #expect(metadata["fs"]?.elements?.floats() == [0.5, 1.5])
    #expect(metadata["bs"]?.elements?.truths() == [false, true])
  }

  @Test("The reader finds every tensor of the reference file where the reference reader does")
  func readsTensors() throws {
    let file = try GGUFFile(path: folder.write(Self.bytes))
    #expect(file.tensors.map(\.name) == ["v", "q", "m", "c"])
    #expect(file.tensors.map(\.type) == [.f32, .q8_0, .mxfp4, .f16])
    #expect(file.tensors.map(\.shape) == [[3], [2, 32], [1, 32], [2, 1, 3]])
    #expect(file.tensors.map(\.elementCount) == [3, 64, 32, 6])
    #expect(file.tensors.map(\.byteRange) == [648..<660, 664..<732, 736..<753, 760..<772])
    #expect(file.dataRange == 648..<772)
    let blocks = try #require(file.tensor(named: "q"))
    #expect(try file.bytes(of: blocks) == Array(0..<68))
    #expect(try file.bytes(of: blocks, in: 34..<36) == [34, 35])
    #expect(try file.bytes(of: blocks, in: 68..<68) == [])
    let floats = try #require(file.tensor(named: "v"))
    #expect(
      try file.bytes(of: floats) == [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40])
    #expect(file.tensor(named: "absent") == nil)
    var buffer = [UInt8](repeating: 255, count: 3)
    try buffer.withUnsafeMutableBytes { try file.read(into: $0, of: blocks, at: 65) }
    #expect(buffer == [65, 66, 67])
  }

  @Test(
    "The writer gives the reference file from what the reader gave, in pieces of any size",
    arguments: [1, 7, 68, 1000])
  func rewrites(_ size: Int) throws {
    let file = try GGUFFile(path: folder.write(Self.bytes))
    var writer = try GGUFWriter(
      path: folder["copy"], metadata: file.metadata,
      tensors: file.tensors.map { GGUFTensorDescription($0) })
    var data: [UInt8] = []
    for tensor in file.tensors { data += try file.bytes(of: tensor) }
    for start in stride(from: 0, to: data.count, by: size) {
      try writer.write(Array(data[start..<min(start + size, data.count)]))
    }
    try writer.commit()
    #expect(try folder.read("copy") == Self.bytes)
    #expect(try folder.names() == ["copy", "file"])
  }

  @Test("The writer gives the reference file from values made here")
  func writes() throws {
    var metadata = GGUFMetadata()
    for (key, value) in Self.metadata { metadata.set(key, value) }
    var writer = try GGUFWriter(
      path: folder["new"], metadata: metadata,
      tensors: [
        GGUFTensorDescription(name: "v", type: .f32, shape: [3]),
        GGUFTensorDescription(name: "q", type: .q8_0, shape: [2, 32]),
        GGUFTensorDescription(name: "m", type: .mxfp4, shape: [1, 32]),
        GGUFTensorDescription(name: "c", type: .f16, shape: [2, 1, 3]),
      ])
    let floats: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0x40, 0x40]
    let rest = Array(0..<68) + Array(0..<17) + [UInt8](repeating: 0, count: 12)
    try writer.write((floats + rest).span.bytes)
    try writer.commit()
    #expect(try folder.read("new") == Self.bytes)
  }
}

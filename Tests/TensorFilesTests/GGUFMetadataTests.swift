import FormatTestSupport
import Testing

@testable import TensorFiles

@Suite("Metadata of GGUF files")
struct GGUFMetadataTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  /// The metadata that a file gives back.
  private func written(_ metadata: GGUFMetadata) throws -> GGUFMetadata {
    let writer = try GGUFWriter(path: folder["file"], metadata: metadata, tensors: [])
    try writer.commit()
    return try GGUFFile(path: folder["file"]).metadata
  }

  @Test("Keys keep their order; a value is replaced in its place")
  func order() throws {
    var metadata = GGUFMetadata()
    metadata.set("b", .uint8(1))
    metadata.set("a", .string("x"))
    metadata.set("c", [1, 2] as [UInt16])
    metadata.set("b", .bool(true))
    #expect(metadata.entries.map(\.key) == ["b", "a", "c"])
    #expect(metadata["b"] == .bool(true))
    metadata.remove("a")
    metadata.remove("absent")
    #expect(metadata.entries.map(\.key) == ["b", "c"])
    #expect(metadata["a"] == nil)
    #expect(metadata["c"]?.elements?.integers() == [1, 2])
    metadata.set("a", .int64(.min))
    #expect(metadata.entries.map(\.key) == ["b", "c", "a"])
    #expect(try written(metadata) == metadata)
  }

  @Test("Equal are the same bytes: NaNs, signed zeros and spellings are told apart")
  func equality() {
    let values: [GGUFValue] = [
      .float32(.nan), .float32(-.nan), .float64(.nan), .float32(0), .float32(-0.0),
      .float32(.signalingNaN), .string("\u{e9}"), .string("e\u{301}"), .uint8(1), .int8(1),
      .bool(true), .uint32(1), .array(GGUFArray([1] as [UInt8])), .array(GGUFArray([1] as [Int8])),
      .array(GGUFArray([true])), .array(GGUFArray([] as [Float])), .array(GGUFArray([String]())),
    ]
    for (index, first) in values.enumerated() {
      for (other, second) in values.enumerated() {
        #expect((first == second) == (index == other), "\(first), \(second)")
      }
    }
    var one = GGUFMetadata()
    var two = GGUFMetadata()
    one.set("a", .uint8(1))
    one.set("b", .uint8(2))
    two.set("b", .uint8(2))
    two.set("a", .uint8(1))
    #expect(one != two)
    two.remove("b")
    two.set("b", .uint8(2))
    #expect(one == two)
    two.set("\u{e9}", .uint8(1))
    one.set("e\u{301}", .uint8(1))
    #expect(one != two)
  }

  /// An array of the least and greatest integer of a type, and what `Int` makes of them.
  private func limits<Integer: FixedWidthInteger>(
    _: Integer.Type, _ kind: GGUFValueKind
  ) throws {
    var metadata = GGUFMetadata()
    metadata.set("k", [Integer.min, .max, 1])
    let array = try #require(try written(metadata)["k"]?.elements)
    #expect(array.elementKind == kind)
    #expect(array.count == 3)
    #expect(array.integers(as: Integer.self) == [.min, .max, 1])
    #expect(array.integers(as: Int128.self) == [Int128(Integer.min), Int128(Integer.max), 1])
    // Nil, and no crash, where an element does not fit.
    #expect(array.integers(as: UInt8.self) == (kind == .uint8 ? [0, 255, 1] : nil))
    #expect(array.strings() == nil && array.byteStrings() == nil)
    #expect(array.floats() == nil && array.doubles() == nil && array.truths() == nil)
  }

  @Test("Arrays of integers of every width keep their limits")
  func integers() throws {
    try limits(UInt8.self, .uint8)
    try limits(Int8.self, .int8)
    try limits(UInt16.self, .uint16)
    try limits(Int16.self, .int16)
    try limits(UInt32.self, .uint32)
    try limits(Int32.self, .int32)
    try limits(UInt64.self, .uint64)
    try limits(Int64.self, .int64)
  }

  @Test("Arrays of floats, truths and strings come back bit for bit")
  func others() throws {
    let floats: [Float] = [
      0, -0.0, .infinity, .leastNonzeroMagnitude, Float(bitPattern: 0x7fc1_2345),
    ]
    var metadata = GGUFMetadata()
    metadata.set("f", floats)
    metadata.set("d", .array(GGUFArray([0.1, -.infinity] as [Double])))
    metadata.set("b", .array(GGUFArray([true, false, true])))
    metadata.set("s", ["", "漢字", "\0\n"])
    metadata.set("none", [String]())
    let found = try written(metadata)
    #expect(found == metadata)
    #expect(found["f"]?.elements?.floats()?.map(\.bitPattern) == floats.map(\.bitPattern))
    #expect(found["f"]?.elements?.doubles()?.prefix(4) == [0, 0, .infinity, 0x1p-149])
    #expect(found["d"]?.elements?.doubles() == [0.1, -.infinity])
    #expect(found["d"]?.elements?.floats() == nil)
    #expect(found["b"]?.elements?.truths() == [true, false, true])
    #expect(found["s"]?.elements?.strings() == ["", "漢字", "\0\n"])
    #expect(found["s"]?.elements?.integers() == nil)
    #expect(found["none"]?.elements?.strings() == [])
  }

  @Test("A vocabulary longer than many reads of the file comes back string for string")
  func vocabulary() throws {
    var generator = SeededGenerator(seed: 7)
    let strings = (0..<20_000).map { index in
      String(repeating: "é\(index)", count: Int.random(in: 0...6, using: &generator))
    }
    var metadata = GGUFMetadata()
    // Shifts every field against the reads.
    metadata.set("text", .string(String(repeating: "t", count: GGUFCursor.windowSize + 5)))
    metadata.set("tokens", strings)
    metadata.set("scores", strings.map { Float($0.utf8.count) })
    let found = try written(metadata)
    #expect(found == metadata)
    let array = try #require(found["tokens"]?.elements)
    #expect(array.bytes.count > 4 * GGUFCursor.windowSize)
    #expect(array.strings() == strings)
  }

  @Test("Strings of an array may be any bytes, which are kept")
  func pieces() throws {
    let bytes = gguf(
      entries: [ggufArray("k", 8, 2, ggufText([0xe6, 0xbc]) + ggufText("a"))], alignment: 32)
    let file = try GGUFFile(path: folder.write(bytes, as: "pieces"))
    let array = try #require(file.metadata["k"]?.elements)
    #expect(array.byteStrings() == [[0xe6, 0xbc], [0x61]])
    #expect(array.strings() == ["\u{fffd}", "a"])
    let writer = try GGUFWriter(path: folder["copy"], metadata: file.metadata, tensors: [])
    try writer.commit()
    #expect(try folder.read("copy") == bytes)
  }

  #if os(macOS) || os(Linux)
  @Test("Keys of no bytes, and integers of no type, trap")
  func mistakes() async {
    let key = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var metadata = GGUFMetadata()
      metadata.set("", .bool(true))
    }
    #expect(reports(key, "a metadata key of 0 bytes, of 1 to 65535"))
    let integers = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GGUFArray([1] as [Int128])
    }
    #expect(reports(integers, "integers of 128 bits in an array of a GGUF file"))
  }
  #endif
}

#if os(macOS) || os(Linux)
/// Whether an exit test's error output holds a message.
func reports(_ result: ExitTest.Result?, _ message: String) -> Bool {
  guard let result else { return false }
  return String(decoding: result.standardErrorContent, as: UTF8.self).contains(message)
}
#endif

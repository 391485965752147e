import BlockFormats
import FormatTestSupport
import Foundation
import Testing

@testable import QuantizedCheckpoints

@Suite("Hostile folders")
struct HostileFolderTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let index = "model.safetensors.index.json"

  /// A folder of two shards and a text as index.
  private func write(index: String) throws {
    try folder.write(safetensors([Stored("a", [1], [1])]), as: "m/1.safetensors")
    try folder.write(safetensors([Stored("b", [1], [2])]), as: "m/2.safetensors")
    try folder.write(index, as: "m/\(Self.index)")
  }

  private func check(
    _ expected: String, in name: String = "m", sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: ModelCheckpointError.self, sourceLocation: sourceLocation) {
      try ModelCheckpoint(path: folder[name])
    }
    let description = error?.description ?? ""
    #expect(description.contains(expected), "\(description)", sourceLocation: sourceLocation)
    #expect(!description.contains { $0.isNewline }, sourceLocation: sourceLocation)
  }

  @Test("A folder of shards is opened with its index, by its index and without one")
  func shards() throws {
    try write(index: #"{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#)
    for path in ["m", "m/", "m/\(Self.index)"] {
      let checkpoint = try ModelCheckpoint(path: folder[path])
      #expect(checkpoint.tensors.map(\.name) == ["a", "b"])
      #expect(checkpoint.container == .shards)
    }
    try FileManager.default.removeItem(atPath: folder["m/\(Self.index)"])
    #expect(try ModelCheckpoint(path: folder["m"]).tensors.map(\.name) == ["a", "b"])
    // A file of the usual name is the whole model.
    try folder.write(safetensors([Stored("c", [1], [3])]), as: "m/model.safetensors")
    #expect(try ModelCheckpoint(path: folder["m"]).tensors.map(\.name) == ["c"])
  }

  @Test("An index names files beside itself alone")
  func elsewhere() throws {
    for name in [
      "/etc/passwd", "../m/1.safetensors", "./1.safetensors", "..", ".", "", "a/b", "a\\\\b",
      "1.safetensors\\u0000", "/", "//",
    ] {
      try write(index: #"{"weight_map":{"a":"\#(name)","b":"2.safetensors"}}"#)
      check("which is not the name of a file beside the index")
    }
  }

  @Test("An index that is not JSON, or JSON of another kind, is refused")
  func kinds() throws {
    for kind in ["null", "true", "1", "\"a\"", "[]", "[[]]", "{}"] {
      try write(index: kind)
      check("has no object 'weight_map'")
      if kind != "{}" {
        try write(index: #"{"weight_map":\#(kind)}"#)
        check("has no object 'weight_map'")
      }
      if kind != "\"a\"" {
        try write(index: #"{"weight_map":{"a":\#(kind),"b":"2.safetensors"}}"#)
        check("instead of a file's name")
      }
    }
    try write(index: "")
    check("empty")
    try write(index: "{")
    check("not JSON")
    try write(index: #"{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}"#)
    check("not JSON")
    try write(index: String(repeating: "[", count: 100_000))
    check("not JSON")
    try folder.write([0x7B, 0xFF, 0x7D], as: "m/\(Self.index)")
    check("not UTF-8")
  }

  @Test("An index of other files is stale, whichever of the two has more")
  func stale() throws {
    try write(index: #"{"weight_map":{"a":"1.safetensors","b":"1.safetensors"}}"#)
    check("is stale: tensor 'b' is not in 1.safetensors")
    try write(index: #"{"weight_map":{"a":"2.safetensors","b":"1.safetensors"}}"#)
    check("is stale: tensor 'a'")
    try write(
      index: #"{"weight_map":{"a":"1.safetensors","b":"2.safetensors","c":"1.safetensors"}}"#)
    check("is stale: tensor 'c' is not in 1.safetensors")
    try write(index: #"{"weight_map":{"a":"1.safetensors","b":"3.safetensors"}}"#)
    check("3.safetensors")
    try write(index: #"{"weight_map":{"a":"1.safetensors","b":"config.json"}}"#)
    try folder.write("{}", as: "m/config.json")
    check("config.json")
  }

  @Test("A folder without a checkpoint, or with two tensors of a name, is refused")
  func contents() throws {
    _ = try folder.makeFolder("m")
    check("holds no safetensors file")
    try folder.write(safetensors([Stored("a", [1], [1])]), as: "m/1.safetensors")
    try folder.write(safetensors([Stored("a", [1], [2])]), as: "m/2.safetensors")
    check("tensor 'a': is in another file, too")
    check("no such file", in: "nothing")
  }

  @Test("File names that differ in bytes alone are two files")
  func spellings() throws {
    // é as one scalar and as two: equal as strings of Swift.
    for (name, tensor) in [("\u{E9}.safetensors", "a"), ("e\u{301}.safetensors", "b")] {
      try folder.write(safetensors([Stored(tensor, [1], [1])]), as: "m/\(name)")
    }
    // Some file systems hold one of the spellings alone.
    let count = try folder.names(in: "m").count
    #expect(try ModelCheckpoint(path: folder["m"]).tensors.count == count)
    guard count == 2 else { return }
    try folder.write(
      #"{"weight_map":{"a":"\u00e9.safetensors","b":"e\u0301.safetensors"}}"#, as: "m/\(Self.index)"
    )
    #expect(try ModelCheckpoint(path: folder["m"]).tensors.count == 2)
    try folder.write(
      #"{"weight_map":{"b":"\u00e9.safetensors","a":"e\u0301.safetensors"}}"#, as: "m/\(Self.index)"
    )
    check("is stale")
  }
}

@Suite("Hostile configurations")
struct HostileConfigurationTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func error(_ configuration: [UInt8]) throws -> String? {
    try folder.write(safetensors([Stored("a", [1], [1])]), as: "m/model.safetensors")
    try folder.write(configuration, as: "m/config.json")
    do throws(ModelCheckpointError) {
      _ = try ModelCheckpoint(path: folder["m"])
      return nil
    } catch { return error.description }
  }

  @Test("A configuration that is deep, huge or no text is refused in one line")
  func refused() throws {
    func nested(_ depth: Int) -> [UInt8] {
      Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
    }
    #expect(try error(nested(64)) == nil)
    for depth in [65, 100_000] { #expect(try error(nested(depth))?.contains("not JSON") == true) }
    #expect(try error([0x22, 0xC3, 0x22])?.contains("not UTF-8") == true)
    #expect(try error([0xFF, 0xFE])?.contains("not UTF-8") == true)
    #expect(try error(Array(#"{"a":1,"a":2}"#.utf8))?.contains("not JSON") == true)
    let huge = [UInt8](repeating: UInt8(ascii: " "), count: 16 << 20) + Array("{}".utf8)
    #expect(try error(huge)?.contains("more than 16777216 bytes") == true)
    #expect(try error(Array("{}".utf8)) == nil)
  }

  /// A value of JSON with one of the values in it replaced, for each of them.
  private func replaced(_ value: Any, by replacement: Any) -> [Any] {
    var results: [Any] = [replacement]
    if let object = value as? [String: Any] {
      for (key, member) in object {
        results += replaced(member, by: replacement).map { changed in
          var copy = object
          copy[key] = changed
          return copy
        }
        var copy = object
        copy[key] = nil
        results.append(copy)
      }
    } else if let array = value as? [Any] {
      for (index, element) in array.enumerated() {
        results += replaced(element, by: replacement).map { changed in
          var copy = array
          copy[index] = changed
          return copy
        }
      }
    }
    return results
  }

  @Test(
    "A configuration with any value of any kind is read or refused, and never trapped on",
    arguments: ProducerFile.all.filter { $0.dialect == .compressedTensors || $0.dialect == .gptOSS }
  )
  func everyKind(_ file: ProducerFile) throws {
    let source = try file.path
    let text = try Data(contentsOf: URL(fileURLWithPath: source + "/config.json"))
    let configuration = try JSONSerialization.jsonObject(with: text)
    let tensors = try Data(contentsOf: URL(fileURLWithPath: source + "/model.safetensors"))
    try folder.write(Array(tensors), as: "m/model.safetensors")
    let kinds: [Any] = [
      NSNull(), true, 0, -1, 1 << 62, 1.5, "", "fp8", [Any](), [1, -1], [1 << 40, 3],
      [String: Any](), ["quant_method": ["a": 1]],
    ]
    var opened = 0
    for (number, kind) in kinds.enumerated() {
      for (place, changed) in replaced(configuration, by: kind).enumerated() {
        // Every place has one kind at least.
        guard Intensity.isDeep || place % kinds.count == number else { continue }
        let bytes = try JSONSerialization.data(withJSONObject: changed, options: .fragmentsAllowed)
        try folder.write(Array(bytes), as: "m/config.json")
        do throws(ModelCheckpointError) {
          let checkpoint = try ModelCheckpoint(path: folder["m"])
          opened += 1
          for tensor in checkpoint.tensors { _ = try tensor.dequantized(parallelism: .threads(1)) }
        } catch { #expect(!error.description.contains { $0.isNewline }) }
      }
    }
    #expect(opened > 10)
  }

  @Test("MLX's group and bits are those that the configuration tells, or it is wrong")
  func mlx() throws {
    let stored = safetensors([
      Stored("l.weight", "U32", [2, 8], bitWidth: 32), Stored("l.scales", [2, 1], [1, 2]),
      Stored("l.biases", [2, 1], [0, 0]),
    ])
    try folder.write(stored, as: "m/model.safetensors")
    func format(_ quantization: String) throws -> String? {
      try folder.write(#"{"quantization":\#(quantization)}"#, as: "m/config.json")
      return try? ModelCheckpoint(path: folder["m"]).first.quantizedStorage?.format.id
    }
    #expect(try format("null") == "affine4")
    #expect(try format(#"{"group_size":64,"bits":4}"#) == "affine4")
    #expect(try format(#"{"group_size":32,"bits":8}"#) == "affine8(group=32)")
    #expect(
      try format(#"{"group_size":32,"bits":8,"l":{"group_size":128,"bits":2}}"#)
        == "affine2(group=128)")
    // 7 bits, other products, and groups whose product wraps around.
    for (group, bits) in [
      (36, 7), (32, 4), (0, 4), (-64, -4), (64, 0), (1 << 61, 8), ((1 << 62) + 64, 4), (.max, 2),
    ] {
      #expect(try format(#"{"group_size":\#(group),"bits":\#(bits)}"#) == nil)
    }
  }

  @Test("DeepSeek's blocks of the configuration are within bounds")
  func blocks() throws {
    let stored = safetensors([
      Stored("l.weight", "F8_E4M3", [4, 6], bitWidth: 8),
      Stored("l.weight_scale_inv", [2, 3], [1, 2, 3, 4, 5, 6]),
    ])
    try folder.write(stored, as: "m/model.safetensors")
    func block(_ told: String) throws -> String? {
      try folder.write(
        #"{"quantization_config":{"weight_block_size":\#(told)}}"#, as: "m/config.json")
      return try? ModelCheckpoint(path: folder["m"]).first.quantizedStorage?.format.layout.block.id
    }
    #expect(try block("[2,2]") == "2x2")
    #expect(try block("[3,2]") == "3x2")
    for told in [
      "[1,2]", "[0,2]", "[-2,2]", "[2]", "[2,2,2]", "[9223372036854775807,2]",
      "[2,9223372036854775807]", "[2.5,2]", "{}", "null", "[\"2\",2]",
    ] {
      #expect(try block(told) == nil, "\(told)")
    }
  }
}

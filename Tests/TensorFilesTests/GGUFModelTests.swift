import Testing

@testable import TensorFiles

@Suite("Models split over GGUF files")
struct GGUFModelTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func name(_ index: Int, of count: Int) -> String {
    "m-0000\(index + 1)-of-0000\(count).gguf"
  }

  /// Writes a part whose tensors hold a byte each, their number in the model.
  @discardableResult
  private func write(
    _ index: GGUFValue?, of count: GGUFValue?, tensors: [String], total: Int32? = nil,
    as name: String
  ) throws -> String {
    var metadata = GGUFMetadata()
    metadata.set("part", .string(name))
    if let index { metadata.set("split.no", index) }
    if let count { metadata.set("split.count", count) }
    if let total { metadata.set("split.tensors.count", .int32(total)) }
    var writer = try GGUFWriter(
      path: folder[name], metadata: metadata,
      tensors: tensors.map { GGUFTensorDescription(name: $0, type: .i8, shape: [1]) })
    try writer.write(tensors.flatMap { Array($0.utf8) })
    try writer.commit()
    return folder[name]
  }

  /// Three parts as llama.cpp's tool writes them, the first without tensors.
  private func writeThree() throws -> String {
    for (index, tensors) in [[], ["a", "b"], ["c"]].enumerated() {
      try write(
        .uint16(UInt16(index)), of: .uint16(3), tensors: tensors, total: 3,
        as: name(index, of: 3))
    }
    return folder[name(0, of: 3)]
  }

  private func failure(_ path: String) -> TensorFileError? {
    #expect(throws: TensorFileError.self) { try GGUFModel(path: path) }
  }

  @Test("A single file is a model of one part, whatever its name")
  func single() throws {
    for (index, count) in [(nil, nil), (.uint16(0), .uint16(1))] as [(GGUFValue?, GGUFValue?)] {
      let model = try GGUFModel(path: write(index, of: count, tensors: ["a"], as: "x"))
      #expect(model.parts.count == 1)
      #expect(model.tensors.map(\.part) == [0])
      #expect(model.metadata["part"]?.text == "x")
    }
  }

  @Test("The parts are opened from the first, and their tensors are one list")
  func three() throws {
    let model = try GGUFModel(path: writeThree())
    #expect(model.parts.map(\.path) == (0..<3).map { folder[name($0, of: 3)] })
    #expect(model.tensors.map(\.info.name) == ["a", "b", "c"])
    #expect(model.tensors.map(\.part) == [1, 1, 2])
    #expect(model.metadata["part"]?.text == name(0, of: 3))
    for tensor in model.tensors {
      #expect(model.tensor(named: tensor.info.name) == tensor)
      #expect(try model.bytes(of: tensor) == Array(tensor.info.name.utf8))
      #expect(try model.bytes(of: tensor, in: 1..<1) == [])
    }
    #expect(model.tensor(named: "d") == nil)
  }

  @Test("A part that is missing, another, or not the first is refused by its path")
  func order() throws {
    let first = try writeThree()
    let second = folder[name(1, of: 3)]
    #expect(
      failure(second) == .badHeader(path: second, reason: "is part 2 of 3, which is not the first"))
    try write(.uint16(2), of: .uint16(3), tensors: [], as: name(1, of: 3))
    #expect(failure(first) == .badHeader(path: second, reason: "is part 3 of 3, not part 2 of 3"))
    try write(.uint16(1), of: .uint16(4), tensors: [], as: name(1, of: 3))
    #expect(failure(first) == .badHeader(path: second, reason: "is part 2 of 4, not part 2 of 3"))
    try write(nil, of: nil, tensors: [], as: name(1, of: 3))
    #expect(failure(first) == .badHeader(path: second, reason: "is part 1 of 1, not part 2 of 3"))
    let lonely = try write(.uint16(0), of: .uint16(2), tensors: [], as: name(0, of: 2))
    #expect(failure(lonely) == .missing(path: folder[name(1, of: 2)]))
  }

  @Test("Tensors that occur in two parts, or not at all, are refused")
  func tensors() throws {
    let first = try writeThree()
    let third = name(2, of: 3)
    try write(.uint16(2), of: .uint16(3), tensors: ["b"], as: third)
    #expect(failure(first) == .duplicateTensor(path: folder[third], tensor: "b"))
    try write(.uint16(2), of: .uint16(3), tensors: [], as: third)
    #expect(
      failure(first)
        == .badHeader(
          path: first, reason: "split.tensors.count is 3, but the 3 files have 2 tensors"))
  }

  @Test("Numbers that are none, or beyond their range, are refused")
  func numbers() throws {
    let cases: [(GGUFValue?, GGUFValue?, String)] = [
      (.string("0"), .uint16(2), "split.no is no integer, not from 0 to 65534"),
      (.int32(-1), .uint16(2), "split.no is -1, not from 0 to 65534"),
      (.uint16(0), .uint16(0), "split.count is 0, not from 1 to 65535"),
      (.uint16(0), .uint32(65_536), "split.count is 65536, not from 1 to 65535"),
      (.uint16(2), .uint16(2), "split.no is 2, but split.count is 2"),
      (.uint16(1), nil, "split.no is 1, but split.count is 1"),
    ]
    for (index, count, reason) in cases {
      let path = try write(index, of: count, tensors: [], as: name(0, of: 2))
      #expect(failure(path) == .badHeader(path: path, reason: reason))
    }
  }

  @Test("The first part must be named by the rule, the others are found by it")
  func names() throws {
    for name in ["m.gguf", "m-00001-of-00003.gguf", "-00001-of-00002.gguf", "m-1-of-2.gguf"] {
      let path = try write(.uint16(0), of: .uint16(2), tensors: [], as: name)
      guard name != "-00001-of-00002.gguf" else {
        // The folder is a prefix as well.
        #expect(failure(path) == .missing(path: folder["-00002-of-00002.gguf"]))
        continue
      }
      #expect(
        failure(path)
          == .badHeader(
            path: path, reason: "is part 1 of 2, but not named like NAME-00001-of-00002.gguf"))
    }
    let first = GGUFPartName(path: "a/é-b-00001-of-00012.gguf", index: 0, count: 12)
    #expect(first?.prefix == "a/é-b")
    #expect(GGUFPartName(prefix: "a/é-b", index: 11, count: 12).path == "a/é-b-00012-of-00012.gguf")
    #expect(GGUFPartName(prefix: "p", index: 65_534, count: 65_535).path == "p-65535-of-65535.gguf")
    #expect(GGUFPartName(path: "-00001-of-00002.gguf", index: 0, count: 2) == nil)
  }
}

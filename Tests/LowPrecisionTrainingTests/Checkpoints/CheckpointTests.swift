import Testing

@testable import LowPrecisionTraining
@testable import TensorFiles

@Suite("Checkpoints")
struct CheckpointTests {
  private let folder: TemporaryFolder
  private var path: String { folder["state.safetensors"] }

  init() throws { folder = try TemporaryFolder() }

  private let patterns: [UInt32] = [
    0x7fa1_2345, 0xffc0_0001, 0x8000_0000, 1, 0x7f80_0000, 0x3f80_0001,
  ]

  private var checkpoint: Checkpoint {
    Checkpoint(
      arrays: [
        "layers.0.weight": Checkpoint.Array(
          shape: [2, 3], values: patterns.map(Float.init(bitPattern:))),
        "bias": Checkpoint.Array(shape: [], values: [0.5]),
        "none": Checkpoint.Array(shape: [0, 4], values: []),
      ],
      counters: ["step": .max, "tokens": -3], metadata: ["recipe": "nvfp4 \"β\"\n", "model": ""])
  }

  @Test("What was written comes back bit for bit")
  func roundTrip() throws {
    try checkpoint.write(to: path)
    let shapes = ["layers.0.weight": [2, 3], "bias": [], "none": [0, 4]]
    for read in try [
      Checkpoint(path: path),
      Checkpoint(path: path, expecting: shapes, counters: ["step", "tokens"]),
    ] {
      #expect(read.arrays.mapValues(\.shape) == shapes)
      #expect(read.arrays["layers.0.weight"]?.values.map(\.bitPattern) == patterns)
      #expect(read.arrays["bias"]?.values == [0.5])
      #expect(read.counters == checkpoint.counters)
      #expect(read.metadata == checkpoint.metadata)
    }
  }

  @Test("Equal states give equal files")
  func determinism() throws {
    try checkpoint.write(to: path)
    try checkpoint.write(to: folder["other"])
    let files = try [path, folder["other"]].map { try InputFile(path: $0).bytes() }
    #expect(files[0] == files[1])
  }

  @Test("A second spelling of a name, which would replace the first, is refused")
  func spellings() throws {
    let names = ["\u{e9}", "e\u{301}"]
    try SafetensorsWriter.write(
      names.map { TensorData(name: $0, shape: [1], [1] as [Float]) }, to: path)
    let unexpected = CheckpointError.mismatch(
      path: path, CheckpointMismatch(unexpected: [names[1]]))
    #expect(throws: unexpected) { try Checkpoint(path: path) }
    #expect(throws: unexpected) {
      try Checkpoint(path: path, expecting: [names[0]: [1]], counters: [])
    }
  }

  @Test("All differences to what was expected are listed, sorted by name")
  func mismatch() throws {
    try checkpoint.write(to: path)
    let shapes = ["layers.0.weight": [3, 2], "bias": [], "b": [1], "a": [1]]
    let error = #expect(throws: CheckpointError.self) {
      try Checkpoint(path: path, expecting: shapes, counters: ["step", "epoch"])
    }
    guard case .mismatch(let found, let mismatch) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(found == path)
    #expect(mismatch.missing == ["a", "b", "counter.epoch"])
    #expect(mismatch.unexpected == ["counter.tokens", "none"])
    #expect(mismatch.different.map(\.name) == ["layers.0.weight"])
    #expect(
      error?.description
        == "\(path): missing: a, b, counter.epoch; unexpected: counter.tokens, none; "
        + "different: layers.0.weight is F32[2, 3] instead of F32[3, 2]")
  }

  @Test("Tensors of other types are refused by name")
  func types() throws {
    try SafetensorsWriter.write(
      [
        TensorData(name: "codes\n", shape: [2], [UInt8(1), 2]),
        TensorData(name: "counter.step", shape: [], [Float(1)]),
      ], to: path)
    let error = #expect(throws: CheckpointError.self) { try Checkpoint(path: path) }
    #expect(
      error?.description
        == "\(path): different: codes\\n is U8[2] instead of F32[2], "
        + "counter.step is F32[] instead of I64[]")
    let expected = #expect(throws: CheckpointError.self) {
      try Checkpoint(path: path, expecting: ["codes\n": [2]], counters: ["step"])
    }
    #expect(expected == error)
  }

  @Test("A file that is no checkpoint gives the error of its reader")
  func damaged() throws {
    #expect(throws: CheckpointError.file(.missing(path: path))) { try Checkpoint(path: path) }
    let short = try folder.write([1, 2, 3], as: "short")
    #expect(throws: CheckpointError.file(.headerTruncated(path: short, needed: 8, available: 3))) {
      try Checkpoint(path: short)
    }
  }

  @Test("A state that cannot be written leaves the old one")
  func atomic() throws {
    try checkpoint.write(to: path)
    #expect(throws: TensorFileError.self) {
      try Checkpoint().write(to: folder["no such folder/state"])
    }
    #expect(try Checkpoint(path: path).counters == checkpoint.counters)
  }
}

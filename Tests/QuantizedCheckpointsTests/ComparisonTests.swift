import BlockFormats
import Testing

@testable import QuantizedCheckpoints

@Suite("Comparison of checkpoints")
struct ComparisonTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func open(
    _ tensors: [Stored], configuration: String = "{}", as name: String
  ) throws -> ModelCheckpoint {
    try folder.write(safetensors(tensors), as: "\(name)/model.safetensors")
    try folder.write(configuration, as: "\(name)/config.json")
    return try ModelCheckpoint(path: folder[name])
  }

  @Test(
    "A checkpoint is identical to itself and to a copy, whatever its dialect",
    arguments: ProducerFile.all)
  func identical(_ file: ProducerFile) throws {
    let checkpoint = try ModelCheckpoint(path: file.path)
    let comparison = try checkpoint.compared(to: ModelCheckpoint(path: file.path))
    #expect(comparison.verdict == .identical)
    #expect(comparison.tensors.allSatisfy { $0.verdict == .identical && $0.obstacle == nil })
    #expect(comparison.tensors.count == checkpoint.tensors.count)
  }

  /// MXFP4 of 32 elements in two rows, with one code and scale.
  private func twin(code: UInt8, scale: UInt8, _ name: String) throws -> ModelCheckpoint {
    try open(
      [
        Stored("a.weight", "U8", [2, 16], [UInt8](repeating: code << 4 | code, count: 32)),
        Stored("a.weight_scale", "U8", [2, 1], [scale, scale]),
      ], as: name)
  }

  @Test("Twins are equivalent: a scale one up and codes of half the value")
  func twins() throws {
    // 1 at 2^0 is 0.5 at 2^1; 4 is 2; 6 is 3.
    for (code, half) in [(2, 1), (6, 4), (7, 5), (10, 9), (0, 0), (0, 8)] as [(UInt8, UInt8)] {
      let (a, b) = (try twin(code: code, scale: 127, "a"), try twin(code: half, scale: 128, "b"))
      for (first, second) in [(a, b), (b, a)] {
        let comparison = try first.compared(to: second)
        #expect(comparison.verdict == .equivalent)
        #expect(comparison.tensors[0].differingCount == 0)
        #expect(comparison.tensors[0].firstDifference == nil)
      }
    }
    // 3 has no half.
    let comparison = try twin(code: 5, scale: 127, "a").compared(to: twin(code: 3, scale: 128, "b"))
    #expect(comparison.verdict == .identical || comparison.tensors[0].differingCount == 0)
    let other = try twin(code: 5, scale: 127, "a").compared(to: twin(code: 2, scale: 128, "b"))
    #expect(other.verdict == .different)
    #expect(other.tensors[0].differingCount == 64)
    #expect(other.tensors[0].firstDifference == 0)
    #expect(other.tensors[0].firstValues?.first == 3 && other.tensors[0].firstValues?.second == 2)
    #expect(other.tensors[0].worstDistance == 1)
  }

  @Test("Zeros of either sign are equal, and so are NaN, but NaN is far from numbers")
  func special() throws {
    let nan = Float(bitPattern: 0xFFC0_0001)
    let a = try open([Stored("a", [5], [0, -0.0, .nan, 1, .infinity])], as: "a")
    let b = try open([Stored("a", [5], [-0.0, 0, nan, 1, .infinity])], as: "b")
    #expect(try a.compared(to: b).verdict == .equivalent)
    let c = try open([Stored("a", [5], [0, 0, 7, 1, -.infinity])], as: "c")
    let comparison = try a.compared(to: c).tensors[0]
    #expect(comparison.verdict == .different)
    #expect(comparison.differingCount == 2 && comparison.firstDifference == 2)
    #expect(comparison.worstDistance == .infinity)
    let d = try open([Stored("a", [5], [0, 0, .nan, 1.5, .infinity])], as: "d")
    #expect(try a.compared(to: d).tensors[0].worstDistance == 0.5)
  }

  @Test("Tensors that one of both lacks make them different, and are named")
  func missing() throws {
    let a = try open([Stored("a", [1], [1]), Stored("b", [1], [1])], as: "a")
    let b = try open([Stored("b", [1], [1]), Stored("c", [1], [1])], as: "b")
    let comparison = try a.compared(to: b)
    #expect(comparison.verdict == .different)
    #expect(comparison.missing == ["a"] && comparison.additional == ["c"])
    #expect(comparison.tensors.map(\.name) == ["b"])
    #expect(comparison.tensors[0].verdict == .identical)
    // Names are told apart by their bytes.
    let c = try open([Stored("\u{E9}", [1], [1])], as: "c")
    let d = try open([Stored("e\u{301}", [1], [1])], as: "d")
    #expect(try c.compared(to: d).missing == ["\u{E9}"])
  }

  @Test("Other shapes, and other bytes of what has no values, are obstacles")
  func obstacles() throws {
    let a = try open([Stored("a", [2, 3], [1, 2, 3, 4, 5, 6])], as: "a")
    let b = try open([Stored("a", [3, 2], [1, 2, 3, 4, 5, 6])], as: "b")
    let shapes = try a.compared(to: b).tensors[0]
    #expect(shapes.verdict == .different && shapes.obstacle == "shape [2, 3] and [3, 2]")
    let c = try open([Stored("a", "I64", [1], bitWidth: 64)], as: "c")
    let d = try open([Stored("a", "I64", [1], [UInt8](repeating: 0, count: 8))], as: "d")
    #expect(try c.compared(to: c).verdict == .identical)
    #expect(try c.compared(to: d).tensors[0].obstacle == "other bytes")
    // The same values in another type.
    let e = try open(
      [
        Stored(
          "a", "BF16", [2, 3],
          [1, 2, 3, 4, 5, 6].flatMap { (value: Float) in
            [
              UInt8(truncatingIfNeeded: value.bitPattern >> 16),
              UInt8(truncatingIfNeeded: value.bitPattern >> 24),
            ]
          })
      ], as: "e")
    #expect(try a.compared(to: e).verdict == .equivalent)
  }

  @Test("What nothing reads is compared by its bytes")
  func unread() throws {
    func checkpoint(_ code: UInt8, _ name: String) throws -> ModelCheckpoint {
      let checkpoint = try open(
        [Stored("a.weight_packed", "U8", [2], [code, 1]), Stored("b", [1], [1])], as: name)
      #expect(checkpoint.inventory.findings.count == 1)
      return checkpoint
    }
    let a = try checkpoint(1, "a")
    #expect(try a.compared(to: checkpoint(1, "b")).verdict == .identical)
    let other = try a.compared(to: checkpoint(2, "c"))
    #expect(other.verdict == .different)
    #expect(other.tensors.map(\.obstacle) == [nil, "other bytes"])
    let plain = try open([Stored("b", [1], [1])], as: "d")
    #expect(try a.compared(to: plain).missing == ["a.weight_packed"])
    #expect(try plain.compared(to: a).additional == ["a.weight_packed"])
  }

  @Test("The same bytes are not identical where a configuration reads them as other values")
  func readAlike() throws {
    let tensors = [
      Stored("l.weight", "U32", [2, 8], bitWidth: 32), Stored("l.scales", [2, 1], [1, 2]),
      Stored("l.biases", [2, 1], [0, 0]),
    ]
    func checkpoint(_ group: Int, _ bits: Int, _ name: String) throws -> ModelCheckpoint {
      try open(
        tensors, configuration: #"{"quantization":{"group_size":\#(group),"bits":\#(bits)}}"#,
        as: name)
    }
    let four = try checkpoint(64, 4, "a")
    #expect(try four.compared(to: checkpoint(64, 4, "b")).verdict == .identical)
    #expect(try four.compared(to: checkpoint(32, 8, "c")).verdict == .different)
    // bitsandbytes tells the shape in JSON beside the codes.
    func shaped(_ shape: String, _ name: String) throws -> ModelCheckpoint {
      let text = Array(#"{"blocksize":64,"shape":\#(shape)}"#.utf8)
      return try open(
        [
          Stored("w", "U8", [128, 1], bitWidth: 8), Stored("w.absmax", [4], [1, 2, 3, 4]),
          Stored("w.quant_map", [16], (0..<16).map { Float(ElementFormat.nf4.value(of: $0)) }),
          Stored("w.quant_state.bitsandbytes__nf4", "U8", [text.count], text),
        ], as: name)
    }
    #expect(try shaped("[4,64]", "d").compared(to: shaped("[64,4]", "e")).verdict == .different)
    #expect(try shaped("[4,64]", "d").compared(to: shaped("[4, 64]", "e")).verdict == .equivalent)
    // A scale of activations belongs to the weight.
    func activated(_ scale: Float, _ name: String) throws -> ModelCheckpoint {
      try open(
        [
          Stored("a.weight", "F8_E4M3", [2, 2], bitWidth: 8), Stored("a.weight_scale", [], [1]),
          Stored("a.input_scale", [], [scale]),
        ], as: name)
    }
    #expect(try activated(1, "f").compared(to: activated(2, "g")).verdict == .equivalent)
  }
}

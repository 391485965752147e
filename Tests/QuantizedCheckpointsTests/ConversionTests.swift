import BlockFormats
import FormatTestSupport
import TensorFiles
import Testing

@testable import QuantizedCheckpoints

@Suite("Conversion between dialects")
struct ConversionTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func target(_ dialect: Dialect, _ name: String) -> String {
    folder[name + (dialect == .ggml ? ".gguf" : ".safetensors")]
  }

  /// Converts, and checks that the checkpoint reads what was written as the same values.
  private func converted(
    _ checkpoint: ModelCheckpoint, to dialect: Dialect, as name: String
  ) throws -> ModelCheckpoint {
    let conversion = try checkpoint.conversion(to: dialect)
    #expect(conversion.isLossless, "\(dialect): \(conversion.decisions.map(\.outcome))")
    #expect(conversion.blockCounts.lossless == conversion.blockCounts.all)
    try checkpoint.write(conversion, to: target(dialect, name))
    let result = try ModelCheckpoint(path: target(dialect, name))
    #expect(result.first.quantizedStorage?.dialect == dialect || dialect == .quark)
    let comparison = try checkpoint.compared(to: result)
    #expect(comparison.verdict != .different)
    return result
  }

  @Test(
    "MXFP4 goes around all dialects that have it and comes back as it was",
    arguments: [
      "modelopt/mxfp4.safetensors", "torchao/mxfp4_floor.safetensors", "mlx/mxfp4.safetensors",
      "gguf-py/MXFP4.gguf", "compressed-tensors/mxfp4a16",
    ])
  func mxfp4(_ name: String) throws {
    let source = try ModelCheckpoint(path: VectorFile.path(of: "checkpoints/" + name))
    let home = try #require(source.first.quantizedStorage?.dialect)
    var current = source
    for (index, dialect) in [
      .torchao, .mlx, .ggml, .compressedTensors, .quark, .modelOpt, home,
    ].enumerated() {
      current = try converted(current, to: dialect, as: "\(index)")
    }
    let end = try source.compared(to: current)
    #expect(end.verdict == .identical)
  }

  @Test("NVFP4 goes from ModelOpt to torchao and back in the same bytes")
  func nvfp4() throws {
    let source = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/modelopt/nvfp4.safetensors"))
    var current = source
    for (index, dialect) in [.torchao, .modelOpt].enumerated() as EnumeratedSequence<[Dialect]> {
      current = try converted(current, to: dialect, as: "\(index)")
    }
    #expect(try source.compared(to: current).verdict == .identical)
    // Scales in tiles become scales in rows.
    let tiles = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/torchao/nvfp4_swizzled-normal64x256.safetensors"))
    let rows = try converted(tiles, to: .torchao, as: "rows")
    let expected = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/torchao/nvfp4-normal64x256.safetensors"))
    #expect(try rows.compared(to: expected).verdict == .identical)
  }

  @Test("The blocks that are called lossless are those that decode to the same values")
  func counts() throws {
    for name in [
      "modelopt/nvfp4.safetensors", "compressed-tensors/nvfp4a16", "mlx/nvfp4_global.safetensors",
      "ggml-c/NVFP4.gguf", "mlx/nvfp4.safetensors",
    ] {
      let source = try ModelCheckpoint(path: VectorFile.path(of: "checkpoints/" + name))
      for dialect in [Dialect.modelOpt, .compressedTensors, .mlx, .torchao, .ggml] {
        let conversion = try source.conversion(to: dialect)
        guard case .relabelled(let lossless, let all) = conversion.decisions[0].outcome else {
          continue
        }
        try source.write(conversion, to: target(dialect, "a"))
        let (before, after) = (
          try source.first.dequantized().elements,
          try ModelCheckpoint(path: target(dialect, "a")).first.dequantized().elements
        )
        let length = try #require(source.first.quantizedStorage?.format.layout.block.elementCount)
        #expect(all == before.count / length)
        let equal = stride(from: 0, to: before.count, by: length).count {
          before[$0..<$0 + length] == after[$0..<$0 + length]
        }
        #expect(lossless == equal, "\(name) to \(dialect)")
        #expect(conversion.isLossless == (lossless == all))
      }
    }
  }

  @Test("What a dialect has no place for is impossible, and becomes values where it is written")
  func impossible() throws {
    let source = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/bitsandbytes/nf4.safetensors"))
    for dialect in Dialect.allCases where dialect != .bitsandbytes {
      let conversion = try source.conversion(to: dialect)
      #expect(!conversion.isLossless && conversion.blockCounts.all == 0)
      try source.write(conversion, to: target(dialect, "a"))
      let result = try ModelCheckpoint(path: target(dialect, "a"))
      #expect(result.first.quantizedStorage == nil)
      #expect(try result.allValues() == source.allValues())
    }
  }

  @Test("A name for GGUF and another dialect, or the other way round, is refused")
  func endings() throws {
    let source = try ModelCheckpoint(
      path: VectorFile.path(of: "checkpoints/modelopt/mxfp4.safetensors"))
    for (dialect, name) in [(Dialect.mlx, "a.gguf"), (.ggml, "a.safetensors"), (.ggml, "a")] {
      let conversion = try source.conversion(to: dialect)
      #expect(throws: ModelCheckpointError.self) {
        try source.write(conversion, to: folder[name])
      }
      #expect(try folder.names() == [])
    }
  }

  @Test("Experts of gpt-oss keep their axes: no other dialect exchanges them")
  func orientation() throws {
    let source = try ModelCheckpoint(path: VectorFile.path(of: "checkpoints/gpt-oss/mxfp4"))
    for dialect in Dialect.allCases {
      let conversion = try source.conversion(to: dialect)
      try source.write(conversion, to: target(dialect, "a"))
      let result = try ModelCheckpoint(path: target(dialect, "a"))
      let comparison = try source.compared(to: result)
      #expect(comparison.verdict != .different, "\(dialect)")
      #expect(conversion.isLossless == (dialect == .gptOSS))
    }
  }
}

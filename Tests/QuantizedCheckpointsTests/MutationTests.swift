import BlockFormats
import FormatTestSupport
import Foundation
import TensorFiles
import Testing

@testable import QuantizedCheckpoints

/// A checkpoint to be damaged: files of a folder by their names, and safetensors files as tensors, too.
private struct Seed: Sendable {
  var files: [(name: String, bytes: [UInt8])]
  /// The tensors of the first file, where it is a safetensors file.
  var tensors: [Stored] = []
  var metadata: [(String, String)] = []

  /// The files of vectors, and one in shards with an index.
  static func all() throws -> [Seed] {
    var seeds: [Seed] = []
    for file in ProducerFile.all {
      let path = try file.path
      if path.hasSuffix(".gguf") {
        seeds.append(Seed(files: [("model.gguf", try bytes(path))]))
      } else if path.hasSuffix(".safetensors") {
        seeds.append(try Seed(safetensors: path, configuration: nil))
      } else {
        seeds.append(
          try Seed(
            safetensors: path + "/model.safetensors", configuration: bytes(path + "/config.json")))
      }
    }
    for layout in LayoutCase.all where layout.contents.count < 2000 {
      let path = NSTemporaryDirectory() + "seed-\(UInt64.random(in: 0...UInt64.max)).safetensors"
      try Data(layout.contents).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      seeds.append(try Seed(safetensors: path, configuration: Array(layout.configuration.utf8)))
    }
    for format in ["mxfp4", "nvfp4", "bf16"] {
      let path = try VectorFile.path(of: "quantized/0.1.0-\(format).safetensors")
      seeds.append(try Seed(safetensors: path, configuration: nil))
    }
    for archive in try VectorFile.load(ArchiveVectors.self, from: "npz/archives.json").cases
    where archive.archive.count < 4000 {
      seeds.append(Seed(files: [("model.npz", Array(archive.archive))]))
    }
    seeds.append(
      Seed(files: [("model.npy", try bytes(VectorFile.path(of: "checkpoints/input.npy")))]))
    // Names that have counterparts in GGUF files, in a model whose rows change places there.
    let attention = "model.layers.0.self_attn."
    for scale in ["U8", "F8_E4M3"] {
      let path = NSTemporaryDirectory() + "seed-\(UInt64.random(in: 0...UInt64.max)).safetensors"
      let contents = safetensors([
        Stored("model.embed_tokens.weight", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]),
        Stored(attention + "q_proj.weight", "U8", [8, 16], bitWidth: 8),
        Stored(
          attention + "q_proj.weight_scale", scale, [8, scale == "U8" ? 1 : 2], bitWidth: 8),
        Stored(attention + "k_proj.weight", "BF16", [4, 3], bitWidth: 16),
        Stored(attention + "q_proj.bias", [8], [1, 2, 3, 4, 5, 6, 7, 8]),
      ])
      try Data(contents).write(to: URL(fileURLWithPath: path))
      defer { try? FileManager.default.removeItem(atPath: path) }
      let text = #"{"model_type":"llama","num_attention_heads":4,"num_key_value_heads":2}"#
      seeds.append(try Seed(safetensors: path, configuration: Array(text.utf8)))
    }
    let shards = (0..<2).map { "model-0000\($0 + 1)-of-00002.safetensors" }
    let index =
      #"{"metadata":{"total_size":24},"weight_map":{"a.weight":"\#(shards[0])","b":"\#(shards[1])"}}"#
    for _ in 0..<3 {
      seeds.append(
        Seed(files: [
          ("model.safetensors.index.json", Array(index.utf8)),
          (shards[0], safetensors([Stored("a.weight", [2, 2], [1, 2, 3, 4])])),
          (shards[1], safetensors([Stored("b", [2], [1, 2])])),
        ]))
    }
    return seeds
  }

  private static func bytes(_ path: String) throws -> [UInt8] {
    try Array(Data(contentsOf: URL(fileURLWithPath: path)))
  }

  init(files: [(name: String, bytes: [UInt8])]) { self.files = files }

  init(safetensors path: String, configuration: [UInt8]?) throws {
    files = [("model.safetensors", try Self.bytes(path))]
    if let configuration { files.append(("config.json", configuration)) }
    let file = try SafetensorsFile(path: path)
    tensors = try file.tensors.map {
      Stored($0.name, $0.dtype.rawValue, $0.shape, try file.bytes(of: $0))
    }
    metadata = file.metadata.sorted { $0.key < $1.key }
  }

  /// The files, one or two of them damaged.
  func damaged(by mutator: inout Mutator) -> [(name: String, bytes: [UInt8])] {
    var files = files
    for _ in 0..<1 + mutator.below(5) / 4 {
      let index = mutator.below(files.count)
      let bytes = files[index].bytes
      switch (files[index].name, mutator.below(6)) {
      case (_, 0): files[index].bytes = mutator.damaged(bytes)
      case ("config.json", _), ("model.safetensors.index.json", _):
        files[index].bytes = mutator.damagedJSON(bytes)
      case ("model.safetensors", 1) where bytes.count > 8:
        let end = min(
          bytes.count, 8 + bytes[..<8].reversed().reduce(0) { $0 << 8 & 0xFFFF | Int($1) })
        var header = mutator.damagedJSON(Array(bytes[8..<end]))
        if header.count % 8 != 0 {
          header += [UInt8](repeating: 0x20, count: 8 - header.count % 8)
        }
        files[index].bytes =
          (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header
          + bytes[end...]
      case ("model.safetensors", _) where !tensors.isEmpty:
        let metadata = metadata.map { pair in
          mutator.below(4) == 0
            ? (pair.0, String(decoding: mutator.damagedJSON(Array(pair.1.utf8)), as: UTF8.self))
            : pair
        }
        files[index].bytes = safetensors(mutator.damaged(tensors), metadata: metadata)
      default: files[index].bytes = mutator.damaged(bytes)
      }
    }
    return files
  }
}

/// What became of damaged checkpoints.
private struct Outcomes {
  var opened = 0
  var refused = 0
  var quantized = 0
  var decoded = 0
  var converted = 0
}

@Suite("Damaged checkpoints", .serialized)
struct MutationTests {
  private static let variable = "BLOCKFORMATS_CHECKPOINT_CASES"

  /// The cases to run: few in a standard run, as many as the environment says in a deep one.
  private static var caseCount: Int {
    let told = ProcessInfo.processInfo.environment[variable].flatMap { Int($0) }
    return Intensity.isDeep ? told ?? 100_000 : 250
  }

  @Test("A damaged checkpoint is refused in one line, or read within bounds")
  func damaged() throws {
    let folder = try TemporaryFolder()
    let seeds = try Seed.all()
    let first =
      ProcessInfo.processInfo.environment[Self.variable + "_FROM"].flatMap { Int($0) } ?? 0
    var outcomes = Outcomes()
    var slowest = (case: 0, seconds: 0.0)
    for index in first..<first + Self.caseCount {
      var mutator = Mutator(seed: UInt64(index))
      let files = mutator.pick(seeds).damaged(by: &mutator)
      for file in files { write(file.bytes, folder[file.name]) }
      let path =
        files.count > 1 || files[0].name == "model.safetensors"
        ? folder.path : folder[files[0].name]
      let clock = ContinuousClock()
      let start = clock.now
      read(path, folder, &mutator, index, &outcomes)
      let seconds = (clock.now - start) / .seconds(1)
      if seconds > slowest.seconds { slowest = (index, seconds) }
      for file in files { unlink(folder[file.name]) }
      if (index - first + 1) % 250_000 == 0 { print("\(index - first + 1) damaged checkpoints") }
    }
    print("damaged checkpoints:", outcomes, "slowest:", slowest, "peak KiB:", Self.peakMemory)
    #expect(outcomes.opened > Self.caseCount / 20 && outcomes.refused > Self.caseCount / 20)
    #expect(outcomes.decoded > Self.caseCount / 50 && outcomes.converted > 0)
    if Intensity.isDeep {
      #expect(slowest.seconds < 1, "case \(slowest.case)")
      #expect(Self.peakMemory < 1 << 20, "more than 1 GiB")
    }
  }

  /// The most memory that the process has had, in KiB.
  private static var peakMemory: Int {
    var usage = rusage()
    #if canImport(Darwin)
    getrusage(RUSAGE_SELF, &usage)
    return usage.ru_maxrss / 1024
    #else
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
    #endif
  }

  /// Creates or replaces a file, without the care of Foundation, which costs more than reading it.
  private func write(_ bytes: [UInt8], _ path: String) {
    let file = fopen(path, "w")
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  private func read(
    _ path: String, _ folder: TemporaryFolder, _ mutator: inout Mutator, _ index: Int,
    _ outcomes: inout Outcomes
  ) {
    do throws(ModelCheckpointError) {
      let checkpoint = try ModelCheckpoint(path: path)
      outcomes.opened += 1
      for finding in checkpoint.inventory.findings { check(finding.reason, index) }
      for tensor in checkpoint.tensors {
        if !tensor.reason.isEmpty { check(tensor.reason, index) }
        if tensor.quantizedStorage != nil { outcomes.quantized += 1 }
        guard tensor.elementCount <= 1 << 16 else { continue }
        do throws(ModelCheckpointError) {
          let values = try tensor.dequantized(parallelism: .threads(1))
          #expect(values.shape == tensor.shape && values.elements.count == tensor.elementCount)
          outcomes.decoded += 1
        } catch { check(error.description, index) }
      }
      guard checkpoint.tensors.allSatisfy({ $0.elementCount <= 1 << 16 }) else { return }
      try use(checkpoint, folder, &mutator, &outcomes)
    } catch {
      outcomes.refused += 1
      check(error.description, index)
    }
  }

  /// Compares, converts, quantizes or writes a checkpoint.
  private func use(
    _ checkpoint: ModelCheckpoint, _ folder: TemporaryFolder, _ mutator: inout Mutator,
    _ outcomes: inout Outcomes
  ) throws(ModelCheckpointError) {
    let dialect = mutator.pick(Dialect.allCases)
    let target = folder[dialect == .ggml ? "target.gguf" : "target.safetensors"]
    defer { unlink(target) }
    switch mutator.below(8) {
    case 0:
      let comparison = try checkpoint.compared(to: checkpoint, parallelism: .threads(1))
      #expect(comparison.missing == [] && comparison.additional == [])
      #expect(comparison.tensors.allSatisfy { $0.verdict != .different || $0.obstacle != nil })
    case 1:
      let conversion = try checkpoint.conversion(to: dialect, parallelism: .threads(1))
      outcomes.converted += 1
      if mutator.below(3) == 0 {
        try checkpoint.write(conversion, to: target, parallelism: .threads(1))
        _ = try ModelCheckpoint(path: target)
      }
    case 2:
      let name = mutator.pick(["mxfp4", "nvfp4", "fp8", "affine4", "nf4", "mxfp8", "q8_0", "mxfp6"])
      guard let format = try? dialect.format(named: name) else { return }
      var request = QuantizationRequest(dialect: dialect, format: format)
      request.requantization = .allowed
      request.parallelism = .threads(1)
      let plan = try checkpoint.plan(request)
      #expect(plan.decisions.count == checkpoint.tensors.count)
      try checkpoint.write(plan, to: target)
      _ = try ModelCheckpoint(path: target)
    case 3:
      let target = folder["values.safetensors"]
      defer { unlink(target) }
      try checkpoint.writeValues(to: target, parallelism: .threads(1))
      let copy = try ModelCheckpoint(path: target)
      #expect(copy.tensors.count == checkpoint.tensors.count)
    case 4:
      let renamed = try checkpoint.renamed(checkpoint.nameScheme == .gguf ? .huggingFace : .gguf)
      #expect(renamed.tensors.count == checkpoint.tensors.count)
      for tensor in renamed.tensors { _ = try tensor.dequantized(parallelism: .threads(1)) }
      // Without embeddings, nothing tells whose names they are.
      if checkpoint.nameScheme != .keep {
        #expect(try checkpoint.compared(to: renamed).missing == [])
      }
    default: break
    }
  }

  /// Errors and findings are one line, and not a long one.
  private func check(_ text: String, _ index: Int) {
    let isLine =
      !text.isEmpty && text.utf8.count < 6000 && !text.unicodeScalars.contains { $0.value < 32 }
    #expect(isLine, "case \(index): \(text.prefix(200))")
  }
}

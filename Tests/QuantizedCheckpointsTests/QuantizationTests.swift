import BlockFormats
import Foundation
import Testing

@testable import QuantizedCheckpoints

@Suite("Quantization of checkpoints")
struct QuantizationTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private static let layer = "model.layers.0."

  /// A small model in a folder: two matrices, and what is left alone by default.
  private func model(_ more: [Stored] = []) throws -> ModelCheckpoint {
    let tensors =
      [
        Stored("model.embed_tokens.weight", [8, 64], values(512, seed: 1)),
        Stored(Self.layer + "mlp.up_proj.weight", [4, 64], values(256, seed: 2)),
        Stored(Self.layer + "mlp.gate_proj.weight", [4, 64], values(256, seed: 3).map { 9 * $0 }),
        Stored(Self.layer + "mlp.down_proj.weight", [64, 4], values(256, seed: 4)),
        Stored(Self.layer + "input_layernorm.weight", [64], values(64, seed: 5)),
        Stored(Self.layer + "mlp.up_proj.bias", [4], values(4, seed: 6)),
        Stored("lm_head.weight", [8, 64], values(512, seed: 7)),
      ] + more
    try folder.write(safetensors(tensors), as: "m/model.safetensors")
    try folder.write(#"{"model_type":"x","hidden_size":64}"#, as: "m/config.json")
    try folder.write("words", as: "m/tokenizer.txt")
    try folder.write([], as: "m/empty.txt")
    return try ModelCheckpoint(path: folder["m"])
  }

  private func request(_ dialect: Dialect, _ format: String) throws -> QuantizationRequest {
    var request = QuantizationRequest(dialect: dialect, format: try dialect.format(named: format))
    request.parallelism = .threads(1)
    return request
  }

  private func quantized(_ plan: QuantizationPlan) -> [String] {
    plan.decisions.filter { if case .quantized = $0.outcome { true } else { false } }
      .map { $0.tensor.name.replacing(Self.layer, with: "") }
  }

  @Test(
    "Embeddings, norms, biases, the output layer and rows that are no blocks are kept by default")
  func defaults() throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.modelOpt, "mxfp4"))
    #expect(quantized(plan) == ["mlp.up_proj.weight", "mlp.gate_proj.weight"])
    let kept = plan.decisions.compactMap { decision -> String? in
      guard case .kept(let reason) = decision.outcome else { return nil }
      return reason
    }
    #expect(kept.count(where: { $0 == "by default" }) == 4)
    #expect(kept.count(where: { $0 == "rows of 4 are no whole blocks of 32" }) == 1)
    #expect(plan.bitsPerQuantizedElement == 4.25)
    #expect(plan.byteCount == plan.decisions.reduce(0) { $0 + $1.byteCount })
  }

  @Test("What is asked for is included and excluded, whatever the default")
  func choices() throws {
    let checkpoint = try model()
    var request = try request(.modelOpt, "mxfp4")
    request.isChosen = { $0.contains("embed") ? true : $0.contains("up_proj") ? false : nil }
    #expect(
      try quantized(checkpoint.plan(request)) == [
        "model.embed_tokens.weight", "mlp.gate_proj.weight",
      ])
    request.isChosen = { _ in false }
    let error = #expect(throws: ModelCheckpointError.self) { try checkpoint.plan(request) }
    #expect(error?.description.contains("no tensor is left to quantize") == true)
    request.isChosen = { _ in true }
    // A norm of 64 numbers is one row, and a bias no weight.
    #expect(try quantized(checkpoint.plan(request)).count == 5)
    struct Refusal: Error {}
    request.isChosen = { _ in throw Refusal() }
    #expect(throws: ModelCheckpointError.self) { try checkpoint.plan(request) }
  }

  @Test(
    "A quantized folder has the configuration of its dialect, the other files, and the same values")
  func folders() throws {
    let checkpoint = try model()
    for (dialect, format, method) in [
      (Dialect.modelOpt, "nvfp4", "modelopt"), (.compressedTensors, "nvfp4", "compressed-tensors"),
      (.mlx, "mxfp4", nil), (.quark, "mxfp4", "quark"), (.bitsandbytes, "nf4", "bitsandbytes"),
      (.torchao, "nvfp4", nil),
    ] {
      let target = folder["out-\(dialect)"]
      let plan = try checkpoint.plan(request(dialect, format))
      let qualities = try checkpoint.write(plan, to: target)
      let result = try ModelCheckpoint(path: target)
      #expect(result.inventory.findings == [])
      #expect(result.tensors.map(\.name).sorted() == checkpoint.tensors.map(\.name).sorted())
      #expect(result.files.configuration.method == method)
      #expect(result.files.configuration.config?["hidden_size"]?.integer == 64)
      #expect(try folder.read("out-\(dialect)/tokenizer.txt") == Array("words".utf8))
      #expect(try folder.read("out-\(dialect)/empty.txt") == [])
      #expect(qualities.map(\.name).sorted() == quantizedNames(plan).sorted())
      for quality in qualities {
        let before = try #require(checkpoint.tensor(named: quality.name)).dequantized().elements
        let after = try #require(result.tensor(named: quality.name)).dequantized().elements
        let noise = zip(before, after).reduce(0.0) { sum, pair in
          sum + (Double(pair.0) - Double(pair.1)) * (Double(pair.0) - Double(pair.1))
        }
        #expect(result.tensor(named: quality.name)?.quantizedStorage?.dialect == dialect)
        #expect(abs(quality.noise - noise) <= 1e-5 * noise)
        #expect(quality.noise < 0.02 * quality.signal && quality.noise > 0)
      }
    }
  }

  private func quantizedNames(_ plan: QuantizationPlan) -> [String] {
    plan.decisions.filter { if case .quantized = $0.outcome { true } else { false } }.map(
      \.tensor.name)
  }

  @Test("Gate and up share ModelOpt's scale of the tensor, which is that of the larger one")
  func shared() throws {
    let checkpoint = try model()
    try checkpoint.write(checkpoint.plan(request(.modelOpt, "nvfp4")), to: folder["a.safetensors"])
    let result = try ModelCheckpoint(path: folder["a.safetensors"])
    let scales = try ["up_proj", "gate_proj"].map { name in
      try #require(
        result.files.stored.first { $0.name == "\(Self.layer)mlp.\(name).weight_scale_2" }
      ).floats(in: 0..<1)[0]
    }
    let largest = values(256, seed: 3).map { abs(9 * $0) }.max() ?? 0
    #expect(scales == [largest / 2688, largest / 2688])
  }

  @Test("What is quantized already is refused, or decoded and encoded again if that is allowed")
  func again() throws {
    let checkpoint = try model()
    try checkpoint.write(checkpoint.plan(request(.modelOpt, "mxfp8")), to: folder["a.safetensors"])
    let once = try ModelCheckpoint(path: folder["a.safetensors"])
    var request = try request(.modelOpt, "mxfp4")
    let error = #expect(throws: ModelCheckpointError.self) { try once.plan(request) }
    #expect(error?.description.contains("is quantized already (mxfp8_e4m3)") == true)
    request.requantization = .allowed
    try once.write(once.plan(request), to: folder["b.safetensors"])
    let twice = try ModelCheckpoint(path: folder["b.safetensors"])
    #expect(twice.tensors.compactMap { $0.quantizedStorage?.format.id } == ["mxfp4", "mxfp4"])
  }

  @Test("Experts of gpt-oss are stored with their axes exchanged, and read as they were")
  func experts() throws {
    let name = "model.layers.0.mlp.experts.down_proj"
    let numbers = (0..<2 * 64 * 3).map { Float([1, -2, 3, 4, -6][$0 % 5] << ($0 / 192)) }
    let path = try folder.write(
      safetensors([Stored(name, [2, 64, 3], numbers)]), as: "a.safetensors")
    let checkpoint = try ModelCheckpoint(path: path)
    var request = try request(.gptOSS, "mxfp4")
    request.isChosen = { _ in true }
    try checkpoint.write(checkpoint.plan(request), to: folder["b.safetensors"])
    let result = try ModelCheckpoint(path: folder["b.safetensors"])
    #expect(result.files.stored.map(\.shape) == [[2, 3, 2, 16], [2, 3, 2]])
    #expect(try checkpoint.compared(to: result).verdict == .equivalent)
    request.requantization = .allowed
    try result.write(result.plan(request), to: folder["c.safetensors"])
    #expect(
      try result.compared(to: ModelCheckpoint(path: folder["c.safetensors"])).verdict == .identical)
  }

  @Test("What no reader could tell from something else is not written")
  func ambiguous() throws {
    let checkpoint = try model()
    #expect(throws: ModelCheckpointError.self) {
      try checkpoint.plan(request(.quark, "mxfp6_e3m2"))
    }
  }

  @Test(
    "Tensors whose parts would have the name of another one are refused before anything is written")
  func collision() throws {
    let checkpoint = try model([Stored(Self.layer + "mlp.up_proj.weight_scale", [1], [1])])
    let plan = try checkpoint.plan(request(.modelOpt, "mxfp4"))
    for target in ["out", "out.safetensors"] {
      let error = #expect(throws: ModelCheckpointError.self) {
        try checkpoint.write(plan, to: folder[target])
      }
      #expect(error?.description.contains("two tensors would have this name") == true)
    }
    #expect(try folder.names() == ["m"])
  }

  // MARK: Folders in several files

  @Test(
    "Small files have an index that holds, and the same tensors as one file",
    arguments: [1, 300, 900, 4000])
  func shards(_ limit: Int) throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.compressedTensors, "mxfp4"))
    try checkpoint.write(plan, to: folder["one.safetensors"])
    try checkpoint.write(plan, to: folder["out"], folder: FolderWork(fileByteLimit: limit))
    let (one, many) = (
      try ModelCheckpoint(path: folder["one.safetensors"]), try ModelCheckpoint(path: folder["out"])
    )
    #expect(try one.allBytes() == many.allBytes())
    let count = many.filePaths.count
    #expect(count > 1 && count <= 7)
    let names = try folder.names(in: "out").filter { $0.hasSuffix(".safetensors") }
    #expect(names == (1...count).map { "model-0000\($0)-of-0000\(count).safetensors" })
    let index = try ShardIndex(path: folder["out/\(ShardIndex.name)"])
    #expect(index.files.count == many.files.stored.count)
    #expect(try folder.names() == ["m", "one.safetensors", "out"])
  }

  private struct Stop: Error {}

  @Test("What stopped goes on with the files that are there, and makes what one run makes")
  func resumed() throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.compressedTensors, "mxfp4"))
    let work = FolderWork(fileByteLimit: 300)
    try checkpoint.write(plan, to: folder["whole"], folder: work)
    // A folder in the place of the fourth file stops the run there.
    let count = try ModelCheckpoint(path: folder["whole"]).filePaths.count
    let obstacle = "out.partial/model-00004-of-0000\(count).safetensors"
    _ = try folder.makeFolder(obstacle)
    #expect(throws: ModelCheckpointError.self) {
      try checkpoint.write(plan, to: folder["out"], folder: work)
    }
    #expect(!FileManager.default.fileExists(atPath: folder["out"]))
    let begun = try folder.names(in: "out.partial").filter { $0.hasPrefix("model-") }
    #expect(begun.count == 4)
    // Other work does not go on from there.
    let other = try checkpoint.plan(request(.compressedTensors, "mxfp8"))
    for (plan, work) in [(other, work), (plan, FolderWork(fileByteLimit: 900))] {
      let error = #expect(throws: ModelCheckpointError.self) {
        try checkpoint.write(plan, to: folder["out"], folder: work)
      }
      #expect(error?.description.contains("holds the beginning of other work") == true)
    }
    try FileManager.default.removeItem(atPath: folder[obstacle])
    // A file that is there is not written again: what it holds now stays.
    let first = "model-00001-of-0000\(count).safetensors"
    let before = try FileManager.default.attributesOfItem(atPath: folder["out.partial/\(first)"])
    var written: [String] = []
    try checkpoint.write(plan, to: folder["out"], folder: work) { progress in
      if let tensor = progress.tensor { written.append(tensor) }
    }
    // The tensors of the three files that were there are passed over.
    let passed = try begun[..<3].reduce(0) {
      $0 + (try ModelCheckpoint(path: folder["whole/\($1)"]).tensors.count)
    }
    #expect(written.count == checkpoint.tensors.count - passed)
    let after = try FileManager.default.attributesOfItem(atPath: folder["out/\(first)"])
    #expect(before[.systemFileNumber] as? Int == after[.systemFileNumber] as? Int)
    #expect(try folder.names(in: "out") == folder.names(in: "whole"))
    for name in try folder.names(in: "whole") {
      #expect(try folder.read("out/\(name)") == folder.read("whole/\(name)"), "\(name)")
    }
    #expect(try !folder.names().contains("out.partial"))
  }

  @Test("A folder that another one writes is left to it")
  func locked() throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.modelOpt, "mxfp4"))
    let lock = try FolderLock(Folder(folder["out.partial"]), .exclusive)
    let error = #expect(throws: ModelCheckpointError.self) {
      try checkpoint.write(plan, to: folder["out"])
    }
    #expect(error?.description.contains("is being written by another process") == true)
    lock.release()
    try checkpoint.write(plan, to: folder["out"])
    #expect(try ModelCheckpoint(path: folder["out"]).inventory.quantizedCount == 2)
  }

  @Test("Nothing is written over: not a folder, a file or a link that leads nowhere")
  func existing() throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.modelOpt, "mxfp4"))
    _ = try folder.makeFolder("folder")
    try folder.write("x", as: "file")
    try FileManager.default.createSymbolicLink(
      atPath: folder["link"], withDestinationPath: folder["nowhere"])
    for name in ["folder", "folder/", "file", "link"] {
      let error = #expect(throws: ModelCheckpointError.self) {
        try checkpoint.write(plan, to: folder[name])
      }
      #expect(error?.description.contains("exists already") == true, "\(name)")
    }
    #expect(try folder.read("file") == Array("x".utf8))
    #expect(throws: ModelCheckpointError.self) {
      try checkpoint.write(plan, to: folder["missing/out"])
    }
  }

  @Test("Shares of workers make what one run makes, and a merge waits for all of them")
  func workers() throws {
    let checkpoint = try model()
    let plan = try checkpoint.plan(request(.compressedTensors, "mxfp4"))
    try checkpoint.write(plan, to: folder["whole"], folder: FolderWork(fileByteLimit: 300))
    func write(_ share: FolderWork.Share) throws {
      try checkpoint.write(
        plan, to: folder["out"], folder: FolderWork(fileByteLimit: 300, share: share))
    }
    #expect(throws: ModelCheckpointError.self) { try write(.merge) }
    for worker in [3, 1] {
      try write(.worker(worker, of: 3))
      #expect(throws: ModelCheckpointError.self) { try write(.merge) }
    }
    try write(.worker(2, of: 3))
    try write(.merge)
    for name in try folder.names(in: "whole") {
      #expect(try folder.read("out/\(name)") == folder.read("whole/\(name)"), "\(name)")
    }
    #expect(try folder.names(in: "out") == folder.names(in: "whole"))
  }

  @Test(
    "Values of a quantized model are written with a configuration that says nothing of quantization"
  )
  func dequantized() throws {
    let checkpoint = try model()
    try checkpoint.write(
      checkpoint.plan(request(.compressedTensors, "nvfp4")), to: folder["quantized"])
    let quantized = try ModelCheckpoint(path: folder["quantized"])
    for type in [nil] + ValueType.allCases {
      let name = "values-\(type?.rawValue ?? "own")"
      try quantized.writeValues(to: folder[name], as: type)
      let result = try ModelCheckpoint(path: folder[name])
      #expect(result.inventory.quantizedCount == 0)
      #expect(result.files.configuration.quantization == nil)
      #expect(result.files.configuration.config?["model_type"]?.text == "x")
      let comparison = try quantized.compared(to: result)
      if type == nil || type == .f32 { #expect(comparison.verdict == .equivalent) }
      for tensor in comparison.tensors { #expect(tensor.worstDistance <= 0.05) }
    }
  }
}

import BlockFormats
import FormatMetrics
import TensorFiles

/// The tensors of a comparison, loaded one at a time.
struct ComparisonInput {
  /// One tensor to compare formats on.
  struct Item {
    var name: String
    var shape: [Int]
    var load: () throws(CommandError) -> Tensor
  }

  /// In the order of files, and of tensors in a file.
  private(set) var items: [Item] = []
  /// Tensors passed over because of their dtype.
  private(set) var skippedDTypes: [TensorDType: Int] = [:]
  /// Tensors passed over because they lack the block axis.
  private(set) var skippedRanks = 0

  /// The tensors of safetensors and npy files whose names match.
  ///
  /// - Parameters:
  ///   - paths: the files; a tensor's name begins with its file's where there are several.
  ///   - matches: whether to take the tensor of a name.
  ///   - axis: the block axis, which every tensor taken has.
  init(
    files paths: [String], axis: Int, matching matches: (String) -> Bool
  ) throws(CommandError) {
    var mismatches = 0
    for path in paths {
      let prefix = paths.count > 1 ? path + ":" : ""
      for item in try ComparisonInput.items(of: path, prefix, &skippedDTypes) {
        guard matches(item.name) else {
          mismatches += 1
          continue
        }
        let rank = max(item.shape.count, 1)
        guard (-rank..<rank).contains(axis) else {
          skippedRanks += 1
          continue
        }
        items.append(item)
      }
    }
    guard items.isEmpty else { return }
    throw .input(
      "\(paths.joined(separator: ", ")): no tensor left to compare"
        + (mismatches == 0 ? "" : "; \(mismatches) not matched by --tensor")
        + (skippedDTypes.isEmpty ? "" : "; skipped \(skippedSummary) of other dtypes")
        + (skippedRanks == 0 ? "" : "; \(skippedRanks) without axis \(axis)"))
  }

  /// Samples of distributions, `vectors` rows of `length` each.
  init(distributions: [Distribution], vectors: Int, length: Int, seed: UInt64) {
    items = distributions.map { distribution in
      Item(name: distribution.id, shape: [vectors, length]) {
        Tensor(
          distribution.sample(vectors: vectors, length: length, seed: seed),
          shape: [vectors, length])
      }
    }
  }

  /// What was passed over because of its dtype, such as `2 tensors (1 BOOL, 1 I64)`.
  var skippedSummary: String {
    let count = skippedDTypes.values.reduce(0, +)
    let parts = skippedDTypes.sorted { $0.key.rawValue < $1.key.rawValue }
      .map { "\($0.value) \($0.key.rawValue)" }
    return "\(count) tensor\(count == 1 ? "" : "s") (\(parts.joined(separator: ", ")))"
  }

  private static func items(
    of path: String, _ prefix: String, _ skipped: inout [TensorDType: Int]
  ) throws(CommandError) -> [Item] {
    let type = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try TensorFileType.detect(path: path)
    }
    switch type {
    case .npy:
      let file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
        try NpyFile(path: path)
      }
      let name = String(path.split(separator: "/").last ?? "array")
      return [
        Item(name: paths(prefix, name), shape: file.shape) { () throws(CommandError) in
          let floats = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
            try file.floats()
          }
          return Tensor(floats, shape: file.shape)
        }
      ]
    case .safetensors:
      let file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
        try SafetensorsFile(path: path)
      }
      var items: [Item] = []
      for tensor in file.tensors {
        guard [.f32, .f16, .bf16].contains(tensor.dtype) else {
          skipped[tensor.dtype, default: 0] += 1
          continue
        }
        items.append(
          Item(name: prefix + tensor.name, shape: tensor.shape) { () throws(CommandError) in
            let floats = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
              try file.floats(of: tensor)
            }
            return Tensor(floats, shape: tensor.shape)
          })
      }
      return items
    }
  }

  private static func paths(_ prefix: String, _ name: String) -> String {
    prefix.isEmpty ? name : String(prefix.dropLast())
  }
}

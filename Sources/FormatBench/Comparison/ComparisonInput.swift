import BlockFormats
import CommandLineToolkit
import FormatMetrics
import QuantizedCheckpoints
import SystemResources
import TensorFiles

/// The tensors of a comparison, loaded one at a time.
struct ComparisonInput {
  /// One tensor to compare formats on.
  struct Item {
    var name: String
    /// What is stored; FP32 is made of it.
    var dtype: TensorDType
    var shape: [Int]
    var open: () throws(CommandError) -> ElementReader
  }

  /// In the order of files, and of tensors in a file.
  private(set) var items: [Item] = []
  /// Tensors passed over, by the reason.
  private(set) var skipped = Skipped()
  /// Tensors of F64, which are rounded once to FP32 when they are loaded.
  private(set) var roundedCount = 0

  /// Quantized tensors, whose decoded values are the originals.
  private(set) var requantized: [RequantizedTensors] = []

  /// How many tensors of a format and a dialect are originals though they are quantized.
  struct RequantizedTensors {
    let format: String
    let dialect: String
    var count: Int
  }

  /// The tensors of files and checkpoints whose names match.
  ///
  /// - Parameters:
  ///   - paths: the files and folders; a tensor's name begins with its file's where there are several.
  ///   - matches: whether to take the tensor of a name.
  ///   - axis: the block axis, which every tensor taken has.
  init(
    files paths: [String], axis: Int,
    matching matches: (String) throws(CommandError) -> Bool
  ) throws(CommandError) {
    var mismatches = 0
    var files: [TensorFile?] = []
    var checkpoints: [ModelCheckpoint?] = []
    for path in paths {
      let (file, checkpoint) = try Self.open(path)
      files.append(file)
      checkpoints.append(checkpoint)
    }
    // Files in a folder may be the parts of a model.
    let folders = Dictionary(
      grouping: files.compactMap(\.self).filter(\.hasNames)
    ) { Self.folder(of: $0.path) }.mapValues(QuantizedTensors.init)
    for (index, path) in paths.enumerated() {
      let prefix = paths.count > 1 ? path + ":" : ""
      var found: [Item] = []
      var known: Set<String> = []
      if let checkpoint = checkpoints[index] {
        found = items(of: checkpoint, prefix, isWhole: files[index] == nil, &known)
      }
      if let file = files[index] {
        found += Self.items(of: file, prefix, folders, without: known, &skipped)
      }
      for item in found {
        guard try matches(item.name) else {
          mismatches += 1
          continue
        }
        let rank = max(item.shape.count, 1)
        guard (-rank..<rank).contains(axis) else {
          skipped.rankCount += 1
          continue
        }
        if item.dtype == .f64 { roundedCount += 1 }
        items.append(item)
      }
    }
    guard items.isEmpty else { return }
    throw .input(
      (["\(paths.joined(separator: ", ")): no tensor left to compare"]
        + (mismatches == 0 ? [] : ["\(mismatches) not matched by --tensor"])
        + (skipped.line.map { [$0] } ?? [])).joined(separator: "; "))
  }

  /// Opens a file as its format reads it, and as a checkpoint where it is one that is known.
  private static func open(
    _ path: String
  ) throws(CommandError) -> (TensorFile?, ModelCheckpoint?) {
    if ModelCheckpoint.isFolderOrGGUF(path) { return (nil, try CheckpointOptions.open(path)) }
    let file = try CommandError.bridgingFileFailures { () throws(TensorFileError) in
      try TensorFile(path: path, elements: .floats)
    }
    // A pipe is read once. What is no checkpoint of a known dialect has tensors all the same.
    let isReadAgain = file.hasNames && path != "-" && ModelCheckpoint.isRegularFile(path)
    return (file, isReadAgain ? try? ModelCheckpoint(path: path) : nil)
  }

  /// The quantized tensors of a checkpoint, and the others where nothing else reads them.
  ///
  /// - Parameter known: receives the names of stored tensors that belong to them.
  private mutating func items(
    of checkpoint: ModelCheckpoint, _ prefix: String, isWhole: Bool, _ known: inout Set<String>
  ) -> [Item] {
    checkpoint.tensors.compactMap { tensor in
      if let storage = tensor.quantizedStorage {
        for stored in storage.parts + storage.companions { known.insert(stored.name) }
        note(storage)
      } else {
        guard isWhole, tensor.valueDType != nil else { return nil }
      }
      return Item(
        name: prefix + tensor.name, dtype: tensor.valueDType ?? .f32, shape: tensor.shape
      ) { () throws(CommandError) in
        try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
          try MemoryBudget.require(4 * tensor.elementCount, for: "reading \(tensor.printableName)")
        }
        return ElementReader(
          whole: try CommandError.bridgingFileFailures { () throws(ModelCheckpointError) in
            try tensor.dequantized().elements
          })
      }
    }
  }

  private mutating func note(_ storage: QuantizedStorage) {
    let (format, dialect) = (storage.format.id, storage.dialect.rawValue)
    if let place = requantized.firstIndex(where: { $0.format == format && $0.dialect == dialect }) {
      requantized[place].count += 1
    } else {
      requantized.append(RequantizedTensors(format: format, dialect: dialect, count: 1))
    }
  }

  /// Samples of distributions, `vectors` rows of `length` each.
  init(distributions: [Distribution], vectors: Int, length: Int, seed: UInt64) {
    items = distributions.map { distribution in
      Item(name: distribution.id, dtype: .f32, shape: [vectors, length]) {
        () throws(CommandError) in
        try CommandError.bridgingFileFailures { () throws(MemoryShortage) in
          try MemoryBudget.require(4 * vectors * length, for: "a sample of \(distribution.id)")
        }
        return ElementReader(
          whole: distribution.sample(vectors: vectors, length: length, seed: seed))
      }
    }
  }

  private static func folder(of path: String) -> Substring {
    path.lastIndex(of: "/").map { path[..<$0] } ?? ""
  }

  private static func items(
    of file: TensorFile, _ prefix: String, _ folders: [Substring: QuantizedTensors],
    without known: Set<String>, _ skipped: inout Skipped
  ) -> [Item] {
    let quantized = file.hasNames ? folders[folder(of: file.path)] : nil
    if known.isEmpty { skipped.note(file, method: quantized?.unknownMethod(in: file)) }
    return file.tensors.compactMap { tensor in
      guard !known.contains(tensor.name), !skipped.takes(tensor, quantized?.role(of: tensor)) else {
        return nil
      }
      let name = file.hasNames ? prefix + tensor.name : self.name(of: file, prefix)
      return Item(name: name, dtype: tensor.dtype, shape: tensor.shape) { () throws(CommandError) in
        let read = { (range: Range<Int>) throws(CommandError) in
          try CommandError.bridgingFileFailures { () throws(TensorFileError) in
            try file.floats(of: tensor, in: range)
          }
        }
        return file.readsParts(of: tensor)
          ? ElementReader(read) : ElementReader(whole: try read(0..<tensor.elementCount))
      }
    }
  }

  /// The name of the only tensor of a file that has none for it.
  private static func name(of file: TensorFile, _ prefix: String) -> String {
    prefix.isEmpty ? String(file.path.split(separator: "/").last ?? "array") : file.path
  }
}

extension ComparisonInput {
  /// How many tensors were passed over, and why.
  struct Skipped {
    /// Codes of quantized weights.
    private var codesCount = 0
    /// Scales of such codes and the like.
    private var scaleCount = 0
    /// Tensors of dtypes that are not read as floats.
    private var dtypes: [TensorDType: Int] = [:]
    /// Tensors without elements whose extents no tensor can have.
    private var shapeCount = 0
    /// Tensors that lack the block axis.
    var rankCount = 0
    /// Files that `encode` wrote.
    private var encodedFiles: [String] = []
    /// Files with codes that are not told apart, and what their models call their quantization.
    private var unknownMethods: [(path: String, method: String)] = []

    /// Notes what is known of a file as a whole.
    mutating func note(_ file: TensorFile, method: String?) {
      if QuantizedTensorFile.isAuthor(of: file.metadata) { encodedFiles.append(file.path) }
      if let method { unknownMethods.append((file.path, method)) }
    }

    /// Counts a tensor that is passed over.
    ///
    /// - Parameter role: what it is in a quantized file; nil for data.
    /// - Returns: whether it is.
    mutating func takes(_ tensor: TensorInfo, _ role: QuantizedTensors.Role?) -> Bool {
      switch role {
      case .codes: codesCount += 1
      case .scale: scaleCount += 1
      case nil:
        if !TensorDType.floatReadable.contains(tensor.dtype) {
          dtypes[tensor.dtype, default: 0] += 1
        } else if !Tensor.isValid(shape: tensor.shape) {
          shapeCount += 1
        } else {
          return false
        }
      }
      return true
    }

    /// All of it in one line, such as `skipped 2 tensors (1 BOOL, 1 I64) of other dtypes`.
    var line: String? {
      func part(_ count: Int, _ reason: String) -> String? {
        count == 0 ? nil : "\(count) tensor\(count == 1 ? "" : "s") \(reason)"
      }
      let names = dtypes.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
      let parts = [
        part(codesCount, "that \(codesCount == 1 ? "is" : "are") quantized already"),
        part(scaleCount, "of scales and the like beside them"),
        part(dtypes.values.reduce(0, +), "(\(names)) of other dtypes"),
        part(shapeCount, "without elements and with impossible extents"),
        part(rankCount, "without the block axis"),
      ].compactMap(\.self)
      guard !parts.isEmpty else { return nil }
      let decodable = encodedFiles.map { "'fmtbench decode' gives the values of \($0)" }
      let unknown = unknownMethods.map {
        "the model of \($0) is quantized (\($1)) in a way not known here, so that some tensors "
          + "compared may be scales"
      }
      return (["skipped " + parts.joined(separator: ", ")] + decodable + unknown)
        .joined(separator: "; ")
    }
  }
}

internal import BlockFormats
internal import CallerChecks
internal import TensorFiles
internal import UntrustedText

/// Finds the tensors of a model among those that its files store.
///
/// The readers of dialects come one after the other, and each takes what it knows: the more a file says of
/// itself, the earlier its reader comes. What is left is stored as it is, or is not known.
struct Recognition {
  let files: CheckpointFiles
  /// The tensors found so far, with the place of the first stored one.
  private(set) var found: [(position: Int, tensor: CheckpointTensor)] = []
  /// What is wrong with stored tensors that nothing takes.
  private(set) var findings: [Inventory.Finding] = []

  /// The most scalars of a reason, which may quote texts of the file.
  private static let reasonLimit = 400

  private let positions: [ExactText: Int]
  private var taken: Set<ExactText> = []

  init(_ files: CheckpointFiles) throws(ModelCheckpointError) {
    self.files = files
    positions = Dictionary(
      uniqueKeysWithValues: zip(files.stored.lazy.map { ExactText($0.name) }, 0...))
    try readOwnFiles()
    try readTorchAO()
    try readBitsAndBytes()
    try readGPTOSS()
    try readMLX()
    try readPacked()
    try readScaledWeights()
    try readGGUF()
    takeRest()
  }

  /// The quantization that the configuration describes.
  var configuration: ModelConfiguration { files.configuration }

  /// A stored tensor that nothing has taken yet.
  func stored(_ name: String) -> StoredTensor? {
    let key = ExactText(name)
    guard let position = positions[key], !taken.contains(key) else { return nil }
    return files.stored[position]
  }

  /// The stored tensors that nothing has taken yet, in their order.
  var rest: [StoredTensor] { files.stored.filter { !taken.contains(ExactText($0.name)) } }

  // MARK: - Taking

  /// Takes stored tensors as one quantized tensor.
  ///
  /// - Throws: `.tensor` where a part has not the type, the rows and as many bytes or numbers as format and
  ///   shape need.
  /// - Precondition: a part for each field of the format.
  mutating func take(
    _ name: String, _ dialect: Dialect, _ format: any BlockFormat, shape: [Int],
    _ parts: [StoredPart], companions: [StoredTensor] = [],
    orientation: QuantizedStorage.Orientation = .stored, because reason: String
  ) throws(ModelCheckpointError) {
    let planes = try planes(of: format, shape, parts)
    require(
      parts.count == planes.count,
      "\(parts.count) parts of \(format.id), which has \(planes.count) fields")
    for (index, part) in parts.enumerated() {
      try part.check(against: planes[index], of: format, field: index, shape)
    }
    let storage = QuantizedStorage(
      format: format, dialect: dialect, shape: shape, orientation: orientation,
      companions: companions, contents: .fields(parts))
    take(name, storage, because: reason)
  }

  private func planes(
    of format: any BlockFormat, _ shape: [Int], _ parts: [StoredPart]
  ) throws(ModelCheckpointError) -> [PlaneLayout] {
    guard Tensor.isValid(shape: shape) else {
      throw .tensor(
        path: parts[0].stored?.path ?? files.path, name: parts[0].stored?.name ?? "",
        reason: "shape \(shape) is not possible")
    }
    return StorageLayout(of: format.layout, shape: shape).planes
  }

  /// Takes stored tensors as one quantized tensor whose parts are checked.
  mutating func take(_ name: String, _ storage: QuantizedStorage, because reason: String) {
    let shape = QuantizedStorage.shape(storage.shape, in: storage.orientation)
    let tensor = CheckpointTensor(
      name: name, shape: shape, contents: .quantized(storage),
      reason: printable(reason, limit: Self.reasonLimit))
    let all = storage.parts + storage.companions
    found.append((all.compactMap { positions[ExactText($0.name)] }.min() ?? 0, tensor))
    for stored in all { taken.insert(ExactText(stored.name)) }
  }

  /// Notes that the codes of a weight lack what decodes them.
  mutating func note(
    _ kind: Inventory.Finding.Kind, _ stored: StoredTensor, _ reason: String
  ) {
    let reason = printable(reason, limit: Self.reasonLimit)
    findings.append(Inventory.Finding(kind: kind, name: stored.name, reason: reason))
    taken.insert(ExactText(stored.name))
  }

  /// What no reader has taken: values, codes without a scale, and what is not known.
  private mutating func takeRest() {
    for stored in rest {
      if let missing = Self.missing(stored) {
        note(.incomplete, stored, missing)
      } else if Self.isPlain(stored.type) {
        let tensor = CheckpointTensor(
          name: stored.name, shape: stored.shape, contents: .plain(stored), reason: "")
        found.append((positions[ExactText(stored.name)] ?? 0, tensor))
      } else {
        note(.unclassified, stored, "\(stored.type) of no dialect known here")
      }
    }
    found.sort { $0.position < $1.position }
  }

  /// Whether numbers of a type are values as they stand.
  private static func isPlain(_ type: StoredType) -> Bool {
    switch type {
    case .ggml: type.dtype != nil
    case .plain(let dtype):
      switch dtype {
      case .f64, .f32, .f16, .bf16, .c64, .bool, .i16, .i32, .i64, .u16, .u64: true
      case .f4, .f6E2M3, .f6E3M2, .u8, .i8, .f8E5M2, .f8E4M3, .f8E8M0, .f8E4M3FNUZ, .f8E5M2FNUZ,
        .u32:
        false
      }
    }
  }

  /// What codes lack that stand alone under a name that producers give to codes; nil for anything else.
  private static func missing(_ stored: StoredTensor) -> String? {
    // Blocks of GGUF hold their scales.
    if case .ggml = stored.type { return nil }
    guard !isPlain(stored.type) || stored.name.hasSuffix(".weight_packed") else { return nil }
    let endings = [
      ".weight", ".weight_packed", "_weight_qdata", "_blocks", ".blocks", ".qweight",
    ]
    guard endings.contains(where: stored.name.hasSuffix) else { return nil }
    return "\(stored.type) codes without the scale that decodes them"
  }
}

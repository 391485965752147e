public import BlockFormats
public import TensorFiles

/// How a checkpoint looks in another dialect, before it is written.
public struct Conversion: Sendable {
  /// The dialect that it is converted to.
  public let dialect: Dialect
  /// What becomes of each tensor, in the order of the checkpoint.
  public let decisions: [Decision]

  /// What becomes of one tensor.
  public struct Decision: Sendable {
    /// The tensor.
    public let tensor: CheckpointTensor
    /// What it becomes.
    public let outcome: Outcome
    let relabelling: Relabelling?

    /// What becomes of a tensor.
    public enum Outcome: Sendable {
      /// The same codes in the other form; so many blocks of all keep their values.
      case relabelled(losslessCount: Int, blockCount: Int)
      /// It is stored as it is.
      case copied
      /// The dialect has no place for it; where loss is allowed, its values are stored.
      case impossible(reason: String)
    }

    /// Whether every value stays as it is and quantized tensors stay quantized.
    public var isLossless: Bool {
      switch outcome {
      case .relabelled(let lossless, let all): lossless == all
      case .copied: true
      case .impossible: false
      }
    }
  }

  /// Whether nothing is lost.
  public var isLossless: Bool { decisions.allSatisfy(\.isLossless) }

  /// The blocks that keep their values, of those of all quantized tensors.
  public var blockCounts: (lossless: Int, all: Int) {
    decisions.reduce((0, 0)) { sum, decision in
      guard case .relabelled(let lossless, let all) = decision.outcome else { return sum }
      return (sum.0 + lossless, sum.1 + all)
    }
  }
}

extension ModelCheckpoint {
  /// Finds what becomes of each tensor in another dialect, and reads all of it to count the blocks whose
  /// values stay.
  ///
  /// Codes are never changed. Where a dialect tells the scale of a tensor by its reciprocal or by the
  /// largest magnitude, the number is chosen, within two units in the last place, that keeps most values.
  ///
  /// - Throws: what reading throws; `.tensor` where the checkpoint is incomplete.
  public func conversion(
    to dialect: Dialect, parallelism: Parallelism = .allCores
  ) throws(ModelCheckpointError) -> Conversion {
    try requireComplete()
    var decisions: [Conversion.Decision] = []
    for tensor in tensors {
      guard let storage = tensor.quantizedStorage else {
        decisions.append(.init(tensor: tensor, outcome: .copied, relabelling: nil))
        continue
      }
      switch try Relabelling.make(tensor, storage, dialect) {
      case .success(let relabelling):
        let counts = try relabelling.losslessCount(parallelism: parallelism)
        decisions.append(
          .init(
            tensor: tensor,
            outcome: .relabelled(losslessCount: counts.lossless, blockCount: counts.all),
            relabelling: relabelling))
      case .failure(let refusal):
        decisions.append(
          .init(tensor: tensor, outcome: .impossible(reason: refusal.reason), relabelling: nil))
      }
    }
    return Conversion(dialect: dialect, decisions: decisions)
  }

  /// Writes a conversion of this checkpoint.
  ///
  /// - Parameters:
  ///   - conversion: what becomes of each tensor; those that are impossible become FP32 values.
  ///   - path: as for `write(_:to:keys:progress:)`.
  ///   - keys: the keys and values of a GGUF file; this checkpoint's own if `nil`, where it is one.
  ///   - parallelism: how many threads may work.
  ///   - progress: is told of every tensor.
  /// - Throws: what reading and writing throw.
  public func write(
    _ conversion: Conversion, to path: String, keys: GGUFMetadata? = nil,
    parallelism: Parallelism = .allCores, progress: (WritingProgress) -> Void = { _ in }
  ) throws(ModelCheckpointError) {
    let tensors = conversion.decisions.map { decision in
      decision.relabelling?.output()
        ?? decision.tensor.output(as: nil, parallelism: parallelism)
    }
    let forms = conversion.decisions.map { ($0.tensor, $0.relabelling?.form) }
    try write(
      tensors, DialectReport(dialect: conversion.dialect, forms: forms), to: path, keys: keys,
      work: "convert to=\(conversion.dialect.rawValue)", progress: progress)
  }
}

extension Relabelling {
  /// How a tensor is stored in another dialect with the same codes.
  ///
  /// - Returns: a refusal where the dialect has no place for them.
  static func make(
    _ tensor: CheckpointTensor, _ source: QuantizedStorage, _ dialect: Dialect
  ) throws(ModelCheckpointError) -> Result<Relabelling, FormRefusal> {
    guard source.orientation == dialect.orientation else {
      return .failure(FormRefusal("\(dialect.rawValue) has the last two axes the other way round"))
    }
    let format = target(of: source.format, dialect)
    switch dialect.form(format, name: WeightName(tensor.name), shape: source.shape) {
    case .failure(let refusal): return .failure(refusal)
    case .success(var form):
      let hasScale = form.format.layout.tensorField != nil || dialect == .ggml
      let isNVFP4 = if case .nvfp4 = FormatKind(source.format) { true } else { false }
      guard hasScale, isNVFP4 || source.format is GGMLNVFP4Format else {
        // Without a scale of the tensor on the other side, none may be lost on the way.
        if try source.outerScale() != nil {
          return .failure(FormRefusal("\(dialect.rawValue) has no place for the tensor's scale"))
        }
        return .success(
          Relabelling(tensor: tensor, source: source, form: form, outer: nil))
      }
      let outer = try source.outerScale()
      guard (outer?.stored.count ?? 1) == 1 else {
        return .failure(FormRefusal("each expert has a scale of its own"))
      }
      let scale = OuterChoice(source: source, outer: outer, dialect: dialect)
      if dialect == .ggml {
        let number = scale.multiplier
        if number != 1 {
          form.parts.append(
            DialectForm.Part(
              description: StoredDescription(
                WeightName(tensor.name).module + "scale", GGMLType.f32, [1]),
              contents: .constant(StoredPart.bytes(of: [number]))))
        }
        let count = max(source.shape.reduce(1, *), 1)
        return .success(
          Relabelling(
            tensor: tensor, source: source, form: form,
            outer: number == 1
              ? nil : OuterScale(order: .scalesFirst, stored: [number], share: count)))
      }
      let chosen = scale.best(in: &form)
      return .success(
        Relabelling(tensor: tensor, source: source, form: form, outer: chosen))
    }
  }

  /// The format of the same codes that a dialect has.
  private static func target(
    of format: any BlockFormat, _ dialect: Dialect
  ) -> any BlockFormat {
    if dialect == .ggml, case .nvfp4 = FormatKind(format) { return GGMLNVFP4Format.nvfp4GGML }
    if format is GGMLNVFP4Format && dialect != .ggml { return TwoLevelFormat.nvfp4 }
    // MLX alone stores NVFP4 without a scale of the tensor.
    if dialect != .mlx, dialect != .torchao, case .nvfp4(.absent) = FormatKind(format) {
      return TwoLevelFormat.nvfp4
    }
    return format
  }
}

/// Finds what a dialect stores for the scale of a tensor.
private struct OuterChoice {
  let source: QuantizedStorage
  let outer: OuterScale?
  let dialect: Dialect

  /// The factor that decodes.
  var multiplier: Float {
    guard let outer else { return 1 }
    return outer.order == .quotientFirst ? 1 / outer.stored[0] : outer.stored[0]
  }

  /// The number, within two units in the last place, under which most scales of blocks keep their values;
  /// it replaces the field of the form.
  func best(in form: inout DialectForm) -> OuterScale {
    let count = max(source.shape.reduce(1, *), 1)
    guard
      let place = form.parts.firstIndex(where: {
        if case .field(_, .tensorScale) = $0.contents { true } else { false }
      }), case .field(_, .tensorScale(let told)) = form.parts[place].contents
    else { return OuterScale(order: .format, stored: [1], share: count) }
    let scales = (UInt32(0)..<0x7F).map { Float(ElementFormat.e4m3fn.value(of: $0)) }
    let wanted = scales.map { factor($0, outer) }
    let middle = told.stored(for: multiplier)
    var candidates = [middle]
    if told != .multiplier {
      candidates += [
        middle.nextUp, middle.nextDown, middle.nextUp.nextUp, middle.nextDown.nextDown,
      ]
    }
    func kept(_ stored: Float) -> Int {
      let number = dialect.scaleOrder == .quotientFirst ? stored : told.multiplier(of: stored)
      let choice = OuterScale(order: dialect.scaleOrder, stored: [number], share: count)
      return zip(scales, wanted).count { factor($0, choice) == $1 }
    }
    let best = candidates.max { kept($0) < kept($1) } ?? middle
    let chosen = kept(best) == kept(middle) ? middle : best
    form.parts[place] = DialectForm.Part(
      description: form.parts[place].description,
      contents: .constant(StoredPart.bytes(of: [chosen])))
    let number = dialect.scaleOrder == .quotientFirst ? chosen : told.multiplier(of: chosen)
    return OuterScale(order: dialect.scaleOrder, stored: [number], share: count)
  }

  private func factor(_ scale: Float, _ outer: OuterScale?) -> Float {
    guard let outer else { return scale }
    return outer.order == .quotientFirst ? scale / outer.stored[0] : scale * outer.stored[0]
  }
}

import BlockFormats

extension Recipe: CustomStringConvertible {
  /// Name, source, notes, what projections are, and every rule in order, a line each.
  public var description: String {
    var lines = ["\(name) (\(source))"] + notes.map { "note: \($0)" }
    if rules.contains(where: { $0.layers == Set(LayerKind.projections) }) {
      lines.append("projections: " + LayerKind.projections.map(\.rawValue).listed)
    }
    lines.append("every role: fp32, unless a later line says otherwise")
    return (lines + rules.map(\.description)).joined(separator: "\n")
  }

  /// What every role of a model gets, a line each: the layer, product and operand, the blocks, and
  /// the whole choice.
  ///
  /// Layers of a kind with the same choice share a line.
  ///
  /// - Parameter places: the layers of the model.
  public func report(for places: [LayerPlace]) -> [String] {
    struct Line: Hashable {
      var kind: LayerKind
      var tensor: TensorRole
      var product: ProductRole
      var choice: QuantizationChoice
    }
    var order: [Line] = []
    var blocks: [Line: Set<Int>] = [:]
    for role in places.flatMap(\.roles) {
      let line = Line(
        kind: role.place.kind, tensor: role.tensor, product: role.product, choice: choice(for: role)
      )
      if blocks[line] == nil { order.append(line) }
      var known = blocks[line] ?? []
      if let block = role.place.block { known.insert(block.index) }
      blocks[line] = known
    }
    return order.map { line in
      let indices = (blocks[line] ?? []).sorted()
      let place = indices.isEmpty ? "" : " in blocks \(BlockSelector.text(of: indices))"
      return "\(line.kind.rawValue) \(line.product.rawValue) \(line.tensor.rawValue)\(place): "
        + line.choice.description
    }
  }
}

extension RecipeRule: CustomStringConvertible {
  /// The conditions and the choice.
  public var description: String { "\(conditions): \(choice)" }

  /// What the rule is about, such as `mlp_up; last 1 blocks; weight`.
  public var conditions: String {
    var conditions: [String] = []
    if let layers {
      conditions.append(
        layers == Set(LayerKind.projections)
          ? "projections" : LayerKind.allCases.filter(layers.contains).map(\.rawValue).listed)
    }
    if let names { conditions.append("layers named " + names.sorted().listed) }
    if let blocks { conditions.append(blocks.description) }
    if let products {
      conditions.append(ProductRole.allCases.filter(products.contains).map(\.rawValue).listed)
    }
    if let tensors {
      conditions.append(TensorRole.allCases.filter(tensors.contains).map(\.rawValue).listed)
    }
    return conditions.isEmpty ? "every role" : conditions.joined(separator: "; ")
  }
}

extension BlockSelector: CustomStringConvertible {
  /// The blocks in words.
  public var description: String {
    switch self {
    case .first(let count): "first \(count) blocks"
    case .last(let count): "last \(count) blocks"
    case .lastPercent(let percent):
      "last \(percent) % of blocks, rounded down, at least one (\(BlockSelector.share(percent)))"
    case .only(let indices): "blocks \(BlockSelector.text(of: indices.sorted()))"
    }
  }

  /// What a percentage comes to in a small model, where rounding matters most: `of 4 blocks 1, 25 %`.
  private static func share(_ percent: Int) -> String {
    let selector = BlockSelector.lastPercent(percent)
    let count = (0..<4).count { selector.contains(BlockPosition($0, of: 4)) }
    return "of 4 blocks \(count), \(25 * count) %"
  }

  /// Ascending numbers, with runs as ranges: `0-3, 7`.
  static func text(of indices: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for index in indices {
      if let last = runs.last, last.upperBound + 1 == index {
        runs[runs.count - 1] = last.lowerBound...index
      } else {
        runs.append(index...index)
      }
    }
    return runs.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
      .listed
  }
}

extension QuantizationChoice: CustomStringConvertible {
  /// Everything that decides the codes.
  public var description: String {
    switch self {
    case .float32: "fp32"
    case .bfloat16: "bf16, rounding nearest_even"
    case .block(let quantization): quantization.description
    }
  }
}

extension BlockQuantization: CustomStringConvertible {
  /// Format, scale rule, rounding with its tie rule, overflow and all that differs from a plain
  /// cast of FP32 values.
  public var description: String {
    var parts = [format.id]
    for aspect in PolicyAspect.allCases where format.follows(aspect) {
      // What only producers' dialects change is said where it is changed.
      let isDefault = aspect.chosen(in: policy) == aspect.chosen(in: format.defaultPolicy)
      if isDefault && (aspect == .zeroSign || aspect == .scaleArithmetic) { continue }
      let chosen =
        aspect == .rounding ? stochasticBitCount.map { "stochastic(bits=\($0))" } : nil
      let title = aspect == .scaleRule ? "scale" : aspect.title
      parts.append("\(title) \(chosen ?? aspect.chosen(in: policy).id)")
    }
    parts.append("source \(source.rawValue)")
    parts.append(
      transform.map { "Hadamard \($0.length), signs \($0.signs.rawValue)" } ?? "no transform")
    if premultiplier != 1 { parts.append("premultiplier \(premultiplier)") }
    if case .delayed(let delayed) = scaling {
      parts.append(
        "delayed scaling over \(delayed.historyLength) steps, amax \(delayed.amax.rawValue), "
          + "margin \(delayed.margin)")
    }
    return parts.joined(separator: ", ")
  }
}

extension [String] {
  /// Separated by commas.
  fileprivate var listed: String { joined(separator: ", ") }
}
